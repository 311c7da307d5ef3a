-- Who may read what directly (contract/data-model §1): run again at every migration wherever Supabase's roles exist.
-- An anonymous reader sees the network and its prices; a signed-in one besides that only its own rows, and writes what
-- the app writes directly (field ruling 6.8): its own row of clients, its name, phone and e-mail, its favorites. Nobody
-- outside moves money. The server owns the tables and is not subject to these policies.

-- Whose token it is: what auth.uid() reads, as text; written out so that it also works where schema `auth` is not readable.
CREATE OR REPLACE FUNCTION evpower.token_subject() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
$$;
-- The client that acts under it: an id that was merged is an alias (identity §2). Reads past row security.
CREATE OR REPLACE FUNCTION evpower.token_client() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT coalesce((SELECT c.merged_into FROM public.clients c WHERE c.id = evpower.token_subject()),
                    evpower.token_subject())
$$;
-- Called by policies alone; schema evpower stays out of reach.
REVOKE ALL ON FUNCTION evpower.token_subject(), evpower.token_client() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evpower.token_subject(), evpower.token_client() TO authenticated;

-- Supabase grants everything by default. Only our own tables: the operator may have others beside them.
REVOKE ALL ON public.clients, public.users, public.tariff_plans, public.tariff_rules, public.client_tariffs,
    public.locations, public.stations, public.connectors, public.charging_sessions, public.pricing_history,
    public.balance_topups, public.payment_transactions, public.payment_transactions_odengi, public.user_favorites
    FROM anon, authenticated;
REVOKE ALL ON SEQUENCE public.pricing_history_id_seq, public.balance_topups_id_seq, public.payment_transactions_id_seq
    FROM anon, authenticated;
REVOKE ALL ON SCHEMA evpower FROM anon, authenticated, public;
GRANT USAGE ON SCHEMA public TO anon, authenticated;
GRANT SELECT ON public.locations, public.stations, public.connectors, public.tariff_plans, public.tariff_rules
    TO anon, authenticated;
GRANT SELECT ON public.clients, public.client_tariffs, public.charging_sessions, public.balance_topups,
    public.payment_transactions, public.payment_transactions_odengi, public.user_favorites TO authenticated;
-- Column by column: what staff users get one day that is secret is not readable by having been forgotten here.
GRANT SELECT (id, email, phone, role, is_active, admin_id, created_at, updated_at) ON public.users TO authenticated;
GRANT INSERT ON public.clients TO authenticated;
GRANT UPDATE (name, phone, email) ON public.clients TO authenticated;
GRANT INSERT, DELETE ON public.user_favorites TO authenticated;

DO $$
DECLARE
    open_table text;
    owned record;
BEGIN
    FOREACH open_table IN ARRAY ARRAY['locations', 'stations', 'connectors', 'tariff_plans', 'tariff_rules'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS readable_by_all ON public.%I', open_table);
        EXECUTE format('CREATE POLICY readable_by_all ON public.%I FOR SELECT TO anon, authenticated USING (true)',
                       open_table);
    END LOOP;
    FOR owned IN SELECT * FROM (VALUES ('clients', 'id'), ('client_tariffs', 'client_id'),
                                       ('charging_sessions', 'user_id'), ('balance_topups', 'client_id'),
                                       ('payment_transactions', 'client_id'), ('user_favorites', 'user_id'))
                 AS t(name, owner) LOOP
        EXECUTE format('DROP POLICY IF EXISTS own_rows ON public.%I', owned.name);
        EXECUTE format('CREATE POLICY own_rows ON public.%I FOR SELECT TO authenticated '
                       'USING (%I = (SELECT evpower.token_client()))', owned.name, owned.owner);
    END LOOP;
END $$;

DROP POLICY IF EXISTS own_rows ON public.users;
CREATE POLICY own_rows ON public.users FOR SELECT TO authenticated USING (id = (SELECT evpower.token_subject()));

-- An erased account is not filled again, and no row becomes a store for something else.
DROP POLICY IF EXISTS own_row_made ON public.clients;
CREATE POLICY own_row_made ON public.clients FOR INSERT TO authenticated
    WITH CHECK (id = (SELECT evpower.token_subject()) AND id ~ '^[A-Za-z0-9_-]{1,64}$'
                AND length(concat(name, phone, email)) <= 500);
DROP POLICY IF EXISTS own_row_changed ON public.clients;
CREATE POLICY own_row_changed ON public.clients FOR UPDATE TO authenticated
    USING (id = (SELECT evpower.token_client()) AND deleted_at IS NULL)
    WITH CHECK (id = (SELECT evpower.token_client()) AND length(concat(name, phone, email)) <= 500);
DROP POLICY IF EXISTS own_favorites_made ON public.user_favorites;
CREATE POLICY own_favorites_made ON public.user_favorites FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT evpower.token_client())
                AND EXISTS (SELECT FROM public.clients c WHERE c.id = user_id AND c.deleted_at IS NULL)
                AND EXISTS (SELECT FROM public.locations l WHERE l.id = location_id));
DROP POLICY IF EXISTS own_favorites_deleted ON public.user_favorites;
CREATE POLICY own_favorites_deleted ON public.user_favorites FOR DELETE TO authenticated
    USING (user_id = (SELECT evpower.token_client()));

-- At most 200 of a client, whoever writes them: the rule is favorites/service.py's. The client's row is locked first, as the
-- server locks it, so that what is written at once is counted one after the other. A row for another client is not looked
-- at: the policy refuses it.
CREATE OR REPLACE FUNCTION evpower.limit_favorites() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NEW.user_id = evpower.token_client() THEN
        PERFORM FROM public.clients WHERE id = NEW.user_id FOR UPDATE;
        IF (SELECT count(*) FROM public.user_favorites f
            WHERE f.user_id = NEW.user_id AND f.location_id <> NEW.location_id) >= 200 THEN
            RAISE EXCEPTION 'Слишком много избранных локаций'
            USING ERRCODE = 'check_violation', DETAIL = 'invalid_request', HINT = 'too_many_favorites';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER limit_favorites BEFORE INSERT ON public.user_favorites
    FOR EACH ROW WHEN (row_security_active('public.user_favorites')) EXECUTE FUNCTION evpower.limit_favorites();

-- A client that makes its own row begins with nothing, whatever it sends.
CREATE OR REPLACE FUNCTION evpower.begin_with_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF row_security_active('public.clients') THEN
        NEW.balance := 0;
        NEW.debt_amount := 0;
        NEW.status := 'active';
        NEW.delete_requested_at := NULL;
        NEW.deleted_at := NULL;
        NEW.anonymized := false;
        NEW.merged_into := NULL;
        NEW.created_at := now();
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER begin_with_nothing BEFORE INSERT ON public.clients
    FOR EACH ROW EXECUTE FUNCTION evpower.begin_with_nothing();

-- The end of an account and the way back, for the caller's own: the rules are evpower.request_deletion's and
-- evpower.restore_account's. A refusal is an error, so that no caller takes it for done: the message is for the driver,
-- DETAIL is the refusal's name, HINT its reason (contract/rest-api §1.7).
CREATE OR REPLACE FUNCTION public.request_account_deletion() RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    CASE evpower.request_deletion(evpower.token_client(), clock_timestamp())
        WHEN 'requested' THEN
            RETURN jsonb_build_object('success', true, 'message', 'Удаление аккаунта запрошено');
        WHEN 'running' THEN
            RAISE EXCEPTION 'У вас уже есть активная сессия зарядки' USING DETAIL = 'session_already_active';
        WHEN 'debt' THEN
            RAISE EXCEPTION 'Сначала погасите задолженность' USING DETAIL = 'forbidden', HINT = 'debt';
        ELSE
            RAISE EXCEPTION 'Клиент не найден' USING DETAIL = 'client_not_found';
    END CASE;
END $$;
CREATE OR REPLACE FUNCTION public.restore_account() RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    CASE evpower.restore_account(evpower.token_client(), clock_timestamp())
        WHEN 'restored' THEN
            RETURN jsonb_build_object('success', true, 'message', 'Аккаунт восстановлен');
        WHEN 'too_late' THEN
            RAISE EXCEPTION 'Срок восстановления аккаунта истёк' USING DETAIL = 'client_deleted';
        ELSE
            RAISE EXCEPTION 'Клиент не найден' USING DETAIL = 'client_not_found';
    END CASE;
END $$;
REVOKE ALL ON FUNCTION public.request_account_deletion(), public.restore_account() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION public.request_account_deletion(), public.restore_account() TO authenticated;

-- Realtime: the rows the app subscribes to.
DO $$
DECLARE
    live text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
        RETURN;
    END IF;
    FOREACH live IN ARRAY ARRAY['clients', 'charging_sessions', 'locations', 'stations', 'connectors', 'tariff_rules',
                                'balance_topups'] LOOP
        IF NOT EXISTS (SELECT FROM pg_publication_tables
                       WHERE pubname = 'supabase_realtime' AND schemaname = 'public' AND tablename = live) THEN
            EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLE public.%I', live);
        END IF;
    END LOOP;
END $$;
