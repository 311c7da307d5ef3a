-- How starts go at each connector, and whether it is in doubt although it reports Available (health/reliability.py); the
-- worker writes a row when it changes, and lists read it.
CREATE TABLE evpower.connector_health (
    station_id       text NOT NULL REFERENCES public.stations (id) ON DELETE CASCADE,
    connector_number int NOT NULL,
    tried            int NOT NULL CHECK (tried BETWEEN 0 AND 20),
    worked           int NOT NULL CHECK (worked BETWEEN 0 AND tried),
    chance           double precision NOT NULL CHECK (chance BETWEEN 0 AND 1),
    doubt            text CHECK (doubt IN ('starts_fail', 'passed_over')),
    doubted_since    timestamptz,
    computed_at      timestamptz NOT NULL,
    PRIMARY KEY (station_id, connector_number),
    CONSTRAINT connector_health_doubted CHECK ((doubt IS NULL) = (doubted_since IS NULL))
);
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.connector_health FOR EACH ROW
    EXECUTE FUNCTION evpower.tell_station('station_id');
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.connector_health FOR EACH ROW
    WHEN (OLD.doubt IS DISTINCT FROM NEW.doubt) EXECUTE FUNCTION evpower.tell_station('station_id');

-- When a cable was in a connector and nothing charged yet; for a week. A start that failed with a cable in is not the
-- client's doing, and a cable that came and went without one is a sign too.
CREATE TABLE evpower.plug_ins (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id   text NOT NULL,
    connector_id int NOT NULL,
    plugged_at   timestamptz NOT NULL,
    left_at      timestamptz,
    left_to      text
);
CREATE INDEX plug_ins_station ON evpower.plug_ins (station_id, connector_id, id);
CREATE INDEX plug_ins_open ON evpower.plug_ins (station_id, connector_id) WHERE left_at IS NULL;
CREATE INDEX plug_ins_left ON evpower.plug_ins (left_at);

-- By our clock: a station's own may be wrong (field ruling 5.3).
CREATE FUNCTION evpower.keep_plug_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ocpp_status = 'Preparing' THEN
        UPDATE evpower.plug_ins SET left_at = NEW.updated_at, left_to = NEW.ocpp_status
        WHERE station_id = NEW.station_id AND connector_id = NEW.connector_number AND left_at IS NULL;
    ELSE
        INSERT INTO evpower.plug_ins (station_id, connector_id, plugged_at)
        VALUES (NEW.station_id, NEW.connector_number, NEW.updated_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_plug_in AFTER UPDATE ON public.connectors FOR EACH ROW
    WHEN (OLD.ocpp_status IS DISTINCT FROM NEW.ocpp_status
          AND (OLD.ocpp_status = 'Preparing' OR NEW.ocpp_status = 'Preparing'))
    EXECUTE FUNCTION evpower.keep_plug_in();
