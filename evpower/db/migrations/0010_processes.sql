-- Several processes on one database: which of them has a charger's socket, what one asks of another's charger, and
-- how each hears what another has committed.

-- A process that runs. Its lease is renewed every few seconds; without one, nothing of its is there any more.
CREATE TABLE evpower.processes (
    process_id  text PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
);

-- Where a charger's socket is. The last process to take it has it: only that one may write the station's presence.
CREATE TABLE evpower.charger_connections (
    station_id   text PRIMARY KEY REFERENCES public.stations ON DELETE CASCADE,
    process_id   text NOT NULL,
    connected_at timestamptz NOT NULL
);
CREATE INDEX charger_connections_process ON evpower.charger_connections (process_id);

-- A command for a charger whose socket is in another process. It is executed at most once, by the process it is for,
-- before its deadline; `result` is how it ended, in JSON.
CREATE TABLE evpower.charger_commands (
    id         text PRIMARY KEY,
    station_id text NOT NULL,
    asked_by   text NOT NULL,
    process_id text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('remote_start', 'remote_stop', 'raw')),
    payload    text NOT NULL,
    created_at timestamptz NOT NULL,
    deadline   timestamptz NOT NULL,
    taken_at   timestamptz,
    result     text,
    CONSTRAINT charger_commands_taken CHECK (result IS NULL OR taken_at IS NOT NULL)
);
CREATE INDEX charger_commands_waiting ON evpower.charger_commands (process_id) WHERE taken_at IS NULL;
CREATE INDEX charger_commands_deadline ON evpower.charger_commands (deadline);

-- Whatever the public can read of the network tells every process at its commit: inside the unit of work, so that it
-- is told although the writer dies; who writes does not matter, nor through which door. The first word is the process
-- that wrote ('-': none), which has told itself already.
CREATE FUNCTION evpower.tell(what text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('evpower', coalesce(nullif(current_setting('evpower.process_id', true), ''), '-') || ' ' || what)
$$;

CREATE FUNCTION evpower.tell_station() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell('station ' || CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
                                                  ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $$;

CREATE FUNCTION evpower.tell_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell('location ' || CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
                                                   ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $$;

CREATE FUNCTION evpower.tell_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell(format('%s %s %s %s', CASE NEW.status WHEN 'started' THEN 'began' ELSE 'settled' END,
                                NEW.id, NEW.connector_id, NEW.station_id));
    RETURN NULL;
END $$;

CREATE FUNCTION evpower.tell_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell('prices -');
    RETURN NULL;
END $$;

CREATE FUNCTION evpower.tell_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM evpower.tell('left ' || OLD.station_id);
    ELSE
        PERFORM evpower.tell(format('connected %s %s', NEW.process_id, NEW.station_id));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.locations
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_location('id');
CREATE TRIGGER tell_change AFTER UPDATE ON public.locations FOR EACH ROW
    WHEN ((OLD.name, OLD.address, OLD.city, OLD.country, OLD.latitude, OLD.longitude, OLD.status)
          IS DISTINCT FROM (NEW.name, NEW.address, NEW.city, NEW.country, NEW.latitude, NEW.longitude, NEW.status))
    EXECUTE FUNCTION evpower.tell_location('id');
CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.stations
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_location('location_id');
-- Not `last_heartbeat_at`: it moves every few seconds and says nothing that `is_available` does not.
CREATE TRIGGER tell_change AFTER UPDATE ON public.stations FOR EACH ROW
    WHEN ((OLD.serial_number, OLD.model, OLD.manufacturer, OLD.location_id, OLD.power_capacity, OLD.connectors_count,
           OLD.status, OLD.is_available, OLD.tariff_plan_id, OLD.price_per_kwh, OLD.session_fee)
          IS DISTINCT FROM (NEW.serial_number, NEW.model, NEW.manufacturer, NEW.location_id, NEW.power_capacity,
           NEW.connectors_count, NEW.status, NEW.is_available, NEW.tariff_plan_id, NEW.price_per_kwh, NEW.session_fee))
    EXECUTE FUNCTION evpower.tell_station('id');
CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.connectors
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_station('station_id');
CREATE TRIGGER tell_change AFTER UPDATE ON public.connectors FOR EACH ROW
    WHEN ((OLD.connector_number, OLD.connector_type, OLD.power_kw, OLD.status, OLD.ocpp_status)
          IS DISTINCT FROM (NEW.connector_number, NEW.connector_type, NEW.power_kw, NEW.status, NEW.ocpp_status))
    EXECUTE FUNCTION evpower.tell_station('station_id');
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.ocpp_station_status
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_station('station_id');
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.ocpp_station_status FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION evpower.tell_station('station_id');
CREATE TRIGGER tell AFTER INSERT ON public.charging_sessions
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_session();
CREATE TRIGGER tell_change AFTER UPDATE ON public.charging_sessions FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION evpower.tell_session();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.tariff_plans
    FOR EACH STATEMENT EXECUTE FUNCTION evpower.tell_prices();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.tariff_rules
    FOR EACH STATEMENT EXECUTE FUNCTION evpower.tell_prices();
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.charger_connections
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_connection();
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.charger_connections FOR EACH ROW
    WHEN (OLD.process_id IS DISTINCT FROM NEW.process_id) EXECUTE FUNCTION evpower.tell_connection();
