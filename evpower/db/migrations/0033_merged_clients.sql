-- Two ids of one person (identity §2): the old one stays as an alias. Where it leads is said in its row, so that whoever
-- waited for the row's lock sees it with the lock.
ALTER TABLE public.clients ADD COLUMN merged_into text REFERENCES public.clients
    CONSTRAINT clients_merged_into_another CHECK (merged_into <> id);
CREATE INDEX clients_merged_into ON public.clients (merged_into) WHERE merged_into IS NOT NULL;

-- Who merged what, and why; the ledger's entries have what it moved.
CREATE TABLE evpower.client_merges (
    old_id        text PRIMARY KEY REFERENCES public.clients,
    into_id       text NOT NULL REFERENCES public.clients,
    balance_tyiyn bigint NOT NULL,
    debt_tyiyn    bigint NOT NULL,
    actor         text NOT NULL,
    reason        text NOT NULL,
    merged_at     timestamptz NOT NULL
);

-- Other processes know aliases by heart.
CREATE FUNCTION evpower.tell_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evpower.tell('merged ' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_merged AFTER UPDATE ON public.clients FOR EACH ROW
    WHEN (OLD.merged_into IS DISTINCT FROM NEW.merged_into) EXECUTE FUNCTION evpower.tell_merged();

-- No money comes to an alias: whatever read the id before the merge must look again.
CREATE OR REPLACE FUNCTION evpower.write_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry evpower.ledger_entries%ROWTYPE;
    alias_of text;
    after_som numeric;
    latest timestamptz;
    amount_som numeric := NEW.amount_tyiyn::numeric / 100;
BEGIN
    SELECT * INTO entry FROM evpower.ledger_entries WHERE id = NEW.entry_id;
    IF NEW.account = 'receivable' THEN
        UPDATE public.clients SET debt_amount = debt_amount - amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id RETURNING merged_into INTO alias_of;
    ELSE
        UPDATE public.clients SET balance = balance + amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id RETURNING balance, merged_into INTO after_som, alias_of;
    END IF;
    IF alias_of IS NOT NULL THEN
        RAISE EXCEPTION 'client % is merged into %', NEW.client_id, alias_of USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.account = 'receivable' THEN
        RETURN NULL;
    END IF;
    -- Readers order by (created_at, id): whoever waited for the row lock does not step behind who came first.
    SELECT max(created_at) INTO latest FROM public.payment_transactions WHERE client_id = NEW.client_id;
    INSERT INTO public.payment_transactions
        (client_id, type, amount, balance_before, balance_after, description,
         balance_topup_id, charging_session_id, created_at)
    VALUES (NEW.client_id, NEW.statement_type, amount_som, after_som - amount_som, after_som, entry.description,
            CASE NEW.statement_type WHEN 'balance_topup' THEN entry.balance_topup_id END, entry.session_id,
            greatest(entry.created_at, latest));
    RETURN NULL;
END $$;
