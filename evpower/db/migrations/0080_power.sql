-- Sites with a limit: a tree of groups, the connectors at its leaves, and what was granted (roadmap/smart-charging §1).
CREATE TABLE evpower.power_groups (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id       bigint REFERENCES evpower.power_groups,
    location_id     text NOT NULL REFERENCES public.locations,
    name            text NOT NULL,
    phases          int NOT NULL DEFAULT 3 CHECK (phases IN (1, 3)),
    -- One of the two: amperes in each phase, or kW of all.
    limit_a         numeric(7, 1) CHECK (limit_a >= 0),
    limit_kw        numeric(7, 1) CHECK (limit_kw >= 0),
    reserve_kw      numeric(7, 1) NOT NULL DEFAULT 0 CHECK (reserve_kw >= 0),
    failsafe_a      numeric(5, 1) NOT NULL DEFAULT 0 CHECK (failsafe_a >= 0),
    -- From outside: a grid operator, solar, a building's meter.
    outside_a       numeric(7, 1) CHECK (outside_a >= 0),
    outside_kw      numeric(7, 1) CHECK (outside_kw >= 0),
    outside_until   timestamptz,
    active          boolean NOT NULL DEFAULT true,
    -- The process that grants, and until when; of a group without a parent.
    owner           text,
    owner_until     timestamptz,
    created_at      timestamptz NOT NULL,
    CONSTRAINT power_groups_limit CHECK ((limit_a IS NULL) <> (limit_kw IS NULL)),
    CONSTRAINT power_groups_outside CHECK (num_nonnulls(outside_a, outside_kw) = num_nonnulls(outside_until)),
    CONSTRAINT power_groups_not_its_own_parent CHECK (parent_id <> id)
);
CREATE INDEX power_groups_parent ON evpower.power_groups (parent_id);
CREATE INDEX power_groups_location ON evpower.power_groups (location_id);

-- By the clock of Asia/Bishkek; over midnight when `until` is not after `since`.
CREATE TABLE evpower.power_schedules (
    group_id   bigint NOT NULL REFERENCES evpower.power_groups ON DELETE CASCADE,
    n          int NOT NULL,
    days       int[] NOT NULL CHECK (days <@ ARRAY[1, 2, 3, 4, 5, 6, 7] AND cardinality(days) > 0),
    since      time NOT NULL,
    until      time NOT NULL,
    limit_kw   numeric(7, 1) NOT NULL CHECK (limit_kw >= 0),
    PRIMARY KEY (group_id, n)
);

-- A connector has one group, so it is the key.
CREATE TABLE evpower.power_group_members (
    station_id         text NOT NULL,
    connector_id       int NOT NULL,
    group_id           bigint NOT NULL REFERENCES evpower.power_groups,
    phases             int NOT NULL DEFAULT 3 CHECK (phases IN (1, 3)),
    l1_is              int NOT NULL DEFAULT 1 CHECK (l1_is IN (1, 2, 3)),
    min_a              numeric(5, 1) NOT NULL DEFAULT 6 CHECK (min_a >= 0),
    max_a              numeric(5, 1) NOT NULL CHECK (max_a >= min_a),
    -- Direct current: commanded in kW.
    dc                 boolean NOT NULL DEFAULT false,
    priority           int NOT NULL DEFAULT 0,
    -- What the station has of its permanent profile, and the unit it takes limits in.
    failsafe_set_a     numeric(5, 1),
    failsafe_asked_at  timestamptz,
    rate_unit          text CHECK (rate_unit IN ('A', 'W')),
    -- It refuses limits, or draws more than it was granted: it counts what it can draw.
    uncontrolled       text CHECK (uncontrolled IN ('refuses', 'disobeys')),
    uncontrolled_since timestamptz,
    PRIMARY KEY (station_id, connector_id),
    FOREIGN KEY (station_id, connector_id) REFERENCES public.connectors (station_id, connector_number) ON DELETE CASCADE,
    CONSTRAINT power_group_members_uncontrolled CHECK ((uncontrolled IS NULL) = (uncontrolled_since IS NULL))
);
CREATE INDEX power_group_members_group ON evpower.power_group_members (group_id);

-- The evidence. What becomes of a grant is a row of its own, with the same `grant_id`: rows are only added.
CREATE TABLE evpower.power_grants (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grant_id     bigint NOT NULL,
    station_id   text NOT NULL,
    connector_id int NOT NULL,
    session_id   text REFERENCES public.charging_sessions,
    -- What the station calls the charge; NULL in the command that starts it.
    transaction  text,
    "limit"      numeric(7, 1) NOT NULL CHECK ("limit" >= 0),
    unit         text NOT NULL CHECK (unit IN ('A', 'kW')),
    -- The same as tenths of an ampere in each phase that it loads.
    current_da   int NOT NULL CHECK (current_da >= 0),
    granted_at   timestamptz NOT NULL,
    -- The last moment at which it may hold; NULL: a charge that has not begun may begin with it.
    lease_until  timestamptz,
    acked_at     timestamptz,
    state        text NOT NULL
                 CHECK (state IN ('sent', 'accepted', 'rejected', 'failed', 'timed_out', 'offline', 'over')),
    CONSTRAINT power_grants_step UNIQUE (grant_id, state),
    CONSTRAINT power_grants_acked CHECK ((acked_at IS NOT NULL) = (state = 'accepted'))
);
CREATE INDEX power_grants_socket ON evpower.power_grants (station_id, connector_id, id);
CREATE INDEX power_grants_session ON evpower.power_grants (session_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evpower.power_grants
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.power_grants EXECUTE FUNCTION evpower.refuse_change();

-- What a driver wishes (OCPI ChargingPreferences).
CREATE TABLE evpower.power_preferences (
    session_id     text PRIMARY KEY REFERENCES public.charging_sessions,
    profile_type   text NOT NULL CHECK (profile_type IN ('regular', 'fast', 'cheap', 'green')),
    departure_at   timestamptz,
    energy_need_wh bigint CHECK (energy_need_wh > 0),
    updated_at     timestamptz NOT NULL
);

-- A group once a minute, in tenths of an ampere of its fullest phase.
CREATE TABLE evpower.power_history (
    group_id    bigint NOT NULL REFERENCES evpower.power_groups ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    limit_da    int NOT NULL,
    granted_da  int NOT NULL,
    possible_da int NOT NULL,
    measured_da int NOT NULL,
    PRIMARY KEY (group_id, at)
);
