-- What stations of OCPP 2.0.1 report of their components (contract/ocpp201 §5).
CREATE SEQUENCE evpower.device_report_ids AS integer CYCLE;
CREATE TABLE evpower.device_inventories (
    station_id       text PRIMARY KEY REFERENCES public.stations (id),
    request_id       integer NOT NULL,
    firmware_version text,
    asked_at         timestamptz NOT NULL,
    reported_at      timestamptz
);
-- Without an instance, an EVSE or a connector: '' and 0.
CREATE TABLE evpower.device_variables (
    station_id         text NOT NULL REFERENCES public.stations (id),
    component          text NOT NULL,
    component_instance text NOT NULL,
    evse_id            integer NOT NULL,
    connector_id       integer NOT NULL,
    variable           text NOT NULL,
    variable_instance  text NOT NULL,
    attribute          text NOT NULL CHECK (attribute IN ('Actual', 'Target', 'MinSet', 'MaxSet')),
    value              text,
    mutability         text,
    persistent         boolean NOT NULL,
    reported_at        timestamptz NOT NULL,
    PRIMARY KEY (station_id, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute)
);
