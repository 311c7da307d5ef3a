-- What each start asks: which charges of this client, with this tag, at this connector are not settled. By the client's
-- index alone that read all of their history. (`status` says less: a charge reported late is over when it is written.)
CREATE INDEX charging_sessions_unsettled_client ON public.charging_sessions (user_id) WHERE settled_at IS NULL;
CREATE INDEX charging_sessions_unsettled_tag ON public.charging_sessions (lower(id_tag)) WHERE settled_at IS NULL;
CREATE INDEX charging_sessions_unsettled_place ON public.charging_sessions (station_id, connector_id)
    WHERE settled_at IS NULL;
