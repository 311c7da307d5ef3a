-- Who may come in and what is given away: chargers nobody has configured yet, stations that charge for free, and who
-- asked for the end of a charge.

-- Identities without a station that have sent a BootNotification: waiting for the operator, or turned away for good.
-- Once accepted they are stations, and the row goes.
CREATE TABLE evpower.ocpp_strangers (
    identity         text PRIMARY KEY,
    status           text NOT NULL CHECK (status IN ('pending', 'rejected')),
    vendor           text NOT NULL,
    model            text NOT NULL,
    firmware_version text,
    serial_number    text,
    address          text NOT NULL,
    boots            int NOT NULL,
    first_seen_at    timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    decided_at       timestamptz,
    decided_by       text,
    CONSTRAINT ocpp_strangers_decided CHECK ((status = 'pending') = (decided_at IS NULL))
);

-- What an operator lets a station do that is nobody else's business.
CREATE TABLE evpower.station_policies (
    station_id text PRIMARY KEY REFERENCES public.stations,
    -- Tags that are nobody's may charge, and nobody pays.
    free_vend  boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Energy given away: a transaction that was accepted and has no session.
ALTER TABLE evpower.ocpp_transactions ADD COLUMN free_vend boolean NOT NULL DEFAULT false;
ALTER TABLE evpower.ocpp_transactions
    ADD CONSTRAINT ocpp_transactions_free_vend CHECK (NOT free_vend OR charging_session_id IS NULL);
CREATE INDEX ocpp_transactions_given_away ON evpower.ocpp_transactions (station_id, id) WHERE free_vend;

ALTER TABLE evpower.session_phases ADD COLUMN stop_requested_by text;
