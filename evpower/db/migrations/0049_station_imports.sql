-- What each import of a fleet file changed of each station, for the station's history (operator-pages §4).
CREATE TABLE evpower.station_imports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id  text NOT NULL REFERENCES public.stations (id) ON DELETE CASCADE,
    imported_at timestamptz NOT NULL,
    actor       text NOT NULL,
    -- NULL: the import added the station.
    changes     text
);
CREATE INDEX station_imports_station ON evpower.station_imports (station_id, imported_at);
CREATE INDEX station_imports_old ON evpower.station_imports (imported_at);
