-- The money page reads what was posted in a day or a month, and what lies on an account that charges pass through.
CREATE INDEX ledger_entries_created ON evpower.ledger_entries (created_at, id);
CREATE INDEX ledger_postings_open ON evpower.ledger_postings (account) INCLUDE (amount_tyiyn)
    WHERE account IN ('held', 'receivable');
