-- A client asks for the end of its account (identity §2): inactive at once, restorable for 30 days, then erased.
CREATE TABLE evpower.account_deletions (
    client_id        text PRIMARY KEY REFERENCES public.clients,
    -- What a restored account is again: a blocked client stays blocked.
    status_before    text NOT NULL,
    requested_at     timestamptz NOT NULL,
    restorable_until timestamptz NOT NULL,
    -- When the erasure is looked at next; a claim moves it ahead. None is due once it is done.
    due_at           timestamptz,
    erased_at        timestamptz,
    CONSTRAINT account_deletions_end CHECK ((due_at IS NULL) = (erased_at IS NOT NULL))
);
CREATE INDEX account_deletions_due ON evpower.account_deletions (due_at) WHERE due_at IS NOT NULL;

-- The rule stands here because two doors ask it: ours, and Supabase's REST layer (public.request_account_deletion).
-- Answers 'requested', also for a repeat, which moves no date; or why not: 'unknown', 'running', 'debt'.
CREATE FUNCTION evpower.request_deletion(client text, at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    asking public.clients%ROWTYPE;
BEGIN
    SELECT * INTO asking FROM public.clients WHERE id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF EXISTS (SELECT FROM evpower.account_deletions d WHERE d.client_id = client) THEN
        RETURN 'requested';
    END IF;
    IF EXISTS (SELECT FROM public.charging_sessions s WHERE s.user_id = client AND s.settled_at IS NULL) THEN
        RETURN 'running';
    END IF;
    IF asking.debt_amount > 0 THEN
        RETURN 'debt';
    END IF;
    INSERT INTO evpower.account_deletions (client_id, status_before, requested_at, restorable_until, due_at)
    VALUES (client, asking.status, at, at + interval '30 days', at + interval '30 days');
    UPDATE public.clients SET status = 'inactive', delete_requested_at = at, updated_at = at WHERE id = client;
    RETURN 'requested';
END $$;

-- Answers 'restored', also when there is nothing to restore; or why not: 'unknown', 'too_late'.
CREATE FUNCTION evpower.restore_account(client text, at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    deletion evpower.account_deletions%ROWTYPE;
BEGIN
    PERFORM FROM public.clients WHERE id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    SELECT * INTO deletion FROM evpower.account_deletions d WHERE d.client_id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'restored';
    END IF;
    IF deletion.erased_at IS NOT NULL OR deletion.restorable_until <= at THEN
        RETURN 'too_late';
    END IF;
    DELETE FROM evpower.account_deletions d WHERE d.client_id = client;
    -- Whom an operator blocked meanwhile does not come back by this door.
    UPDATE public.clients SET status = CASE status WHEN 'blocked' THEN status ELSE deletion.status_before END,
           delete_requested_at = NULL, updated_at = at
    WHERE id = client;
    RETURN 'restored';
END $$;
REVOKE ALL ON FUNCTION evpower.request_deletion(text, timestamptz), evpower.restore_account(text, timestamptz)
    FROM PUBLIC;

-- Only the line of a credit carries the top-up's id: the app shows the first line it finds with it (field ruling 6.8).
CREATE OR REPLACE FUNCTION evpower.write_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry evpower.ledger_entries%ROWTYPE;
    after_som numeric;
    latest timestamptz;
    amount_som numeric := NEW.amount_tyiyn::numeric / 100;
BEGIN
    SELECT * INTO entry FROM evpower.ledger_entries WHERE id = NEW.entry_id;
    IF NEW.account = 'receivable' THEN
        UPDATE public.clients SET debt_amount = debt_amount - amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id;
        RETURN NULL;
    END IF;
    UPDATE public.clients SET balance = balance + amount_som, updated_at = entry.created_at
    WHERE id = NEW.client_id RETURNING balance INTO after_som;
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

-- Lines written before lose the link and nothing else: the ledger's entry keeps it.
ALTER TABLE public.payment_transactions DISABLE TRIGGER append_only;
UPDATE public.payment_transactions SET balance_topup_id = NULL
WHERE balance_topup_id IS NOT NULL AND type <> 'balance_topup';
ALTER TABLE public.payment_transactions ENABLE TRIGGER append_only;
