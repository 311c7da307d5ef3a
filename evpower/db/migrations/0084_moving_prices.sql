-- Prices that move (roadmap/smart-charging §6). snapshot: a charge is billed by the price of its start. segments: each
-- rate of the hours after its start, which are frozen with it, is billed for the energy of its own time.
ALTER TABLE public.tariff_plans ADD COLUMN billing_mode text NOT NULL DEFAULT 'snapshot'
    CONSTRAINT tariff_plans_billing_mode_check CHECK (billing_mode IN ('snapshot', 'segments'));
-- [{from, rate_per_kwh}], the rate of the start first; NULL where the price of the start holds.
ALTER TABLE public.pricing_history ADD COLUMN rate_schedule jsonb;
-- [{at, before, after}] of each moment at which a rate begins: the readings around it as [moment, Wh], once it has passed.
ALTER TABLE evpower.ocpp_transactions ADD COLUMN rate_boundaries jsonb;
ALTER TABLE evpower.doubts DROP CONSTRAINT doubts_kind;
ALTER TABLE evpower.doubts ADD CONSTRAINT doubts_kind CHECK (
    kind IN ('reading', 'start', 'restart', 'stop', 'power', 'clock', 'no_register', 'boundary', 'settlement'));
-- [[from Wh, rate]]: what the bill of this document was made by.
ALTER TABLE evpower.receipts ADD COLUMN rate_steps jsonb;
