-- What a charge looked like: readings die with their partitions, so a settlement keeps at most 120 points of them
-- (contract/roadmap/history-favorites-push §1).
CREATE TABLE evpower.session_curves (
    session_id   text PRIMARY KEY REFERENCES public.charging_sessions,
    -- [{t_s, power_w, energy_wh, soc_percent}], by t_s.
    points       jsonb NOT NULL,
    -- Between the registers where the energy began and ceased to rise.
    rising_s     int NOT NULL,
    max_power_w  int,
    drawn_at     timestamptz NOT NULL,
    -- By a correction, once.
    redrawn_at   timestamptz
);

-- The last number given in a year of the network's time zone. Settlements wait for each other at this row, so it is
-- taken last.
CREATE TABLE evpower.receipt_numbers (
    year int PRIMARY KEY,
    last int NOT NULL CHECK (last > 0)
);

-- Revision 1 is the receipt, each later one a correction that names it. What it says is frozen.
CREATE TABLE evpower.receipts (
    year          int NOT NULL REFERENCES evpower.receipt_numbers,
    serial        int NOT NULL CHECK (serial > 0),
    session_id    text NOT NULL REFERENCES public.charging_sessions,
    revision      smallint NOT NULL CHECK (revision > 0),
    issued_at     timestamptz NOT NULL,
    energy_wh     bigint NOT NULL,
    minutes       int NOT NULL,
    amount_tyiyn  bigint NOT NULL,
    -- Names, address, tariff, lines; null when it could not be written down, which must not hold up the money.
    content       jsonb,
    PRIMARY KEY (year, serial),
    UNIQUE (session_id, revision)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evpower.receipts
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.receipts EXECUTE FUNCTION evpower.refuse_change();
