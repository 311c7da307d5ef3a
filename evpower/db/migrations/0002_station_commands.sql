-- What operators asked of chargers and what chargers hold: followed to its end, shown, and known after a restart.

-- The last known configuration of each charger; never its password.
CREATE TABLE evpower.ocpp_configuration (
    station_id      text NOT NULL REFERENCES public.stations,
    key             text NOT NULL,
    value           text,
    readonly        boolean NOT NULL,
    -- Written and accepted, but true only after the charger's next boot.
    reboot_required boolean NOT NULL DEFAULT false,
    known_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX ocpp_configuration_any_case ON evpower.ocpp_configuration (station_id, lower(key));

-- The availability last asked for; `Scheduled` waits for the end of a charge (duty 34).
CREATE TABLE evpower.ocpp_availability (
    station_id   text NOT NULL REFERENCES public.stations,
    connector_id int NOT NULL,
    wanted       text NOT NULL CHECK (wanted IN ('Operative', 'Inoperative')),
    state        text NOT NULL CHECK (state IN ('Scheduled', 'Done')),
    requested_at timestamptz NOT NULL,
    done_at      timestamptz,
    PRIMARY KEY (station_id, connector_id)
);

-- Uploads of diagnostics and logs, downloads of firmware, by the charger's own notifications.
CREATE TABLE evpower.ocpp_transfers (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id   text NOT NULL REFERENCES public.stations,
    kind         text NOT NULL CHECK (kind IN ('diagnostics', 'log', 'firmware', 'signed_firmware')),
    location     text,
    file_name    text,
    status       text NOT NULL,
    steps        jsonb NOT NULL DEFAULT '[]',
    requested_at timestamptz,
    status_at    timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX ocpp_transfers_station ON evpower.ocpp_transfers (station_id, kind, id);

-- The local authorization list a charger took last; version 0 means it may hold anything (duty 37).
CREATE TABLE evpower.ocpp_local_lists (
    station_id text PRIMARY KEY REFERENCES public.stations,
    version    int NOT NULL CHECK (version >= 0),
    entries    jsonb NOT NULL,
    synced_at  timestamptz NOT NULL
);

-- Connectors kept for a tag (duty 36); the id is OCPP's reservationId.
CREATE TABLE evpower.ocpp_reservations (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id    text NOT NULL REFERENCES public.stations,
    connector_id  int NOT NULL,
    id_tag        text NOT NULL,
    parent_id_tag text,
    expires_at    timestamptz NOT NULL,
    status        text NOT NULL CHECK (status IN ('Asked', 'Active', 'Used', 'Expired', 'Cancelled', 'Faulted',
                                                  'Unavailable', 'Refused')),
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz
);
CREATE INDEX ocpp_reservations_live ON evpower.ocpp_reservations (station_id) WHERE status IN ('Asked', 'Active');

-- Lasting charging profiles a charger accepted; the same purpose and level replaces (duty 35). TxProfiles die with
-- their transaction and are not kept.
CREATE TABLE evpower.ocpp_charging_profiles (
    station_id   text NOT NULL REFERENCES public.stations,
    connector_id int NOT NULL,
    profile_id   int NOT NULL,
    purpose      text NOT NULL,
    stack_level  int NOT NULL,
    profile      jsonb NOT NULL,
    set_at       timestamptz NOT NULL,
    PRIMARY KEY (station_id, connector_id, purpose, stack_level)
);
