-- Money in: what `balance_topups` does not tell, what providers called in, what waits for a person, who did what
-- (contract/payments §5, §7; design §9.1-3). Private, all of it: schema `evpower`.

-- The provider's own view of a top-up, and its polling. `next_check_at` is when the provider is asked next: the poller
-- reads its work from here, so a restart changes nothing.
CREATE TABLE evpower.top_up_orders (
    topup_id        bigint PRIMARY KEY REFERENCES public.balance_topups,
    -- OBANK's int64 id: unique and rising (payments §3.4).
    number          bigint NOT NULL UNIQUE,
    method          text NOT NULL CHECK (method IN ('qr', 'card', 'token')),
    phase           text NOT NULL CHECK (phase IN ('created', 'processing', 'approved', 'canceled', 'expired', 'refunded',
                                                   'partial_refund', 'review')),
    phase_at        timestamptz NOT NULL,
    amount_tyiyn    bigint NOT NULL CHECK (amount_tyiyn > 0),
    paid_tyiyn      bigint NOT NULL DEFAULT 0 CHECK (paid_tyiyn >= 0),
    -- What was given back or is on its way back, whoever began it.
    refunded_tyiyn  bigint NOT NULL DEFAULT 0 CHECK (refunded_tyiyn >= 0),
    auth_key        text UNIQUE,
    qr_code         text,
    -- What a browser needs for 3-D Secure; gone once the payment is decided.
    challenge       json,
    card_mask       text,
    -- The provider's last word or code, for a person.
    reason          text,
    flags           text[] NOT NULL DEFAULT '{}',
    next_check_at   timestamptz,
    -- Why it was made due out of turn: a webhook's check does not count among the fast ones.
    due_why         text CHECK (due_why IN ('webhook', 'forced')),
    checks_done     int NOT NULL DEFAULT 0,
    slow_steps      int NOT NULL DEFAULT 0,
    -- Somebody is asking the provider until then: checks of one order are never concurrent.
    leased_until    timestamptz
);
CREATE INDEX top_up_orders_due ON evpower.top_up_orders (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX top_up_orders_challenge ON evpower.top_up_orders ((challenge ->> 'md')) WHERE challenge IS NOT NULL;

CREATE TABLE evpower.top_up_numbers (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint NOT NULL
);

-- The inbox: providers' calls, masked, stored before they are acted on; `outcome` says what came of each.
CREATE TABLE evpower.provider_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider    text NOT NULL,
    topup_id    bigint REFERENCES public.balance_topups,
    order_id    text,
    number      bigint,
    state       text NOT NULL,
    trans_id    text,
    body        text NOT NULL,
    peer        text,
    request_id  text,
    received_at timestamptz NOT NULL,
    outcome     text NOT NULL,
    outcome_at  timestamptz NOT NULL
);
CREATE INDEX provider_events_waiting ON evpower.provider_events (topup_id) WHERE outcome = 'queued';
CREATE INDEX provider_events_order ON evpower.provider_events (order_id);

-- What a person decides: money that cannot be credited as it was reported, notices of refunds, orders without an answer.
CREATE TABLE evpower.parked_payments (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topup_id          bigint NOT NULL REFERENCES public.balance_topups,
    provider          text NOT NULL,
    reason            text NOT NULL,
    trans_id          text,
    amount_tyiyn      bigint,
    currency          text,
    detail            text,
    parked_at         timestamptz NOT NULL,
    resolution        text CHECK (resolution IN ('credited', 'debited', 'dismissed')),
    resolved_tyiyn    bigint,
    resolved_at       timestamptz,
    resolved_by       text,
    resolution_reason text,
    CONSTRAINT parked_payments_resolved CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
CREATE UNIQUE INDEX parked_payments_open
    ON evpower.parked_payments (topup_id, reason, coalesce(trans_id, '')) WHERE resolved_at IS NULL;

-- Money on its way back to a payer through the provider. It left the client's account when the row was made.
CREATE TABLE evpower.top_up_refunds (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topup_id      bigint NOT NULL REFERENCES public.balance_topups,
    trans_id      text NOT NULL,
    amount_tyiyn  bigint NOT NULL CHECK (amount_tyiyn > 0),
    -- The provider said this much was given back before we asked: more of it means that ours happened.
    before_tyiyn  bigint NOT NULL,
    state         text NOT NULL CHECK (state IN ('open', 'completed', 'returned')),
    asked_by      text NOT NULL,
    reason        text NOT NULL,
    created_at    timestamptz NOT NULL,
    -- Set once it may have reached the provider; from then on only the provider's own word ends it.
    sent_at       timestamptz,
    ended_at      timestamptz,
    error         text,
    next_check_at timestamptz,
    checks_done   int NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX top_up_refunds_one_open ON evpower.top_up_refunds (topup_id) WHERE state = 'open';
CREATE INDEX top_up_refunds_due ON evpower.top_up_refunds (next_check_at) WHERE state = 'open';

-- Who did what to a top-up; written in the unit of work of the change itself, and never changed.
CREATE TABLE evpower.payment_audit_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at  timestamptz NOT NULL,
    operation    text NOT NULL,
    source       text NOT NULL CHECK (source IN ('client', 'webhook', 'poll', 'sweep', 'forced', 'operator')),
    client_id    text,
    order_id     text,
    trans_id     text,
    provider     text,
    amount_tyiyn bigint,
    currency     text,
    phase_before text,
    phase_after  text,
    detail       text,
    card_mask    text,
    peer         text,
    request_id   text
);
CREATE INDEX payment_audit_log_order ON evpower.payment_audit_log (order_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evpower.payment_audit_log
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.payment_audit_log EXECUTE FUNCTION evpower.refuse_change();

CREATE INDEX ledger_entries_topup ON evpower.ledger_entries (balance_topup_id) WHERE balance_topup_id IS NOT NULL;

-- A key may have made a top-up instead of a session.
ALTER TABLE evpower.idempotency_keys ADD COLUMN order_id text;
