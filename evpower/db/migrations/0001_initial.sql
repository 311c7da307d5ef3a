-- Schema `public`: what the app and the operators' SQL read (contract/data-model.md). Names and types are a contract.
-- Schema `evpower`: everything private. Money: numeric(12,2) som in public, bigint tyiyn in the ledger. Energy: numeric kWh.
-- Defaults call now() for rows that people insert by hand; the application always passes its own times.

CREATE SCHEMA IF NOT EXISTS evpower;

-- ---------------------------------------------------------------------------------------------------- people
CREATE TABLE public.clients (
    id                  text PRIMARY KEY,
    name                text,
    phone               text,
    email               text,
    balance             numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT clients_balance_not_negative CHECK (balance >= 0),
    debt_amount         numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT clients_debt_not_negative CHECK (debt_amount >= 0),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'blocked')),
    delete_requested_at timestamptz,
    deleted_at          timestamptz,
    anonymized          boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clients_phone ON public.clients (phone);

CREATE TABLE public.users (
    id         text PRIMARY KEY,
    email      text,
    phone      text,
    role       text NOT NULL CHECK (role IN ('operator', 'admin', 'superadmin')),
    is_active  boolean NOT NULL DEFAULT true,
    admin_id   text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- --------------------------------------------------------------------------------------------------- tariffs
CREATE TABLE public.tariff_plans (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    description text,
    is_default  boolean NOT NULL DEFAULT false,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.tariff_rules (
    id                   text PRIMARY KEY,
    tariff_plan_id       text NOT NULL REFERENCES public.tariff_plans,
    name                 text NOT NULL,
    description          text,
    tariff_type          text NOT NULL CHECK (tariff_type IN ('per_kwh', 'per_minute', 'session_fee', 'parking_fee')),
    connector_type       text NOT NULL DEFAULT 'ALL',
    power_range_min      double precision NOT NULL DEFAULT 0,
    power_range_max      double precision NOT NULL DEFAULT 1000,
    price                numeric NOT NULL CHECK (price >= 0),
    currency             text NOT NULL DEFAULT 'KGS',
    time_start           time,
    time_end             time,
    days_of_week         int[],
    is_weekend           boolean,
    priority             int NOT NULL DEFAULT 0,
    is_active            boolean NOT NULL DEFAULT true,
    valid_from           date,
    valid_until          date,
    min_duration_minutes int,
    max_duration_minutes int,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tariff_rules_plan ON public.tariff_rules (tariff_plan_id);

CREATE TABLE public.client_tariffs (
    id                    text PRIMARY KEY,
    client_id             text NOT NULL REFERENCES public.clients,
    tariff_plan_id        text REFERENCES public.tariff_plans,
    discount_percent      numeric NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    fixed_rate_per_kwh    numeric CHECK (fixed_rate_per_kwh >= 0),
    fixed_rate_per_minute numeric CHECK (fixed_rate_per_minute >= 0),
    session_fee           numeric CHECK (session_fee >= 0),
    valid_from            timestamptz NOT NULL DEFAULT now(),
    valid_until           timestamptz,
    is_active             boolean NOT NULL DEFAULT true,
    description           text,
    created_at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX client_tariffs_client ON public.client_tariffs (client_id);

-- --------------------------------------------------------------------------------------------------- network
CREATE TABLE public.locations (
    id               text PRIMARY KEY,
    name             text NOT NULL,
    address          text NOT NULL,
    city             text,
    country          text,
    latitude         double precision,
    longitude        double precision,
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'maintenance')),
    stations_count   int NOT NULL DEFAULT 0,
    connectors_count int NOT NULL DEFAULT 0,
    user_id          text,
    admin_id         text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.stations (
    id                 text PRIMARY KEY,
    serial_number      text NOT NULL UNIQUE,
    model              text NOT NULL DEFAULT '',
    manufacturer       text NOT NULL DEFAULT '',
    location_id        text NOT NULL REFERENCES public.locations,
    power_capacity     double precision NOT NULL DEFAULT 0,
    connector_types    text[] NOT NULL DEFAULT '{}',
    connectors_count   int NOT NULL DEFAULT 0,
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'maintenance')),
    is_available       boolean NOT NULL DEFAULT false,
    last_heartbeat_at  timestamptz,
    tariff_plan_id     text REFERENCES public.tariff_plans,
    price_per_kwh      numeric CHECK (price_per_kwh >= 0),
    session_fee        numeric NOT NULL DEFAULT 0 CHECK (session_fee >= 0),
    currency           text NOT NULL DEFAULT 'KGS',
    firmware_version   text,
    installation_date  date,
    user_id            text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stations_location ON public.stations (location_id);

CREATE TABLE public.connectors (
    id                 text PRIMARY KEY,
    station_id         text NOT NULL REFERENCES public.stations,
    connector_number   int NOT NULL CHECK (connector_number > 0),
    connector_type     text NOT NULL DEFAULT '',
    power_kw           double precision,
    status             text NOT NULL DEFAULT 'unavailable'
                       CHECK (status IN ('available', 'occupied', 'faulted', 'unavailable')),
    ocpp_status        text,
    error_code         text NOT NULL DEFAULT 'NoError',
    last_status_update timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (station_id, connector_number)
);

-- -------------------------------------------------------------------------------------------------- sessions
CREATE TABLE public.charging_sessions (
    id                 text PRIMARY KEY,
    user_id            text NOT NULL REFERENCES public.clients,
    station_id         text NOT NULL REFERENCES public.stations,
    connector_id       int NOT NULL,
    start_time         timestamptz NOT NULL DEFAULT now(),
    stop_time          timestamptz,
    status             text NOT NULL DEFAULT 'started' CHECK (status IN ('started', 'stopped', 'error')),
    energy             numeric(12, 3),
    amount             numeric(12, 2),
    reserved_amount    numeric(12, 2) NOT NULL DEFAULT 0,
    refunded_amount    numeric(12, 2) NOT NULL DEFAULT 0,
    additional_charge  numeric(12, 2) NOT NULL DEFAULT 0,
    debt_amount        numeric(12, 2) NOT NULL DEFAULT 0,
    limit_type         text NOT NULL DEFAULT 'none' CHECK (limit_type IN ('none', 'energy', 'amount')),
    limit_value        numeric(12, 3),
    amount_cap         numeric(12, 2),
    rate_per_kwh       numeric NOT NULL DEFAULT 13.5,
    rate_per_minute    numeric NOT NULL DEFAULT 0,
    session_fee        numeric NOT NULL DEFAULT 0,
    pricing_history_id bigint,
    transaction_id     text,
    settled_at         timestamptz,
    stop_reason        text,
    id_tag             text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX charging_sessions_one_running
    ON public.charging_sessions (station_id, connector_id) WHERE status = 'started';
CREATE INDEX charging_sessions_client ON public.charging_sessions (user_id, created_at DESC);
CREATE INDEX charging_sessions_start ON public.charging_sessions (start_time);

-- The finer phase of a session, which the app never sees (design §4).
CREATE TABLE evpower.session_phases (
    session_id          text PRIMARY KEY REFERENCES public.charging_sessions,
    phase               text NOT NULL CHECK (phase IN
                            ('reserved', 'starting', 'charging', 'stopping', 'ended', 'settled', 'released')),
    phase_at            timestamptz NOT NULL,
    stop_requested_at   timestamptz,
    rebooted_at         timestamptz,
    estimated           boolean NOT NULL DEFAULT false,
    corrected_at        timestamptz,
    unbilled_wh         bigint NOT NULL DEFAULT 0,
    unbilled_tyiyn      bigint NOT NULL DEFAULT 0,
    overshoot_wh        bigint
);
CREATE INDEX session_phases_open ON evpower.session_phases (phase) WHERE phase NOT IN ('settled', 'released');

CREATE TABLE public.pricing_history (
    id                     bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    session_id             text,
    station_id             text NOT NULL,
    tariff_plan_id         text,
    rule_id                text,
    calculation_time       timestamptz NOT NULL,
    rate_per_kwh           numeric NOT NULL,
    rate_per_minute        numeric NOT NULL DEFAULT 0,
    session_fee            numeric NOT NULL DEFAULT 0,
    parking_fee_per_minute numeric NOT NULL DEFAULT 0,
    currency               text NOT NULL DEFAULT 'KGS',
    rule_name              text,
    rule_details           jsonb
);
CREATE INDEX pricing_history_session ON public.pricing_history (session_id);

-- ----------------------------------------------------------------------------------------------------- money
CREATE TABLE public.balance_topups (
    id                   bigserial PRIMARY KEY,
    invoice_id           text NOT NULL UNIQUE,
    order_id             text NOT NULL UNIQUE,
    merchant_id          text,
    client_id            text NOT NULL REFERENCES public.clients,
    requested_amount     numeric(12, 2) NOT NULL,
    paid_amount          numeric(12, 2),
    currency             text NOT NULL DEFAULT 'KGS',
    status               text NOT NULL DEFAULT 'processing'
                         CHECK (status IN ('processing', 'approved', 'canceled', 'refunded', 'partial_refund')),
    odengi_status        int NOT NULL DEFAULT 0,
    payment_provider     text NOT NULL,
    description          text,
    qr_code_url          text,
    app_link             text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    paid_at              timestamptz,
    completed_at         timestamptz,
    qr_expires_at        timestamptz,
    invoice_expires_at   timestamptz,
    last_status_check_at timestamptz,
    status_check_count   int NOT NULL DEFAULT 0,
    needs_status_check   boolean NOT NULL DEFAULT true,
    last_webhook_at      timestamptz,
    webhook_count        int NOT NULL DEFAULT 0
);
CREATE INDEX balance_topups_client ON public.balance_topups (client_id, created_at DESC);

-- The client account's statement. Written by the ledger (see evpower.write_statement) and by nobody else.
CREATE TABLE public.payment_transactions (
    id                  bigserial PRIMARY KEY,
    client_id           text NOT NULL REFERENCES public.clients,
    type                text NOT NULL CHECK (type IN ('balance_topup', 'charge_reserve', 'charge_refund',
                                                      'charge_payment', 'admin_adjustment', 'topup_refund')),
    transaction_type    text GENERATED ALWAYS AS (type) STORED,
    amount              numeric(12, 2) NOT NULL,
    balance_before      numeric(12, 2) NOT NULL,
    balance_after       numeric(12, 2) NOT NULL,
    currency            text NOT NULL DEFAULT 'KGS',
    description         text,
    balance_topup_id    bigint,
    charging_session_id text REFERENCES public.charging_sessions,
    created_at          timestamptz NOT NULL DEFAULT now(),
    -- The app's embedding hint names this constraint.
    CONSTRAINT payment_transactions_odengi_balance_topup_id_fkey
        FOREIGN KEY (balance_topup_id) REFERENCES public.balance_topups,
    CONSTRAINT payment_transactions_chain CHECK (balance_after = balance_before + amount)
);
CREATE INDEX payment_transactions_client ON public.payment_transactions (client_id, created_at, id);
CREATE INDEX payment_transactions_session ON public.payment_transactions (charging_session_id);

CREATE VIEW public.payment_transactions_odengi WITH (security_invoker = true) AS
    SELECT id, client_id, type, transaction_type, amount, balance_before, balance_after, currency, description,
           balance_topup_id, charging_session_id, created_at
    FROM public.payment_transactions;

CREATE TABLE public.user_favorites (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     text NOT NULL REFERENCES public.clients ON DELETE CASCADE,
    location_id text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, location_id)
);

-- Double entry: an entry has postings that sum to zero; both are only ever added (design §5).
--   client      what we owe a client, positive; its running total is clients.balance
--   held        money reserved by a running session
--   revenue     sold energy            receivable  debt, negative         provider:<name>  money received, negative
--   adjustment  the other side of an operator's correction, opening balances included
CREATE TABLE evpower.ledger_entries (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             text NOT NULL,
    key              text NOT NULL CONSTRAINT ledger_entries_once UNIQUE,
    session_id       text REFERENCES public.charging_sessions,
    balance_topup_id bigint REFERENCES public.balance_topups,
    actor            text NOT NULL,
    description      text,
    created_at       timestamptz NOT NULL
);
CREATE INDEX ledger_entries_session ON evpower.ledger_entries (session_id);

CREATE TABLE evpower.ledger_postings (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id       bigint NOT NULL REFERENCES evpower.ledger_entries,
    account        text NOT NULL CHECK (account IN ('client', 'held', 'revenue', 'receivable', 'adjustment')
                                        OR account LIKE 'provider:_%'),
    client_id      text REFERENCES public.clients,
    amount_tyiyn   bigint NOT NULL CHECK (amount_tyiyn <> 0),
    statement_type text,
    CONSTRAINT ledger_postings_names_client CHECK (client_id IS NOT NULL OR account NOT IN ('client', 'receivable')),
    CONSTRAINT ledger_postings_statement CHECK ((account = 'client') = (statement_type IS NOT NULL))
);
CREATE INDEX ledger_postings_entry ON evpower.ledger_postings (entry_id);
CREATE INDEX ledger_postings_client ON evpower.ledger_postings (client_id, account);

CREATE FUNCTION evpower.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evpower.ledger_entries
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evpower.ledger_postings
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.payment_transactions
    FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.ledger_entries EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.ledger_postings EXECUTE FUNCTION evpower.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.payment_transactions EXECUTE FUNCTION evpower.refuse_change();

CREATE FUNCTION evpower.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                       ELSE (to_jsonb(NEW) ->> 'entry_id')::bigint END;
    total numeric;
    postings int;
BEGIN
    SELECT coalesce(sum(amount_tyiyn), 0), count(*) INTO total, postings
    FROM evpower.ledger_postings WHERE entry_id = entry;
    IF postings < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'ledger entry % is not balanced: % postings sum to %', entry, postings, total
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON evpower.ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evpower.refuse_unbalanced();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON evpower.ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evpower.refuse_unbalanced();

-- A posting on a client's account moves the running total and writes the statement row: one place, one unit of work.
-- The balance's CHECK refuses free money below zero; the row lock makes the chain of one client strictly ordered.
CREATE FUNCTION evpower.write_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry evpower.ledger_entries%ROWTYPE;
    after_som numeric;
    latest timestamptz;
    amount_som numeric := NEW.amount_tyiyn::numeric / 100;
BEGIN
    SELECT * INTO entry FROM evpower.ledger_entries WHERE id = NEW.entry_id;
    IF NEW.account = 'receivable' THEN
        UPDATE public.clients SET debt_amount = debt_amount - amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id;
        RETURN NULL;
    END IF;
    UPDATE public.clients SET balance = balance + amount_som, updated_at = entry.created_at
    WHERE id = NEW.client_id RETURNING balance INTO after_som;
    -- Readers order by (created_at, id): whoever waited for the row lock does not step behind who came first.
    SELECT max(created_at) INTO latest FROM public.payment_transactions WHERE client_id = NEW.client_id;
    INSERT INTO public.payment_transactions
        (client_id, type, amount, balance_before, balance_after, description,
         balance_topup_id, charging_session_id, created_at)
    VALUES (NEW.client_id, NEW.statement_type, amount_som, after_som - amount_som, after_som, entry.description,
            entry.balance_topup_id, entry.session_id, greatest(entry.created_at, latest));
    RETURN NULL;
END $$;
CREATE TRIGGER statement AFTER INSERT ON evpower.ledger_postings
    FOR EACH ROW WHEN (NEW.account IN ('client', 'receivable')) EXECUTE FUNCTION evpower.write_statement();

-- A key is stored in the unit of work of its effect; the answer may follow, or be rebuilt from the session (design §9.7).
CREATE TABLE evpower.idempotency_keys (
    client_id   text NOT NULL,
    key         text NOT NULL,
    method      text NOT NULL,
    path        text NOT NULL,
    body_hash   text NOT NULL,
    session_id  text,
    status_code int,
    response    json,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (client_id, key)
);
CREATE INDEX idempotency_keys_age ON evpower.idempotency_keys (created_at);

-- ------------------------------------------------------------------------------------------------------ OCPP
CREATE TABLE evpower.station_credentials (
    station_id    text PRIMARY KEY REFERENCES public.stations,
    password_hash text NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- What the charger says of itself (connector 0 and its boot); a row exists once it spoke.
CREATE TABLE evpower.ocpp_station_status (
    station_id        text PRIMARY KEY REFERENCES public.stations,
    status            text,
    error_code        text,
    info              text,
    vendor_id         text,
    vendor_error_code text,
    status_at         timestamptz,
    vendor            text,
    model             text,
    firmware_version  text,
    booted_at         timestamptz
);

CREATE TABLE evpower.ocpp_authorization (
    id_tag        text PRIMARY KEY,
    tag_type      text,
    parent_id_tag text,
    expiry_date   timestamptz,
    status        text NOT NULL DEFAULT 'Accepted'
                  CHECK (status IN ('Accepted', 'Blocked', 'Expired', 'Invalid')),
    client_id     text REFERENCES public.clients,
    -- A tag made for one start counts only for that live reservation (design §9.10).
    session_id    text REFERENCES public.charging_sessions,
    created_at    timestamptz NOT NULL,
    CHECK (length(id_tag) BETWEEN 1 AND 36)
);
CREATE UNIQUE INDEX ocpp_authorization_any_case ON evpower.ocpp_authorization (lower(id_tag));

CREATE TABLE evpower.ocpp_transactions (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id          text NOT NULL REFERENCES public.stations,
    wire_transaction_id text NOT NULL,
    evse_id             int,
    connector_id        int NOT NULL,
    remote_start_id     int,
    id_tag              text NOT NULL,
    verdict             text NOT NULL,
    meter_start_wh      bigint NOT NULL,
    meter_last_wh       bigint NOT NULL,
    meter_stop_wh       bigint,
    power_w             double precision,
    current_a           double precision,
    voltage_v           double precision,
    soc_percent         double precision,
    temperature_c       double precision,
    last_sample_at      timestamptz,
    started_at          timestamptz NOT NULL,
    stopped_at          timestamptz,
    received_at         timestamptz NOT NULL,
    stop_received_at    timestamptz,
    stop_reason         text,
    charging_session_id text REFERENCES public.charging_sessions,
    status              text NOT NULL DEFAULT 'Started' CHECK (status IN ('Started', 'Stopped')),
    flags               text[] NOT NULL DEFAULT '{}',
    start_payload       json,
    stop_payload        json,
    UNIQUE (station_id, wire_transaction_id)
);
-- The same StartTransaction sent again is the same transaction (duty 21).
CREATE UNIQUE INDEX ocpp_transactions_repeat
    ON evpower.ocpp_transactions (station_id, connector_id, lower(id_tag), started_at, meter_start_wh);
CREATE INDEX ocpp_transactions_session ON evpower.ocpp_transactions (charging_session_id);
CREATE INDEX ocpp_transactions_running ON evpower.ocpp_transactions (station_id, connector_id) WHERE status = 'Started';
-- OCPP 1.6 transaction ids: positive 32-bit integers (duty 22).
CREATE SEQUENCE evpower.ocpp16_transaction_ids AS int MINVALUE 1;

-- Stops (and other reports) that match nothing, kept with all their data for a person (duty 23).
CREATE TABLE evpower.ocpp_parked (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id  text NOT NULL,
    action      text NOT NULL,
    reason      text NOT NULL,
    payload     json NOT NULL,
    received_at timestamptz NOT NULL
);

-- Partitioned by time: old days are dropped whole (design §9.14). The default partition takes what has no day yet.
CREATE TABLE evpower.ocpp_meter_values (
    station_id          text NOT NULL,
    connector_id        int NOT NULL,
    wire_transaction_id text,
    measured_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    energy_wh           bigint,
    power_w             double precision,
    current_a           double precision,
    voltage_v           double precision,
    soc_percent         double precision,
    temperature_c       double precision,
    sampled_values      json NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE evpower.ocpp_meter_values_default PARTITION OF evpower.ocpp_meter_values DEFAULT;
CREATE INDEX ocpp_meter_values_transaction
    ON evpower.ocpp_meter_values (station_id, wire_transaction_id, received_at);

CREATE TABLE evpower.ocpp_frames (
    station_id  text NOT NULL,
    direction   text NOT NULL CHECK (direction IN ('in', 'out')),
    frame       text NOT NULL,
    recorded_at timestamptz NOT NULL
) PARTITION BY RANGE (recorded_at);
CREATE TABLE evpower.ocpp_frames_default PARTITION OF evpower.ocpp_frames DEFAULT;
CREATE INDEX ocpp_frames_station ON evpower.ocpp_frames (station_id, recorded_at);

-- --------------------------------------------------------------------------------------------- row security
-- The owner (the server) is not subject to it; the policies for Supabase's roles are in row_security.sql.
ALTER TABLE public.clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tariff_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tariff_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.client_tariffs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.stations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.connectors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.charging_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pricing_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.balance_topups ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.payment_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_favorites ENABLE ROW LEVEL SECURITY;
