-- Who may read what directly (contract/data-model §1): run again at every migration wherever Supabase's roles exist.
-- An anonymous reader sees the network and its prices; a signed-in client besides that only its own rows; nobody
-- outside writes. The server owns the tables and is not subject to these policies.

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

DO $$
DECLARE
    -- What auth.uid() reads, as text; written out so that it also works where schema `auth` is not readable.
    uid constant text := $uid$(coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                              nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))$uid$;
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
        EXECUTE format('CREATE POLICY own_rows ON public.%I FOR SELECT TO authenticated USING (%I = %s)',
                       owned.name, owned.owner, uid);
    END LOOP;
END $$;

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
