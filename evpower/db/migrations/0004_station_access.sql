-- How stations prove who they are: passwords on their way, and what chargers say of their security.

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
