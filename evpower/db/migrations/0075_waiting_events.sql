-- A reading that comes in order asks whether its transaction has an event that waits. The answer is in the row it moves:
-- looked up among the events, it depended on the planner, who may read every event of the transaction for each reading.
ALTER TABLE evpower.station_transactions ADD COLUMN waiting integer NOT NULL DEFAULT 0 CHECK (waiting >= 0);
UPDATE evpower.station_transactions t SET waiting = w.events
FROM (SELECT station_id, wire_transaction_id, count(*) AS events FROM evpower.transaction_events
      WHERE applied_at IS NULL GROUP BY station_id, wire_transaction_id) w
WHERE w.station_id = t.station_id AND w.wire_transaction_id = t.wire_transaction_id;
