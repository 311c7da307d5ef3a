-- A transaction of OCPP 2.0.1 bears no name that 1.6 could have given (`charging/transaction.py` MARK). Until now one did
-- unless a charge of 1.6 had it. Events that were counted for a charge of 1.6 stay where they are.
UPDATE evpower.ocpp_meter_values m SET wire_transaction_id = '2.0.1:' || m.wire_transaction_id
FROM evpower.ocpp_transactions o
WHERE o.station_id = m.station_id AND o.wire_transaction_id = m.wire_transaction_id AND o.ocpp_version = '2.0.1'
  AND m.wire_transaction_id ~ '^-?[0-9]+$';
UPDATE evpower.ocpp_transactions SET wire_transaction_id = '2.0.1:' || wire_transaction_id
WHERE ocpp_version = '2.0.1' AND wire_transaction_id ~ '^-?[0-9]+$';
UPDATE evpower.transaction_events e
SET wire_transaction_id = '2.0.1:' || wire_transaction_id, facts = regexp_replace(facts, '^\["', '["2.0.1:')
WHERE wire_transaction_id ~ '^-?[0-9]+$' AND NOT EXISTS (
    SELECT FROM evpower.ocpp_transactions o
    WHERE o.station_id = e.station_id AND o.wire_transaction_id = e.wire_transaction_id);
UPDATE evpower.station_transactions t SET wire_transaction_id = '2.0.1:' || wire_transaction_id
WHERE wire_transaction_id ~ '^-?[0-9]+$' AND NOT EXISTS (
    SELECT FROM evpower.ocpp_transactions o
    WHERE o.station_id = t.station_id AND o.wire_transaction_id = t.wire_transaction_id);
