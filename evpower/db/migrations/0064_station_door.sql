-- What the station's page shows (operator-pages §4): where a socket comes from, and the last login that was refused.
ALTER TABLE evpower.charger_connections ADD COLUMN address text;

-- Of configured stations alone, one row each: any other name can be made up.
CREATE TABLE evpower.refused_logins (
    station_id text PRIMARY KEY REFERENCES public.stations ON DELETE CASCADE,
    address    text NOT NULL,
    reason     text NOT NULL,
    refused_at timestamptz NOT NULL,
    times      bigint NOT NULL DEFAULT 1
);

-- What a station answered to an act, or why it was refused: shown in the place where it was asked.
ALTER TABLE evpower.operator_acts ADD COLUMN answer text;
CREATE INDEX operator_acts_target ON evpower.operator_acts (target, acted_at);
