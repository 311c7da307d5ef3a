-- When a station was last asked to stop a transaction, its register then, and how often: a stop that was asked is
-- repeated while the station goes on, by whichever process has it, and not more often than `charging.stop_repeat_s`.
ALTER TABLE evpower.ocpp_transactions
    ADD COLUMN stop_asked_at timestamptz,
    ADD COLUMN stop_asked_wh bigint,
    ADD COLUMN stops_asked int NOT NULL DEFAULT 0;
