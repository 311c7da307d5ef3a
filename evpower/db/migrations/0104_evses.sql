-- Which EVSE of OCPP 2.0.1, and which connector of it, a connector of ours is, where that is not the first of the EVSE of
-- its own number (contract ocpp201 §5).
CREATE TABLE evpower.connector_evses (
    station_id       text NOT NULL,
    connector_number int NOT NULL,
    evse_id          int NOT NULL CHECK (evse_id BETWEEN 1 AND 1000),
    evse_connector   int NOT NULL DEFAULT 1 CHECK (evse_connector BETWEEN 1 AND 1000),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (station_id, connector_number),
    UNIQUE (station_id, evse_id, evse_connector) DEFERRABLE,
    FOREIGN KEY (station_id, connector_number)
        REFERENCES public.connectors (station_id, connector_number) ON DELETE CASCADE
);
