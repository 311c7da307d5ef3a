-- A station without a clock and with a register for each charge begins every charge with the same words: equal fields
-- make no repeat any more when the first charge is over (field rulings 2.1 and 2.2).
DROP INDEX evpower.ocpp_transactions_repeat;
CREATE INDEX ocpp_transactions_repeat
    ON evpower.ocpp_transactions (station_id, connector_id, meter_start_wh, lower(id_tag));

-- The deadline of a start counts only while we run and the station is connected: what of it has gone by, up to when that
-- was counted, and since when the station is here. `reopened_at`: it was released, and had begun all the same.
ALTER TABLE evpower.session_phases
    ADD COLUMN start_waited_s double precision NOT NULL DEFAULT 0,
    ADD COLUMN start_counted_at timestamptz,
    ADD COLUMN start_present_since timestamptz,
    ADD COLUMN reopened_at timestamptz;
