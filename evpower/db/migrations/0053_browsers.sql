-- A browser on the operators' pages (contract/operator-pages §1) is one more sign-in of its person, with a cookie
-- instead of a refresh token: no use puts its end off, and it gives no token to other doors.
CREATE TABLE evpower.browser_cookies (
    -- SHA-256 of 256 random bits.
    digest     bytea PRIMARY KEY,
    sign_in_id text NOT NULL REFERENCES evpower.sign_ins ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX browser_cookies_sign_in ON evpower.browser_cookies (sign_in_id);

-- A link that signs one person in once, made on the server's machine.
CREATE TABLE evpower.sign_in_links (
    digest     bytea PRIMARY KEY,
    user_id    text NOT NULL REFERENCES public.users ON DELETE CASCADE,
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- What people of the staff did on the pages: once for each form, by its key. outcome NULL: it is not known (yet).
CREATE TABLE evpower.operator_acts (
    key        text PRIMARY KEY CHECK (length(key) BETWEEN 16 AND 64),
    acted_at   timestamptz NOT NULL,
    actor      text NOT NULL,
    act        text NOT NULL,
    target     text NOT NULL,
    detail     text,
    outcome    text,
    outcome_at timestamptz,
    CONSTRAINT operator_acts_outcome CHECK ((outcome IS NULL) = (outcome_at IS NULL))
);
CREATE INDEX operator_acts_at ON evpower.operator_acts (acted_at);

-- What was credited today, for the first screen.
CREATE INDEX ledger_entries_top_ups ON evpower.ledger_entries (created_at) WHERE balance_topup_id IS NOT NULL;
