-- What each start asks: which charges of this client, and of this tag, are running. By the client's index alone that read
-- all of their history.
CREATE INDEX charging_sessions_running_client ON public.charging_sessions (user_id) WHERE status = 'started';
CREATE INDEX charging_sessions_running_tag ON public.charging_sessions (lower(id_tag)) WHERE status = 'started';
