-- When each station was not heard of, and why (operator-pages §4, Availability); sums of each hour (§10.6).
CREATE TABLE evpower.station_outages (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id text NOT NULL REFERENCES public.stations (id) ON DELETE CASCADE,
    began_at   timestamptz NOT NULL,
    ended_at   timestamptz,
    -- socket: its socket had closed; silence: the socket was open and nothing came; boot: it came back by a boot.
    cause      text NOT NULL CHECK (cause IN ('socket', 'silence', 'boot'))
);
CREATE INDEX station_outages_station ON evpower.station_outages (station_id, began_at);
CREATE UNIQUE INDEX station_outages_open ON evpower.station_outages (station_id) WHERE ended_at IS NULL;
CREATE INDEX station_outages_ended ON evpower.station_outages (ended_at);

-- Only what is not nothing: an hour without a row was quiet, and the station was heard of all of it. Computed anew from
-- rows, so that it may be thrown away.
CREATE TABLE evpower.station_hours (
    station_id    text NOT NULL REFERENCES public.stations (id) ON DELETE CASCADE,
    hour          timestamptz NOT NULL,
    offline_s     int NOT NULL CHECK (offline_s BETWEEN 0 AND 3600),
    asked         int NOT NULL,
    reached       int NOT NULL,
    charges       int NOT NULL,
    energy_wh     bigint NOT NULL,
    revenue_tyiyn bigint NOT NULL,
    PRIMARY KEY (station_id, hour)
);
CREATE INDEX station_hours_hour ON evpower.station_hours (hour);

-- The times are the writer's (presence): since when it is silent, and when it was heard of again.
CREATE FUNCTION evpower.keep_outage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_available THEN
        UPDATE evpower.station_outages SET ended_at = greatest(began_at, NEW.last_heartbeat_at)
        WHERE station_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.last_heartbeat_at IS NOT NULL THEN
        INSERT INTO evpower.station_outages (station_id, began_at, cause)
        SELECT NEW.id, NEW.last_heartbeat_at,
               CASE WHEN EXISTS (SELECT FROM evpower.charger_connections c WHERE c.station_id = NEW.id)
                    THEN 'silence' ELSE 'socket' END
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_outage AFTER UPDATE ON public.stations FOR EACH ROW
    WHEN (OLD.is_available IS DISTINCT FROM NEW.is_available) EXECUTE FUNCTION evpower.keep_outage();

-- Its boot is what it came back by, whichever of the two was written first.
CREATE FUNCTION evpower.keep_boot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE evpower.station_outages SET cause = 'boot'
    WHERE station_id = NEW.station_id AND began_at <= NEW.booted_at
          AND (ended_at IS NULL OR ended_at >= NEW.booted_at - interval '1 minute');
    RETURN NULL;
END $$;
CREATE TRIGGER keep_boot AFTER INSERT OR UPDATE OF booted_at ON evpower.ocpp_station_status FOR EACH ROW
    WHEN (NEW.booted_at IS NOT NULL) EXECUTE FUNCTION evpower.keep_boot();

INSERT INTO evpower.station_outages (station_id, began_at, cause)
SELECT id, last_heartbeat_at, 'silence' FROM public.stations WHERE NOT is_available AND last_heartbeat_at IS NOT NULL;
