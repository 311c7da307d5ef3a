-- Figures that were not believed, one row for a transaction and a kind, and what a person decided of them.
CREATE TABLE evpower.doubts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    message         text NOT NULL,
    station_id      text NOT NULL REFERENCES public.stations (id),
    connector_id    integer NOT NULL,
    transaction_key bigint REFERENCES evpower.ocpp_transactions (id),
    session_id      text REFERENCES public.charging_sessions (id),
    figures         bigint NOT NULL DEFAULT 1,
    first_figure    bigint NOT NULL,
    latest_figure   bigint NOT NULL,
    bound           bigint NOT NULL,
    first_at        timestamptz NOT NULL,
    latest_at       timestamptz NOT NULL,
    detail          text,
    settled         text,
    settled_at      timestamptz,
    settled_by      text,
    settled_reason  text,
    CONSTRAINT doubts_kind CHECK (kind IN ('reading', 'start', 'restart', 'stop', 'power', 'clock', 'no_register',
                                           'settlement')),
    CONSTRAINT doubts_settled CHECK (settled IN ('billed', 'dismissed')),
    CONSTRAINT doubts_settled_whole CHECK ((settled IS NULL) = (settled_at IS NULL)),
    CONSTRAINT doubts_about CHECK (transaction_key IS NOT NULL OR session_id IS NOT NULL)
);
CREATE UNIQUE INDEX doubts_of_a_transaction ON evpower.doubts (transaction_key, kind);
CREATE UNIQUE INDEX doubts_of_a_settlement ON evpower.doubts (session_id) WHERE kind = 'settlement';
CREATE INDEX doubts_of_a_session ON evpower.doubts (session_id);
CREATE INDEX doubts_open ON evpower.doubts (first_at) WHERE settled_at IS NULL;
