-- A client's charges by page: newest first, those of one moment by id.
DROP INDEX public.charging_sessions_client;
CREATE INDEX charging_sessions_client ON public.charging_sessions (user_id, created_at DESC, id DESC);
DROP INDEX public.balance_topups_client;
CREATE INDEX balance_topups_client ON public.balance_topups (client_id, created_at DESC, id DESC);

-- In the list too, where no points are read.
ALTER TABLE evpower.session_curves ADD COLUMN soc_start smallint, ADD COLUMN soc_end smallint;

-- Under which cursors are signed, made at the first one: the same for every process, and worth nothing elsewhere, because a
-- cursor only says where a client's own list goes on.
CREATE TABLE evpower.cursor_keys (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL
);
