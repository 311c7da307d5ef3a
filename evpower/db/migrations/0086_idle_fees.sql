-- What a plan takes for a place that is kept after a charge (roadmap/smart-charging §6): off without a cap. The price of a
-- minute is its rule of the type parking_fee.
ALTER TABLE public.tariff_plans
    ADD COLUMN parking_grace_minutes integer CHECK (parking_grace_minutes BETWEEN 0 AND 1440),
    ADD COLUMN parking_cap numeric(12,2) CHECK (parking_cap > 0),
    -- In percent of the location's connectors.
    ADD COLUMN only_above_occupancy integer CHECK (only_above_occupancy BETWEEN 0 AND 100),
    ADD COLUMN parking_quiet_from time,
    ADD COLUMN parking_quiet_until time;

-- A charge whose car may have to pay for waiting, by the terms of its start; open until the car has left.
CREATE TABLE evpower.idle_fees (
    session_id           text PRIMARY KEY REFERENCES public.charging_sessions (id),
    rate_per_minute      numeric NOT NULL CHECK (rate_per_minute > 0),
    grace_minutes        integer NOT NULL,
    cap_tyiyn            bigint NOT NULL CHECK (cap_tyiyn > 0),
    only_above_occupancy integer,
    quiet_from           time,
    quiet_until          time,
    -- Which notice of the charge is the one of the waiting that goes on, by its number; NULL while the car does not wait.
    notice               integer,
    notices              integer NOT NULL DEFAULT 0,
    looked_at            timestamptz,
    -- Up to when, at the last look, the car was known to wait with nothing that forbids a fee.
    waited_until         timestamptz,
    ended_at             timestamptz,
    minutes              integer,
    fee_tyiyn            bigint,
    taken_tyiyn          bigint,
    CONSTRAINT idle_fees_ended_whole CHECK ((ended_at IS NULL) = (minutes IS NULL) AND (minutes IS NULL) = (fee_tyiyn IS NULL)
                                            AND (fee_tyiyn IS NULL) = (taken_tyiyn IS NULL)),
    CONSTRAINT idle_fees_taken CHECK (taken_tyiyn BETWEEN 0 AND fee_tyiyn AND fee_tyiyn <= cap_tyiyn)
);
CREATE INDEX idle_fees_open ON evpower.idle_fees (looked_at) WHERE ended_at IS NULL;

-- When a car waited and has to pay for it: the evidence of the fee.
CREATE TABLE evpower.idle_times (
    session_id text NOT NULL REFERENCES evpower.idle_fees (session_id),
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL CHECK (until > since),
    PRIMARY KEY (session_id, since)
);
