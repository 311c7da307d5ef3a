-- Access tokens are good for an hour without a look at any row. What ends one earlier: its sign-in ended, or its person was
-- blocked, deleted or disabled, through whichever door, or by hand. Every process hears of it at the commit.

-- For tokens of another issuer, which have no sign-in here: those issued before are not believed.
CREATE TABLE evpower.revoked_people (
    person_id  text PRIMARY KEY,
    revoked_at timestamptz NOT NULL
);

CREATE FUNCTION evpower.tell_sign_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell('sign-in -');
    RETURN NULL;
END $$;
CREATE TRIGGER tell_end AFTER UPDATE ON evpower.sign_ins FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION evpower.tell_sign_in();
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON evpower.revoked_people
    FOR EACH ROW EXECUTE FUNCTION evpower.tell_sign_in();

-- SECURITY DEFINER: a signed-in client of Supabase's may end its own account, and may not see these tables.
CREATE FUNCTION evpower.revoke_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    -- The writer's clock, as long as the writer says what it is.
    at timestamptz := CASE WHEN TG_OP = 'UPDATE' AND NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE now() END;
BEGIN
    INSERT INTO evpower.revoked_people AS r (person_id, revoked_at) VALUES (OLD.id, at)
    ON CONFLICT (person_id) DO UPDATE SET revoked_at = greatest(r.revoked_at, excluded.revoked_at);
    UPDATE evpower.sign_ins SET ended_at = at, end_cause = 'revoked' WHERE person_id = OLD.id AND ended_at IS NULL;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evpower.revoke_person() FROM PUBLIC;

CREATE TRIGGER revoke AFTER UPDATE ON public.clients FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status <> 'active') EXECUTE FUNCTION evpower.revoke_person();
CREATE TRIGGER revoke AFTER UPDATE ON public.users FOR EACH ROW
    WHEN ((OLD.is_active AND NOT NEW.is_active) OR OLD.phone IS DISTINCT FROM NEW.phone)
    EXECUTE FUNCTION evpower.revoke_person();
CREATE TRIGGER revoke_deleted AFTER DELETE ON public.users FOR EACH ROW EXECUTE FUNCTION evpower.revoke_person();
