-- The ledger's nightly checks (issue H §5): one row for each night, claimed by one process of several, and one for each
-- check that a person asked the server for. What is wrong is counted here and named in the log: no row names a client.
CREATE TABLE evpower.ledger_checks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: a person asked.
    night       date UNIQUE,
    -- A process that dies leaves it due again.
    lease_until timestamptz,
    began_at    timestamptz,
    ended_at    timestamptz,
    entries     bigint,
    -- Rows that contradict each other, by the invariant that they break.
    problems    jsonb,
    CONSTRAINT ledger_checks_end CHECK ((ended_at IS NULL) = (entries IS NULL) AND (ended_at IS NULL) = (problems IS NULL))
);
CREATE INDEX ledger_checks_ended ON evpower.ledger_checks (ended_at) WHERE ended_at IS NOT NULL;

-- What clients owe is read at every scrape; few of them owe anything.
CREATE INDEX clients_in_debt ON public.clients (debt_amount) WHERE debt_amount > 0;
