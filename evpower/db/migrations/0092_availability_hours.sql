-- What is observed of connectors, and what forecasts are made of (roadmap/forecast-navigation §1-§3). All of it is
-- computed from the network's rows, a look a minute, and may be thrown away.

-- When a connector was free and working; `ended_at` NULL: it is. Nothing else is kept of it.
CREATE TABLE evpower.free_times (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id       text NOT NULL REFERENCES public.stations (id) ON DELETE CASCADE,
    connector_number int NOT NULL,
    began_at         timestamptz NOT NULL,
    ended_at         timestamptz CHECK (ended_at >= began_at)
);
CREATE UNIQUE INDEX free_times_open ON evpower.free_times (station_id, connector_number) WHERE ended_at IS NULL;
CREATE INDEX free_times_ended ON evpower.free_times (ended_at, began_at);

-- When no process looked: nothing is known of it.
CREATE TABLE evpower.unwatched_times (
    began_at timestamptz PRIMARY KEY,
    ended_at timestamptz NOT NULL CHECK (ended_at >= began_at)
);

-- One row: since when it is looked at all, the last look, the hours that are written, the day of the cells and scores.
CREATE TABLE evpower.forecast_watermark (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    began_at    timestamptz NOT NULL,
    looked_at   timestamptz NOT NULL,
    hours_until timestamptz NOT NULL,
    cells_of    date
);

-- For a location, a type of connector (in small letters; * is any) and an hour of billing.timezone: for how long it was
-- watched, for how long of that at least one was free and working, and how many charges began.
CREATE TABLE evpower.availability_hours (
    location_id    text NOT NULL REFERENCES public.locations (id) ON DELETE CASCADE,
    connector_type text NOT NULL,
    hour_start     timestamptz NOT NULL,
    observed_s     int NOT NULL CHECK (observed_s BETWEEN 0 AND 3600),
    free_s         int NOT NULL CHECK (free_s BETWEEN 0 AND observed_s),
    arrivals       int NOT NULL,
    PRIMARY KEY (location_id, connector_type, hour_start)
);
CREATE INDEX availability_hours_start ON evpower.availability_hours (hour_start);

-- Who came while nothing was free at a location: starts that were refused, and new waits for a free connector.
CREATE TABLE evpower.turned_away (
    location_id text NOT NULL REFERENCES public.locations (id) ON DELETE CASCADE,
    hour_start  timestamptz NOT NULL,
    refused     int NOT NULL DEFAULT 0,
    waiting     int NOT NULL DEFAULT 0,
    PRIMARY KEY (location_id, hour_start)
);

-- The sums of a location's hours as of last midnight, by hour of the week (Monday 00 is the first of 168; a holiday is a
-- Sunday): Σ w, Σ w x, charges begun; `hours` is how many observations there are.
CREATE TABLE evpower.forecast_cells (
    location_id    text NOT NULL REFERENCES public.locations (id) ON DELETE CASCADE,
    connector_type text NOT NULL,
    weights        real[] NOT NULL CHECK (cardinality(weights) = 168),
    free           real[] NOT NULL CHECK (cardinality(free) = 168),
    arrivals       int[] NOT NULL CHECK (cardinality(arrivals) = 168),
    hours          int NOT NULL,
    connectors     int NOT NULL,
    PRIMARY KEY (location_id, connector_type)
);

-- The nightly backtest: squared errors of each method's predictions made on a day, by how far ahead they were.
CREATE TABLE evpower.forecast_scores (
    day         date NOT NULL,
    horizon_min int NOT NULL,
    method      text NOT NULL,
    n           int NOT NULL,
    squared     double precision NOT NULL,
    PRIMARY KEY (day, horizon_min, method)
);
-- What was served, in twentieths, against how often it was so.
CREATE TABLE evpower.forecast_reliability (
    day         date NOT NULL,
    horizon_min int NOT NULL,
    twentieths  int NOT NULL CHECK (twentieths BETWEEN 0 AND 20),
    n           int NOT NULL,
    free        int NOT NULL,
    PRIMARY KEY (day, horizon_min, twentieths)
);
