-- When the register that counts (`meter_last_wh`) was last confirmed, by the station's clock and by ours: a bill without
-- a stop lasts to then. Of charges that run now we know only when their last reading came.
ALTER TABLE evpower.ocpp_transactions
    ADD COLUMN meter_last_measured_at timestamptz,
    ADD COLUMN meter_last_received_at timestamptz;

UPDATE evpower.ocpp_transactions SET meter_last_received_at = last_sample_at
WHERE meter_stop_wh IS NULL AND last_sample_at IS NOT NULL;
