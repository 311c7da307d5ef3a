-- Firmware that a local controller hands out to the stations behind it (OCPP 2.0.1 L03).
ALTER TABLE evpower.ocpp_transfers DROP CONSTRAINT ocpp_transfers_kind_check;
ALTER TABLE evpower.ocpp_transfers ADD CONSTRAINT ocpp_transfers_kind_check
    CHECK (kind IN ('diagnostics', 'log', 'firmware', 'signed_firmware', 'published_firmware'));
