-- How grave an event is that a monitor of a station's variable notifies (OCPP 2.0.1 N05, N08): 0 is danger, 9 is debug.
-- Events name their monitor by its number, which a station may give again to another one: hence the variable's name.
CREATE TABLE evpower.device_monitors (
    station_id  text NOT NULL REFERENCES public.stations (id),
    monitor_id  integer NOT NULL,
    variable    text NOT NULL,
    severity    integer NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (station_id, monitor_id)
);
