-- Another process is told that a session is final when it is, and not by its public status: what a station reports late,
-- beside a charge that has the connector, is stopped from the beginning and settled later.
CREATE OR REPLACE FUNCTION evpower.tell_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell(format('%s %s %s %s', CASE WHEN NEW.settled_at IS NULL THEN 'began' ELSE 'settled' END,
                                NEW.id, NEW.connector_id, NEW.station_id));
    RETURN NULL;
END $$;

DROP TRIGGER tell_change ON public.charging_sessions;
CREATE TRIGGER tell_change AFTER UPDATE ON public.charging_sessions FOR EACH ROW
    WHEN ((OLD.status, OLD.settled_at) IS DISTINCT FROM (NEW.status, NEW.settled_at))
    EXECUTE FUNCTION evpower.tell_session();
