-- Which process claimed a key: its answer is worth waiting for elsewhere as long as that process lives. NULL: not known.
ALTER TABLE evpower.idempotency_keys
    ADD COLUMN process_id text DEFAULT nullif(current_setting('evpower.process_id', true), '');
