-- A reading of OCPP 2.0.1 that comes in its order was kept twice: as readings, and as an event without any data. Its row
-- of readings is the event now: it bears the number, and the event's time by which a repeat is known. Readings that were
-- kept as events stay there. Only readings of 2.0.1 have these columns.
ALTER TABLE evpower.ocpp_meter_values ADD COLUMN seq_no integer, ADD COLUMN occurred_at timestamptz,
    ADD COLUMN offline boolean;
