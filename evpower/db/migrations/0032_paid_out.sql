-- bank: money that came by bank transfer, negative, or was paid out by one: the balance of an account that ends.
ALTER TABLE evpower.ledger_postings DROP CONSTRAINT ledger_postings_account_check;
ALTER TABLE evpower.ledger_postings ADD CONSTRAINT ledger_postings_account_check
    CHECK (account IN ('client', 'held', 'revenue', 'receivable', 'adjustment', 'bank') OR account LIKE 'provider:_%');
