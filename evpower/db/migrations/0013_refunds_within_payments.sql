-- Whoever gives money back, and however many do at once: never more than was paid.
ALTER TABLE evpower.top_up_orders
    ADD CONSTRAINT top_up_orders_refunded_at_most_paid CHECK (refunded_tyiyn <= paid_tyiyn);
