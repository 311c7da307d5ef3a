-- A client's phone is a number in E.164's writing, and of one client (safe by default 9). What can be read as such a number
-- is written as one first: the original kept digits only, and people write blanks.
CREATE FUNCTION evpower.write_phone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bare constant text := regexp_replace(NEW.phone, '[[:space:]().-]', '', 'g');
BEGIN
    NEW.phone := CASE WHEN bare ~ '^996[0-9]{9}$' THEN '+' || bare WHEN bare ~ '^\+[1-9][0-9]{6,14}$' THEN bare
                      WHEN bare = '' THEN NULL ELSE NEW.phone END;
    RETURN NEW;
END $$;
CREATE TRIGGER phone_written BEFORE INSERT OR UPDATE OF phone ON public.clients
    FOR EACH ROW WHEN (NEW.phone IS NOT NULL) EXECUTE FUNCTION evpower.write_phone();
UPDATE public.clients SET phone = phone WHERE phone IS NOT NULL;

-- What a client had as its phone and may not have: `evpower doctor` lists it until the client has a phone again. Of several
-- clients with one number the oldest keeps it.
CREATE TABLE evpower.displaced_phones (
    client_id    text PRIMARY KEY REFERENCES public.clients ON DELETE CASCADE,
    phone        text NOT NULL,
    reason       text NOT NULL CHECK (reason IN ('duplicate', 'not_e164')),
    displaced_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO evpower.displaced_phones (client_id, phone, reason)
SELECT id, phone, CASE WHEN readable THEN 'duplicate' ELSE 'not_e164' END
FROM (SELECT id, phone, phone ~ '^\+[1-9][0-9]{6,14}$' AS readable,
             row_number() OVER (PARTITION BY phone ORDER BY created_at, id) AS place
      FROM public.clients WHERE phone IS NOT NULL) c
WHERE NOT readable OR place > 1;
UPDATE public.clients c SET phone = NULL FROM evpower.displaced_phones d WHERE d.client_id = c.id;

ALTER TABLE public.clients ADD CONSTRAINT clients_phone_is_e164 CHECK (phone ~ '^\+[1-9][0-9]{6,14}$');
DROP INDEX public.clients_phone;
CREATE UNIQUE INDEX clients_phone ON public.clients (phone);

-- Whoever is erased leaves no phone behind here either.
CREATE FUNCTION evpower.forget_displaced_phone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM evpower.displaced_phones WHERE client_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER displaced_phone_forgotten AFTER UPDATE OF anonymized ON public.clients
    FOR EACH ROW WHEN (NEW.anonymized) EXECUTE FUNCTION evpower.forget_displaced_phone();
