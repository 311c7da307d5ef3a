-- What is at stations that is not ours, or must go (roadmap/smart-charging §4).

-- A limit that somebody else set at a station (OCPP 2.0.1 K11–K13): connector 0 is the whole station. Without a schedule
-- the station said that there is one, and not which.
CREATE TABLE evpower.power_station_limits (
    station_id   text NOT NULL REFERENCES public.stations ON DELETE CASCADE,
    connector_id int NOT NULL CHECK (connector_id >= 0),
    source       text NOT NULL,
    schedule     jsonb,
    set_at       timestamptz NOT NULL,
    PRIMARY KEY (station_id, connector_id, source)
);

-- Connectors that left their group: our profiles are to be taken away when their station is there.
CREATE TABLE evpower.power_released (
    station_id   text NOT NULL REFERENCES public.stations ON DELETE CASCADE,
    connector_id int NOT NULL,
    released_at  timestamptz NOT NULL,
    asked_at     timestamptz,
    PRIMARY KEY (station_id, connector_id)
);

-- A car asked for a schedule (K15): it is sent what it has once more.
ALTER TABLE evpower.power_group_members ADD COLUMN schedule_wanted_at timestamptz;
-- Of a car, by ISO 15118; its driver's own wishes go before.
ALTER TABLE evpower.power_preferences ADD COLUMN is_of_car boolean NOT NULL DEFAULT false;
