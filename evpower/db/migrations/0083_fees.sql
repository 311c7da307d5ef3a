-- fees: what was charged for a place that was kept, and not for energy: idle fees, reservations (roadmap/common).
ALTER TABLE evpower.ledger_postings DROP CONSTRAINT ledger_postings_account_check;
ALTER TABLE evpower.ledger_postings ADD CONSTRAINT ledger_postings_account_check
    CHECK (account IN ('client', 'held', 'revenue', 'receivable', 'adjustment', 'bank', 'fees')
           OR account LIKE 'provider:_%');
ALTER TABLE public.payment_transactions DROP CONSTRAINT payment_transactions_type_check;
ALTER TABLE public.payment_transactions ADD CONSTRAINT payment_transactions_type_check
    CHECK (type IN ('balance_topup', 'charge_reserve', 'charge_refund', 'charge_payment', 'admin_adjustment',
                    'topup_refund', 'idle_fee', 'reservation_hold', 'reservation_release', 'reservation_fee'));
