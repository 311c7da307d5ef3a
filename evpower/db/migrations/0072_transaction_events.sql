-- OCPP 2.0.1 beside 1.6 (ADR 72): the station names a transaction and reports it in events, each of which may bring its
-- token, its EVSE or its register. A charge, the row of ocpp_transactions that everything is billed by, begins when all
-- are known; until then the transaction is a row of station_transactions alone.
ALTER TABLE evpower.ocpp_transactions
    ADD COLUMN ocpp_version text NOT NULL DEFAULT '1.6',
    ADD COLUMN offline boolean NOT NULL DEFAULT false;
ALTER TABLE evpower.ocpp_station_status ADD COLUMN ocpp_version text;

-- The number under which a station of 2.0.1 is asked to begin, and by which its transaction finds its session.
CREATE SEQUENCE evpower.remote_start_ids AS integer CYCLE;
ALTER TABLE evpower.session_phases ADD COLUMN remote_start_id integer;
ALTER TABLE evpower.session_phases ALTER COLUMN remote_start_id SET DEFAULT nextval('evpower.remote_start_ids');

CREATE TABLE evpower.station_transactions (
    station_id          text NOT NULL REFERENCES public.stations (id),
    wire_transaction_id text NOT NULL,
    connector_id        integer,
    id_tag              text,
    remote_start_id     integer,
    reservation_id      integer,
    -- A token that was accepted waits for a register, or for its EVSE.
    awaits_register     boolean NOT NULL DEFAULT false,
    -- There is a row of ocpp_transactions.
    claimed             boolean NOT NULL DEFAULT false,
    charging_state      text,
    next_seq_no         integer NOT NULL DEFAULT 0,
    last_event_at       timestamptz NOT NULL,
    ended_at            timestamptz,
    PRIMARY KEY (station_id, wire_transaction_id)
);
CREATE INDEX station_transactions_open ON evpower.station_transactions (station_id) WHERE ended_at IS NULL;
CREATE INDEX station_transactions_age ON evpower.station_transactions (last_event_at);

-- Each event once. What is neither a reading in its order nor without consequence is kept with all its data.
CREATE TABLE evpower.transaction_events (
    station_id          text NOT NULL,
    wire_transaction_id text NOT NULL,
    seq_no              integer NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('Started', 'Updated', 'Ended')),
    occurred_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    offline             boolean NOT NULL,
    facts               text,
    answer              text,
    applied_at          timestamptz,
    PRIMARY KEY (station_id, wire_transaction_id, seq_no),
    FOREIGN KEY (station_id, wire_transaction_id) REFERENCES evpower.station_transactions ON DELETE CASCADE
);
CREATE INDEX transaction_events_waiting ON evpower.transaction_events (station_id, wire_transaction_id, seq_no)
    WHERE applied_at IS NULL;
