-- What a client has said of itself that no column of clients is for: outside readers are promised those alone.
CREATE TABLE evpower.client_profiles (
    client_id  text PRIMARY KEY REFERENCES public.clients,
    birthday   date NOT NULL,
    updated_at timestamptz NOT NULL
);
