-- A reading of 2.0.1 moves its transaction's row and adds one of its own: neither may cost more than a reading of 1.6
-- needs. `last_event_at` changes with each, so it has no index, and pages have room for the row's next version; events
-- are dropped with their transaction by the statement that drops it.
DROP INDEX evpower.station_transactions_age;
ALTER TABLE evpower.station_transactions SET (fillfactor = 50);
ALTER TABLE evpower.transaction_events DROP CONSTRAINT transaction_events_station_id_wire_transaction_id_fkey;
