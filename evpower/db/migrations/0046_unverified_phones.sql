-- Who may find whom by a phone (identity §2): only a number that somebody vouches for finds a client at sign-in. The server
-- does for what it writes, and a token for its own phone claim; what a client writes directly besides (field ruling 6.8)
-- is marked here. What was there before is the server's.
CREATE TABLE evpower.unverified_phones (
    client_id text PRIMARY KEY REFERENCES public.clients ON DELETE CASCADE
);

ALTER TABLE evpower.displaced_phones DROP CONSTRAINT displaced_phones_reason_check,
    ADD CONSTRAINT displaced_phones_reason_check CHECK (reason IN ('duplicate', 'not_e164', 'unverified'));

-- Supabase writes the claim without a plus.
CREATE FUNCTION evpower.token_has_phone(phone text) RETURNS boolean LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce('+' || ltrim(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'phone', '+') = phone,
                    false)
$$;

-- A number that nobody vouched for goes to who is vouched for; the one it is taken from, if any.
CREATE FUNCTION evpower.take_unverified_phone(wanted text, taker text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    holder text;
BEGIN
    UPDATE public.clients c SET phone = NULL FROM evpower.unverified_phones u
    WHERE c.phone = wanted AND u.client_id = c.id AND c.id <> taker RETURNING c.id INTO holder;
    IF holder IS NOT NULL THEN
        INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES (holder, wanted, 'unverified')
        ON CONFLICT (client_id) DO UPDATE
        SET phone = excluded.phone, reason = excluded.reason, displaced_at = excluded.displaced_at;
    END IF;
    RETURN holder;
END $$;
REVOKE ALL ON FUNCTION evpower.take_unverified_phone(text, text) FROM PUBLIC;

-- The two functions below act with the owner's rights, so a trigger's WHEN says who writes.
CREATE FUNCTION evpower.take_phone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM evpower.take_unverified_phone(NEW.phone, NEW.id);
    RETURN NEW;
END $$;
-- After `phone_written`: triggers act in the order of their names.
CREATE TRIGGER phone_written_taken BEFORE INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW
    WHEN (NEW.phone IS NOT NULL
          AND (NOT row_security_active('public.clients') OR evpower.token_has_phone(NEW.phone)))
    EXECUTE FUNCTION evpower.take_phone();

-- A number that is only written again stays what it was, unless the token has it.
CREATE FUNCTION evpower.mark_phone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    claimed constant boolean := evpower.token_has_phone(NEW.phone);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.phone IS NOT DISTINCT FROM OLD.phone AND NOT claimed THEN
        RETURN NULL;
    END IF;
    DELETE FROM evpower.unverified_phones WHERE client_id = NEW.id;
    IF TG_ARGV[0] = 'directly' AND NEW.phone IS NOT NULL AND NOT claimed THEN
        INSERT INTO evpower.unverified_phones VALUES (NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_of_server AFTER INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW
    WHEN (NOT row_security_active('public.clients')) EXECUTE FUNCTION evpower.mark_phone('by the server');
CREATE TRIGGER phone_of_app AFTER INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW
    WHEN (row_security_active('public.clients')) EXECUTE FUNCTION evpower.mark_phone('directly');
