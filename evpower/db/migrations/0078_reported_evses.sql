-- The EVSEs that a station of OCPP 2.0.1 names in its inventory, NULL without one. They are compared with the configured
-- connectors, and make none (contract/ocpp201 §5).
ALTER TABLE evpower.ocpp_station_status ADD COLUMN reported_evses integer[];
DROP TRIGGER tell_change ON evpower.ocpp_station_status;
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.ocpp_station_status FOR EACH ROW
    WHEN (old.status IS DISTINCT FROM new.status OR old.reported_evses IS DISTINCT FROM new.reported_evses)
    EXECUTE FUNCTION evpower.tell_station('station_id');
