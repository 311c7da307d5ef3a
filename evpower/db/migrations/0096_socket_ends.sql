-- With which close code each station's last socket ended, so that an outage can say it (operator-pages §4, Availability).
-- An outage is written minutes after the socket ended: what is heard in between makes the code that of another time.
CREATE TABLE evpower.socket_ends (
    station_id text PRIMARY KEY REFERENCES public.stations (id) ON DELETE CASCADE,
    ended_at   timestamptz NOT NULL,
    close_code int NOT NULL CHECK (close_code BETWEEN 1000 AND 4999)
);

-- NULL: the socket was open all the time, or it ended with its process, which could write nothing.
ALTER TABLE evpower.station_outages ADD COLUMN close_code int;

CREATE OR REPLACE FUNCTION evpower.keep_outage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_available THEN
        UPDATE evpower.station_outages SET ended_at = greatest(began_at, NEW.last_heartbeat_at)
        WHERE station_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.last_heartbeat_at IS NOT NULL THEN
        INSERT INTO evpower.station_outages (station_id, began_at, cause, close_code)
        SELECT NEW.id, NEW.last_heartbeat_at,
               CASE WHEN c.station_id IS NULL THEN 'socket' ELSE 'silence' END,
               CASE WHEN c.station_id IS NULL THEN e.close_code END
        FROM (SELECT NEW.id, NEW.last_heartbeat_at AS heard_at) s
        LEFT JOIN evpower.charger_connections c ON c.station_id = s.id
        LEFT JOIN evpower.socket_ends e ON e.station_id = s.id AND e.ended_at >= s.heard_at
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

-- A socket that nothing came from for so long that its station counts as away, and that is given up only then.
CREATE FUNCTION evpower.keep_socket_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE evpower.station_outages SET close_code = NEW.close_code
    WHERE station_id = NEW.station_id AND ended_at IS NULL AND close_code IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_socket_end AFTER INSERT OR UPDATE ON evpower.socket_ends FOR EACH ROW
    EXECUTE FUNCTION evpower.keep_socket_end();
