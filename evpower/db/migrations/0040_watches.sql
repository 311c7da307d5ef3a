-- Clients who want to know when a connector at a location is free (roadmap/history-favorites-push §2). A row ends by being
-- deleted, in the unit of work of its one notice, or when its time is over; nothing of it is kept.
CREATE TABLE evpower.favorite_watches (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id      text NOT NULL REFERENCES public.clients,
    location_id    text NOT NULL,
    -- Of which type it must be; NULL: of any.
    connector_type text,
    created_at     timestamptz NOT NULL,
    until          timestamptz NOT NULL,
    UNIQUE (client_id, location_id)
);
