-- Every attempt to start a charge and the answer it got, for a month; whatever was asked for, known or not.
CREATE TABLE evpower.start_attempts (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempted_at   timestamptz NOT NULL,
    client_id      text,
    station_id     text NOT NULL,
    connector_id   int,
    door           text NOT NULL CHECK (door IN ('phone', 'card', 'command')),
    answer         text NOT NULL,
    correlation_id text,
    session_id     text
);
CREATE INDEX start_attempts_time ON evpower.start_attempts (attempted_at);
CREATE INDEX start_attempts_client ON evpower.start_attempts (client_id, id);
CREATE INDEX start_attempts_station ON evpower.start_attempts (station_id, id);
