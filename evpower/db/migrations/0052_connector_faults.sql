-- What the maker's own words of a connector's fault are (operator-pages §3.1): of its last report of an error. They hold
-- for as long as that is the connector's last status.
CREATE TABLE evpower.connector_faults (
    station_id       text NOT NULL,
    connector_number int NOT NULL,
    reported_at      timestamptz NOT NULL,
    vendor_id        text,
    code             text,
    info             text,
    PRIMARY KEY (station_id, connector_number),
    FOREIGN KEY (station_id, connector_number) REFERENCES public.connectors (station_id, connector_number) ON DELETE CASCADE
);
