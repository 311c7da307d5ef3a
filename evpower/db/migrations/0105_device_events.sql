-- Events of the components of stations of OCPP 2.0.1 (contract ocpp201 §5), in the standard's words. A report of them may
-- come in parts: until the last one has come its rows wait (is_whole = false).
CREATE TABLE evpower.device_events (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id         text NOT NULL REFERENCES public.stations (id),
    seq_no             int NOT NULL,
    is_last            boolean NOT NULL,
    is_whole           boolean NOT NULL,
    grave              boolean NOT NULL,
    generated_at       timestamptz NOT NULL,
    occurred_at        timestamptz NOT NULL,
    received_at        timestamptz NOT NULL,
    event_id           int NOT NULL,
    trigger            text NOT NULL,
    notification       text NOT NULL,
    component          text NOT NULL,
    component_instance text NOT NULL,
    evse_id            int NOT NULL,
    connector_id       int NOT NULL,
    variable           text NOT NULL,
    variable_instance  text NOT NULL,
    actual_value       text NOT NULL,
    cause              int,
    monitor_id         int,
    transaction_id     text,
    tech_code          text,
    tech_info          text,
    cleared            boolean
);
CREATE INDEX device_events_newest ON evpower.device_events (station_id, id DESC);
CREATE INDEX device_events_waiting ON evpower.device_events (station_id) WHERE NOT is_whole;
