-- Meter values that a station's meter signed, as they were received: evidence for the driver, never read for a bill (duty 29).
-- Readings die with their partitions, so a settlement keeps them.
CREATE TABLE evpower.signed_readings (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id  text NOT NULL REFERENCES public.charging_sessions,
    -- SHA-256 of the value: a station may send one twice, as a reading and with its stop.
    digest      bytea NOT NULL,
    context     text,
    signed_data text NOT NULL,
    kept_at     timestamptz NOT NULL,
    UNIQUE (session_id, digest)
);
