-- How stations prove who they are: passwords on their way, certificates we signed, what chargers say of their security.

-- A password that was sent to the charger and whose answer is not known yet; a login with it puts it in force.
ALTER TABLE evpower.station_credentials ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE evpower.station_credentials ADD COLUMN pending_hash text;

CREATE TABLE evpower.ocpp_security_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id  text NOT NULL REFERENCES public.stations,
    action      text NOT NULL,
    -- The event's type, or the status of a log upload, a signed firmware update, a certificate request.
    type        text NOT NULL,
    detail      text,
    request_id  int,
    alarming    boolean NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL
);
CREATE INDEX ocpp_security_events_newest ON evpower.ocpp_security_events (station_id, id DESC);

CREATE TABLE evpower.station_certificates (
    serial_number text PRIMARY KEY,
    station_id    text NOT NULL REFERENCES public.stations,
    common_name   text NOT NULL,
    -- PEM, with the chain as it was sent to the charger.
    chain         text NOT NULL,
    issued_at     timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    delivered_at  timestamptz
);
CREATE INDEX station_certificates_expiry ON evpower.station_certificates (expires_at);

-- Chargers we do not know that wait for an operator (ocpp.accept_unknown = "pending").
CREATE TABLE evpower.ocpp_strangers (
    identity         text PRIMARY KEY,
    vendor           text,
    model            text,
    firmware_version text,
    first_seen_at    timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL
);
CREATE INDEX ocpp_strangers_oldest ON evpower.ocpp_strangers (last_seen_at);
