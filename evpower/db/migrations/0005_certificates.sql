-- Certificates of stations: from the request, by the station CA's signature, to the charger's answer.

CREATE TABLE evpower.station_certificates (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id    text NOT NULL REFERENCES public.stations,
    state         text NOT NULL CHECK (state IN ('requested', 'signed', 'delivered', 'refused')),
    -- Why it was refused.
    reason        text,
    csr           text NOT NULL,
    common_name   text NOT NULL,
    -- PEM, the station's own certificate first; with what operators look at in the next columns.
    chain         text,
    serial_number text,
    fingerprint   text,
    not_before    timestamptz,
    not_after     timestamptz,
    requested_at  timestamptz NOT NULL,
    signed_at     timestamptz,
    ended_at      timestamptz,
    CHECK (state NOT IN ('signed', 'delivered') OR (chain IS NOT NULL AND not_after IS NOT NULL))
);
CREATE INDEX station_certificates_station ON evpower.station_certificates (station_id, id DESC);
-- A charger has one key in the making: a new request takes the place of the one before.
CREATE UNIQUE INDEX station_certificates_under_way ON evpower.station_certificates (station_id)
    WHERE state IN ('requested', 'signed');
