-- Connectors that are kept for a client, and what that costs (roadmap/reservations).
ALTER TABLE public.tariff_rules DROP CONSTRAINT tariff_rules_tariff_type_check;
ALTER TABLE public.tariff_rules ADD CONSTRAINT tariff_rules_tariff_type_check
    CHECK (tariff_type IN ('per_kwh', 'per_minute', 'session_fee', 'parking_fee', 'reservation_per_minute',
                           'no_show_fee'));

CREATE TABLE evpower.reservations (
    id                text PRIMARY KEY,
    -- OCPP's reservationId: of the same numbers as those that operators make at stations.
    wire_id           int NOT NULL UNIQUE,
    client_id         text NOT NULL REFERENCES public.clients,
    station_id        text NOT NULL REFERENCES public.stations,
    connector_id      int NOT NULL CHECK (connector_id >= 1),
    -- One integer for each connector: btree_gist, which would compare texts, is an extension.
    socket            bigint NOT NULL GENERATED ALWAYS AS (hashtextextended(station_id, connector_id)) STORED,
    -- Any connector of the station would do.
    any_connector     boolean NOT NULL,
    status            text NOT NULL CHECK (status IN ('pending', 'reserved', 'fulfilled', 'canceled', 'no_show',
                                                      'rejected', 'failed')),
    scheduled         boolean NOT NULL,
    minutes           int NOT NULL CHECK (minutes BETWEEN 1 AND 120),
    created_at        timestamptz NOT NULL,
    -- From when nobody else may begin there; a scheduled one's is before its start.
    blocks_from       timestamptz NOT NULL,
    starts_at         timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    free_cancel_until timestamptz NOT NULL,
    -- It keeps the connector from others now: what the public is shown.
    is_blocking       boolean NOT NULL DEFAULT false,
    -- The prices when it was made, in som.
    per_minute        numeric NOT NULL CHECK (per_minute >= 0),
    no_show_fee       numeric NOT NULL CHECK (no_show_fee >= 0),
    hold_tyiyn        bigint NOT NULL CHECK (hold_tyiyn >= 0),
    -- With the end.
    fee_tyiyn         bigint CHECK (fee_tyiyn BETWEEN 0 AND hold_tyiyn),
    ended_at          timestamptz,
    canceled_by       text CHECK (canceled_by IN ('driver', 'operator', 'system')),
    reason            text,
    ended_by          text,
    session_id        text REFERENCES public.charging_sessions DEFERRABLE INITIALLY DEFERRED,
    -- The fee went back: its charge never began, by the station's fault.
    returned_at       timestamptz,
    -- The station keeps the connector for it too, or will.
    guaranteed        boolean NOT NULL,
    id_tag            text,
    -- What the station may have of it: nothing, an order whose answer is not known, it, or something to take back.
    at_station        text NOT NULL DEFAULT 'nothing' CHECK (at_station IN ('nothing', 'asked', 'kept', 'to_end')),
    asked_at          timestamptz,
    extended_at       timestamptz,
    warned_at         timestamptz,
    -- What is to be done next, and by whom it is being done.
    due_at            timestamptz,
    lease_until       timestamptz,
    CONSTRAINT reservations_end CHECK ((status IN ('pending', 'reserved')) = (ended_at IS NULL)
                                       AND (ended_at IS NULL) = (fee_tyiyn IS NULL)),
    CONSTRAINT reservations_canceled CHECK ((status = 'canceled') = (canceled_by IS NOT NULL)),
    CONSTRAINT reservations_times CHECK (blocks_from <= starts_at AND starts_at < expires_at),
    CONSTRAINT reservations_do_not_overlap EXCLUDE USING gist (
        int8range(socket, socket, '[]') WITH &&, tstzrange(blocks_from, expires_at) WITH &&)
        WHERE (status IN ('pending', 'reserved'))
);
CREATE UNIQUE INDEX reservations_one_active ON evpower.reservations (client_id) WHERE status IN ('pending', 'reserved');
CREATE INDEX reservations_client ON evpower.reservations (client_id, created_at DESC);
CREATE INDEX reservations_due ON evpower.reservations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX reservations_blocking ON evpower.reservations (station_id, connector_id) WHERE is_blocking;
CREATE INDEX reservations_session ON evpower.reservations (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX reservations_created ON evpower.reservations (created_at);
