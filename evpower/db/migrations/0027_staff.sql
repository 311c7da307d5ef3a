-- Staff (contract/roadmap/identity §3). Who signs in with a phone number must be one person.
CREATE UNIQUE INDEX users_phone ON public.users (ltrim(phone, '+')) WHERE phone IS NOT NULL;

-- Locations given to an operator, beside those that are theirs by locations.user_id or admin_id.
CREATE TABLE evpower.staff_locations (
    user_id     text NOT NULL REFERENCES public.users ON DELETE CASCADE,
    location_id text NOT NULL REFERENCES public.locations ON DELETE CASCADE,
    granted_at  timestamptz NOT NULL,
    granted_by  text NOT NULL,
    PRIMARY KEY (user_id, location_id)
);

-- A second factor (RFC 6238). last_step: the time step of the last code that was good; none is good twice.
CREATE TABLE evpower.staff_totp (
    user_id      text PRIMARY KEY REFERENCES public.users ON DELETE CASCADE,
    secret       bytea NOT NULL CHECK (length(secret) >= 16),
    enrolled_at  timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step    bigint NOT NULL DEFAULT 0,
    failures     integer NOT NULL DEFAULT 0,
    locked_until timestamptz
);

-- Tokens a second factor was shown for, by their SHA-256: they may write until then.
CREATE TABLE evpower.staff_elevations (
    token_hash bytea PRIMARY KEY,
    user_id    text NOT NULL REFERENCES public.users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
