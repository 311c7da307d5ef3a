-- Webhooks to operators' systems (roadmap/partner-api-ocpi, "Webhooks out"; issue H §8).
CREATE TABLE evpower.webhook_endpoints (
    id              text PRIMARY KEY,
    url             text NOT NULL,
    events          text[] NOT NULL,
    -- What signs; the one before signs too until then, while it is changed at the other side.
    secret          bytea NOT NULL,
    old_secret      bytea,
    old_until       timestamptz,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    disabled_at     timestamptz,
    disabled_reason text,
    CONSTRAINT webhook_endpoints_disabled CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CONSTRAINT webhook_endpoints_old_secret CHECK ((old_secret IS NULL) = (old_until IS NULL))
);

-- One row for an event and an endpoint, written in the unit of work of the event by the triggers below; its id is the
-- `sequence` of the body: of one object it only rises, because whoever changes an object has locked it. A claim moves
-- `due_at` ahead: if the process dies, the row is due again. It refers to no endpoint, so that nothing here can refuse an event.
CREATE TABLE evpower.webhook_deliveries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id    text NOT NULL,
    event          text NOT NULL,
    object_type    text NOT NULL,
    object_id      text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    data           jsonb NOT NULL,
    state          text NOT NULL DEFAULT 'queued',
    due_at         timestamptz NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    first_tried_at timestamptz,
    last_tried_at  timestamptz,
    -- Of the last attempt: the HTTP status, or why there was none.
    last_answer    text,
    ended_at       timestamptz
);
CREATE INDEX webhook_deliveries_due ON evpower.webhook_deliveries (due_at) WHERE state = 'queued';
CREATE INDEX webhook_deliveries_of ON evpower.webhook_deliveries (endpoint_id, id DESC);
CREATE INDEX webhook_deliveries_old ON evpower.webhook_deliveries (occurred_at);

-- A row for each endpoint that wants the event; none while there is no endpoint.
CREATE FUNCTION evpower.announce(
    event_name text, about_type text, about_id text, happened_at timestamptz, facts jsonb
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO evpower.webhook_deliveries (endpoint_id, event, object_type, object_id, occurred_at, due_at, data)
    SELECT e.id, event_name, about_type, about_id, happened_at, happened_at, facts
    FROM evpower.webhook_endpoints e WHERE event_name = ANY(e.events) AND e.disabled_at IS NULL
    ORDER BY e.id
$$;
REVOKE ALL ON FUNCTION evpower.announce(text, text, text, timestamptz, jsonb) FROM PUBLIC;

-- At the commit, when all that its unit of work writes of the session is written.
CREATE FUNCTION evpower.announce_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    about text := to_jsonb(NEW) ->> TG_ARGV[1];
    happened_at timestamptz := (to_jsonb(NEW) ->> TG_ARGV[2])::timestamptz;
BEGIN
    IF EXISTS (SELECT FROM evpower.webhook_endpoints e WHERE TG_ARGV[0] = ANY(e.events) AND e.disabled_at IS NULL) THEN
        PERFORM evpower.announce(TG_ARGV[0], 'session', s.id, happened_at, jsonb_build_object(
            'session_id', s.id, 'station_id', s.station_id, 'connector_id', s.connector_id, 'client_id', s.user_id,
            'status', s.status, 'phase', p.phase, 'started_at', s.start_time, 'stopped_at', s.stop_time,
            'energy_wh', (s.energy * 1000)::bigint, 'reserved_tyiyn', (s.reserved_amount * 100)::bigint,
            'amount_tyiyn', (s.amount * 100)::bigint, 'refunded_tyiyn', (s.refunded_amount * 100)::bigint,
            'additional_tyiyn', (s.additional_charge * 100)::bigint, 'debt_tyiyn', (s.debt_amount * 100)::bigint,
            'end_cause', p.end_cause, 'stop_reason', s.stop_reason, 'is_estimated', p.estimated))
        FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id WHERE s.id = about;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evpower.announce_session() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER announce_start AFTER UPDATE ON evpower.session_phases DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.phase = 'charging' AND OLD.phase <> 'charging')
    EXECUTE FUNCTION evpower.announce_session('session.started', 'session_id', 'phase_at');
CREATE CONSTRAINT TRIGGER announce_late_start AFTER INSERT ON evpower.session_phases DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.phase = 'charging')
    EXECUTE FUNCTION evpower.announce_session('session.started', 'session_id', 'phase_at');
CREATE CONSTRAINT TRIGGER announce_end AFTER UPDATE ON public.charging_sessions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL)
    EXECUTE FUNCTION evpower.announce_session('session.ended', 'id', 'settled_at');
-- By the true end of an estimate, or by a person who settled a doubt.
CREATE CONSTRAINT TRIGGER announce_correction AFTER UPDATE ON public.charging_sessions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.settled_at IS NOT NULL AND NEW.settled_at IS NOT NULL
                       AND (OLD.amount, OLD.energy) IS DISTINCT FROM (NEW.amount, NEW.energy))
    EXECUTE FUNCTION evpower.announce_session('session.corrected', 'id', 'updated_at');

CREATE FUNCTION evpower.announce_station() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- Since when it is silent, or heard of again: the writer's clock.
    PERFORM evpower.announce(
        CASE WHEN NEW.is_available THEN 'station.online' ELSE 'station.offline' END, 'station', NEW.id,
        coalesce(NEW.last_heartbeat_at, NEW.created_at),
        jsonb_build_object('station_id', NEW.id, 'location_id', NEW.location_id,
                           'last_heartbeat_at', NEW.last_heartbeat_at));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evpower.announce_station() FROM PUBLIC;
CREATE TRIGGER announce AFTER UPDATE ON public.stations FOR EACH ROW
    WHEN (OLD.is_available IS DISTINCT FROM NEW.is_available) EXECUTE FUNCTION evpower.announce_station();

CREATE FUNCTION evpower.announce_doubt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM evpower.announce('doubt', 'doubt', NEW.id::text, NEW.first_at, jsonb_build_object(
        'doubt_id', NEW.id, 'kind', NEW.kind, 'message', NEW.message, 'station_id', NEW.station_id,
        'connector_id', NEW.connector_id, 'session_id', NEW.session_id, 'figure', NEW.first_figure, 'bound', NEW.bound,
        'detail', NEW.detail));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evpower.announce_doubt() FROM PUBLIC;
CREATE TRIGGER announce AFTER INSERT ON evpower.doubts FOR EACH ROW EXECUTE FUNCTION evpower.announce_doubt();

CREATE FUNCTION evpower.announce_parked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM evpower.announce('payment.parked', 'parked_payment', NEW.id::text, NEW.parked_at, jsonb_build_object(
        'parked_id', NEW.id, 'invoice_id', t.invoice_id, 'order_id', t.order_id, 'client_id', t.client_id,
        'provider', NEW.provider, 'reason', NEW.reason, 'amount_tyiyn', NEW.amount_tyiyn, 'currency', NEW.currency))
    FROM public.balance_topups t WHERE t.id = NEW.topup_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evpower.announce_parked() FROM PUBLIC;
CREATE TRIGGER announce AFTER INSERT ON evpower.parked_payments FOR EACH ROW EXECUTE FUNCTION evpower.announce_parked();
