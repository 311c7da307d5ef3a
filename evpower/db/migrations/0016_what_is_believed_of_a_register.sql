-- What a charge has counted is written when a report comes, by what its connector can deliver: the power it is rated for
-- (NULL: unknown), the register the running segment counts from (NULL: the start's), the energy of the segments before
-- it, and the last register of the one before, while the register may yet return to it.
ALTER TABLE evpower.ocpp_transactions
    ADD COLUMN rated_power_w bigint,
    ADD COLUMN meter_base_wh bigint,
    ADD COLUMN meter_carried_wh bigint NOT NULL DEFAULT 0,
    ADD COLUMN meter_before_wh bigint;

UPDATE evpower.ocpp_transactions t
SET rated_power_w = (SELECT round(1000 * coalesce(nullif(c.power_kw, 0), nullif(s.power_capacity, 0)))
                     FROM public.stations s
                     LEFT JOIN public.connectors c ON c.station_id = s.id AND c.connector_number = t.connector_id
                     WHERE s.id = t.station_id)
WHERE t.status = 'Started';

-- A stop register that was believed until now (a megawatt for the time and a minute) is the last one that counts.
UPDATE evpower.ocpp_transactions SET meter_last_wh = meter_stop_wh
WHERE meter_stop_wh >= meter_start_wh AND meter_stop_wh <> meter_last_wh
  AND 3600.0 * (meter_stop_wh - meter_start_wh) <= 1000800 * (60 + greatest(0,
      CASE WHEN stopped_at - started_at <= interval '2 days' THEN extract(epoch FROM stopped_at - started_at) END,
      extract(epoch FROM stop_received_at - received_at)));
