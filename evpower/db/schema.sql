-- tables

TABLE evpower.account_deletions (
    client_id text NOT NULL,
    status_before text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    restorable_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    erased_at timestamp with time zone
)
TABLE evpower.attention_marks (
    key text NOT NULL,
    mine_of text,
    mine_at timestamp with time zone,
    snoozed_by text,
    snoozed_until timestamp with time zone
)
TABLE evpower.attention_notes (
    key text NOT NULL,
    note text NOT NULL,
    noted_by text NOT NULL,
    noted_at timestamp with time zone NOT NULL
)
TABLE evpower.attention_over (
    key text NOT NULL,
    item jsonb NOT NULL,
    mine_of text,
    seen_at timestamp with time zone NOT NULL,
    over_at timestamp with time zone NOT NULL
)
TABLE evpower.availability_hours (
    location_id text NOT NULL,
    connector_type text NOT NULL,
    hour_start timestamp with time zone NOT NULL,
    observed_s integer NOT NULL,
    free_s integer NOT NULL,
    arrivals integer NOT NULL
)
TABLE evpower.browser_cookies (
    digest bytea NOT NULL,
    sign_in_id text NOT NULL,
    expires_at timestamp with time zone NOT NULL
)
TABLE evpower.charger_commands (
    id text NOT NULL,
    station_id text NOT NULL,
    asked_by text NOT NULL,
    process_id text NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    deadline timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    result text
)
TABLE evpower.charger_connections (
    station_id text NOT NULL,
    process_id text NOT NULL,
    connected_at timestamp with time zone NOT NULL,
    address text
)
TABLE evpower.client_merges (
    old_id text NOT NULL,
    into_id text NOT NULL,
    balance_tyiyn bigint NOT NULL,
    debt_tyiyn bigint NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    merged_at timestamp with time zone NOT NULL
)
TABLE evpower.client_profiles (
    client_id text NOT NULL,
    birthday date NOT NULL,
    updated_at timestamp with time zone NOT NULL
)
TABLE evpower.connector_evses (
    station_id text NOT NULL,
    connector_number integer NOT NULL,
    evse_id integer NOT NULL,
    evse_connector integer NOT NULL DEFAULT 1,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
)
TABLE evpower.connector_faults (
    station_id text NOT NULL,
    connector_number integer NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    vendor_id text,
    code text,
    info text
)
TABLE evpower.connector_health (
    station_id text NOT NULL,
    connector_number integer NOT NULL,
    tried integer NOT NULL,
    worked integer NOT NULL,
    chance double precision NOT NULL,
    doubt text,
    doubted_since timestamp with time zone,
    computed_at timestamp with time zone NOT NULL
)
TABLE evpower.cursor_keys (
    one boolean NOT NULL DEFAULT true,
    key bytea NOT NULL
)
TABLE evpower.device_events (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    seq_no integer NOT NULL,
    is_last boolean NOT NULL,
    is_whole boolean NOT NULL,
    grave boolean NOT NULL,
    generated_at timestamp with time zone NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    event_id integer NOT NULL,
    trigger text NOT NULL,
    notification text NOT NULL,
    component text NOT NULL,
    component_instance text NOT NULL,
    evse_id integer NOT NULL,
    connector_id integer NOT NULL,
    variable text NOT NULL,
    variable_instance text NOT NULL,
    actual_value text NOT NULL,
    cause integer,
    monitor_id integer,
    transaction_id text,
    tech_code text,
    tech_info text,
    cleared boolean
)
TABLE evpower.device_inventories (
    station_id text NOT NULL,
    request_id integer NOT NULL,
    firmware_version text,
    asked_at timestamp with time zone NOT NULL,
    reported_at timestamp with time zone
)
TABLE evpower.device_monitors (
    station_id text NOT NULL,
    monitor_id integer NOT NULL,
    variable text NOT NULL,
    severity integer NOT NULL,
    reported_at timestamp with time zone NOT NULL
)
TABLE evpower.device_variables (
    station_id text NOT NULL,
    component text NOT NULL,
    component_instance text NOT NULL,
    evse_id integer NOT NULL,
    connector_id integer NOT NULL,
    variable text NOT NULL,
    variable_instance text NOT NULL,
    attribute text NOT NULL,
    value text,
    mutability text,
    persistent boolean NOT NULL,
    reported_at timestamp with time zone NOT NULL
)
TABLE evpower.displaced_phones (
    client_id text NOT NULL,
    phone text NOT NULL,
    reason text NOT NULL,
    displaced_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE evpower.doubts (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    message text NOT NULL,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    transaction_key bigint,
    session_id text,
    figures bigint NOT NULL DEFAULT 1,
    first_figure bigint NOT NULL,
    latest_figure bigint NOT NULL,
    bound bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    latest_at timestamp with time zone NOT NULL,
    detail text,
    settled text,
    settled_at timestamp with time zone,
    settled_by text,
    settled_reason text
)
TABLE evpower.favorite_watches (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    client_id text NOT NULL,
    location_id text NOT NULL,
    connector_type text,
    created_at timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL
)
TABLE evpower.forecast_cells (
    location_id text NOT NULL,
    connector_type text NOT NULL,
    weights real[] NOT NULL,
    free real[] NOT NULL,
    arrivals integer[] NOT NULL,
    hours integer NOT NULL,
    connectors integer NOT NULL
)
TABLE evpower.forecast_reliability (
    day date NOT NULL,
    horizon_min integer NOT NULL,
    twentieths integer NOT NULL,
    n integer NOT NULL,
    free integer NOT NULL
)
TABLE evpower.forecast_scores (
    day date NOT NULL,
    horizon_min integer NOT NULL,
    method text NOT NULL,
    n integer NOT NULL,
    squared double precision NOT NULL
)
TABLE evpower.forecast_watermark (
    one boolean NOT NULL DEFAULT true,
    began_at timestamp with time zone NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    hours_until timestamp with time zone NOT NULL,
    cells_of date,
    scoring_until timestamp with time zone
)
TABLE evpower.free_times (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    connector_number integer NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
)
TABLE evpower.idempotency_keys (
    client_id text NOT NULL,
    key text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    body_hash text NOT NULL,
    session_id text,
    status_code integer,
    response json,
    created_at timestamp with time zone NOT NULL,
    order_id text,
    process_id text DEFAULT NULLIF(current_setting('evpower.process_id'::text, true), ''::text)
)
TABLE evpower.idle_fees (
    session_id text NOT NULL,
    rate_per_minute numeric NOT NULL,
    grace_minutes integer NOT NULL,
    cap_tyiyn bigint NOT NULL,
    only_above_occupancy integer,
    quiet_from time without time zone,
    quiet_until time without time zone,
    notice integer,
    notices integer NOT NULL DEFAULT 0,
    looked_at timestamp with time zone,
    waited_until timestamp with time zone,
    ended_at timestamp with time zone,
    minutes integer,
    fee_tyiyn bigint,
    taken_tyiyn bigint
)
TABLE evpower.idle_times (
    session_id text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL
)
TABLE evpower.ledger_checks (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    night date,
    lease_until timestamp with time zone,
    began_at timestamp with time zone,
    ended_at timestamp with time zone,
    entries bigint,
    problems jsonb
)
TABLE evpower.ledger_entries (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    key text NOT NULL,
    session_id text,
    balance_topup_id bigint,
    actor text NOT NULL,
    description text,
    created_at timestamp with time zone NOT NULL
)
TABLE evpower.ledger_postings (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    entry_id bigint NOT NULL,
    account text NOT NULL,
    client_id text,
    amount_tyiyn bigint NOT NULL,
    statement_type text
)
TABLE evpower.ocpp_authorization (
    id_tag text NOT NULL,
    tag_type text,
    parent_id_tag text,
    expiry_date timestamp with time zone,
    status text NOT NULL DEFAULT 'Accepted'::text,
    client_id text,
    session_id text,
    created_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_availability (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    wanted text NOT NULL,
    state text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
)
TABLE evpower.ocpp_charging_profiles (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    profile_id integer NOT NULL,
    purpose text NOT NULL,
    stack_level integer NOT NULL,
    profile jsonb NOT NULL,
    set_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_configuration (
    station_id text NOT NULL,
    key text NOT NULL,
    value text,
    readonly boolean NOT NULL,
    reboot_required boolean NOT NULL DEFAULT false,
    known_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_frames PARTITION BY RANGE (recorded_at) (
    station_id text NOT NULL,
    direction text NOT NULL,
    frame text NOT NULL,
    recorded_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_local_lists (
    station_id text NOT NULL,
    version integer NOT NULL,
    entries jsonb NOT NULL,
    synced_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_meter_values PARTITION BY RANGE (received_at) (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    wire_transaction_id text,
    measured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    energy_wh bigint,
    power_w double precision,
    current_a double precision,
    voltage_v double precision,
    soc_percent double precision,
    temperature_c double precision,
    sampled_values json NOT NULL,
    seq_no integer,
    occurred_at timestamp with time zone,
    offline boolean
)
TABLE evpower.ocpp_parked (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    action text NOT NULL,
    reason text NOT NULL,
    payload json NOT NULL,
    received_at timestamp with time zone NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text,
    resolution text,
    resolution_reason text,
    session_id text
)
TABLE evpower.ocpp_reservations (
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    id_tag text NOT NULL,
    parent_id_tag text,
    expires_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
)
TABLE evpower.ocpp_security_events (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    action text NOT NULL,
    type text NOT NULL,
    detail text,
    request_id integer,
    alarming boolean NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL
)
TABLE evpower.ocpp_station_status (
    station_id text NOT NULL,
    status text,
    error_code text,
    info text,
    vendor_id text,
    vendor_error_code text,
    status_at timestamp with time zone,
    vendor text,
    model text,
    firmware_version text,
    booted_at timestamp with time zone,
    ocpp_version text,
    reported_evses integer[]
)
TABLE evpower.ocpp_strangers (
    identity text NOT NULL,
    status text NOT NULL,
    vendor text NOT NULL,
    model text NOT NULL,
    firmware_version text,
    serial_number text,
    address text NOT NULL,
    boots integer NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by text
)
TABLE evpower.ocpp_transactions (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    wire_transaction_id text NOT NULL,
    evse_id integer,
    connector_id integer NOT NULL,
    remote_start_id integer,
    id_tag text NOT NULL,
    verdict text NOT NULL,
    meter_start_wh bigint NOT NULL,
    meter_last_wh bigint NOT NULL,
    meter_stop_wh bigint,
    power_w double precision,
    current_a double precision,
    voltage_v double precision,
    soc_percent double precision,
    temperature_c double precision,
    last_sample_at timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    stopped_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    stop_received_at timestamp with time zone,
    stop_reason text,
    charging_session_id text,
    status text NOT NULL DEFAULT 'Started'::text,
    flags text[] NOT NULL DEFAULT '{}'::text[],
    start_payload json,
    stop_payload json,
    free_vend boolean NOT NULL DEFAULT false,
    meter_last_measured_at timestamp with time zone,
    meter_last_received_at timestamp with time zone,
    rated_power_w bigint,
    meter_base_wh bigint,
    meter_carried_wh bigint NOT NULL DEFAULT 0,
    meter_before_wh bigint,
    stop_asked_at timestamp with time zone,
    stop_asked_wh bigint,
    stops_asked integer NOT NULL DEFAULT 0,
    ocpp_version text NOT NULL DEFAULT '1.6'::text,
    offline boolean NOT NULL DEFAULT false,
    rate_boundaries jsonb
)
TABLE evpower.ocpp_transfers (
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    kind text NOT NULL,
    location text,
    file_name text,
    status text NOT NULL,
    steps jsonb NOT NULL DEFAULT '[]'::jsonb,
    requested_at timestamp with time zone,
    status_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
)
TABLE evpower.operator_acts (
    key text NOT NULL,
    acted_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    target text NOT NULL,
    detail text,
    outcome text,
    outcome_at timestamp with time zone,
    answer text
)
TABLE evpower.parked_payments (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    topup_id bigint NOT NULL,
    provider text NOT NULL,
    reason text NOT NULL,
    trans_id text,
    amount_tyiyn bigint,
    currency text,
    detail text,
    parked_at timestamp with time zone NOT NULL,
    resolution text,
    resolved_tyiyn bigint,
    resolved_at timestamp with time zone,
    resolved_by text,
    resolution_reason text
)
TABLE evpower.payment_audit_log (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamp with time zone NOT NULL,
    operation text NOT NULL,
    source text NOT NULL,
    client_id text,
    order_id text,
    trans_id text,
    provider text,
    amount_tyiyn bigint,
    currency text,
    phase_before text,
    phase_after text,
    detail text,
    card_mask text,
    peer text,
    request_id text
)
TABLE evpower.plug_ins (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    plugged_at timestamp with time zone NOT NULL,
    left_at timestamp with time zone,
    left_to text
)
TABLE evpower.power_grants (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    grant_id bigint NOT NULL,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    session_id text,
    transaction text,
    limit numeric(7,1) NOT NULL,
    unit text NOT NULL,
    current_da integer NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    acked_at timestamp with time zone,
    state text NOT NULL,
    lease_s integer NOT NULL DEFAULT 300
)
TABLE evpower.power_group_members (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    group_id bigint NOT NULL,
    phases integer NOT NULL DEFAULT 3,
    l1_is integer NOT NULL DEFAULT 1,
    min_a numeric(5,1) NOT NULL DEFAULT 6,
    max_a numeric(5,1) NOT NULL,
    dc boolean NOT NULL DEFAULT false,
    priority integer NOT NULL DEFAULT 0,
    failsafe_set_a numeric(5,1),
    failsafe_asked_at timestamp with time zone,
    rate_unit text,
    uncontrolled text,
    uncontrolled_since timestamp with time zone,
    schedule_wanted_at timestamp with time zone
)
TABLE evpower.power_groups (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    parent_id bigint,
    location_id text NOT NULL,
    name text NOT NULL,
    phases integer NOT NULL DEFAULT 3,
    limit_a numeric(7,1),
    limit_kw numeric(7,1),
    reserve_kw numeric(7,1) NOT NULL DEFAULT 0,
    failsafe_a numeric(5,1) NOT NULL DEFAULT 0,
    outside_a numeric(7,1),
    outside_kw numeric(7,1),
    outside_until timestamp with time zone,
    active boolean NOT NULL DEFAULT true,
    owner text,
    owner_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL
)
TABLE evpower.power_history (
    group_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    limit_da integer NOT NULL,
    granted_da integer NOT NULL,
    possible_da integer NOT NULL,
    measured_da integer NOT NULL
)
TABLE evpower.power_preferences (
    session_id text NOT NULL,
    profile_type text NOT NULL,
    departure_at timestamp with time zone,
    energy_need_wh bigint,
    updated_at timestamp with time zone NOT NULL,
    is_of_car boolean NOT NULL DEFAULT false
)
TABLE evpower.power_released (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    released_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone
)
TABLE evpower.power_schedules (
    group_id bigint NOT NULL,
    n integer NOT NULL,
    days integer[] NOT NULL,
    since time without time zone NOT NULL,
    until time without time zone NOT NULL,
    limit_kw numeric(7,1) NOT NULL
)
TABLE evpower.power_station_limits (
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    source text NOT NULL,
    schedule jsonb,
    set_at timestamp with time zone NOT NULL
)
TABLE evpower.processes (
    process_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    version text
)
TABLE evpower.provider_events (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    provider text NOT NULL,
    topup_id bigint,
    order_id text,
    number bigint,
    state text NOT NULL,
    trans_id text,
    body text NOT NULL,
    peer text,
    request_id text,
    received_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    outcome_at timestamp with time zone NOT NULL
)
TABLE evpower.push_outbox (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_key text NOT NULL,
    owner_type text NOT NULL,
    owner_id text NOT NULL,
    event text NOT NULL,
    payload jsonb NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'queued'::text,
    reached bigint[] NOT NULL DEFAULT '{}'::bigint[],
    ended_at timestamp with time zone,
    end_reason text
)
TABLE evpower.push_preferences (
    owner_type text NOT NULL,
    owner_id text NOT NULL,
    charging_updates boolean NOT NULL,
    payment_alerts boolean NOT NULL,
    promotions boolean NOT NULL,
    system_alerts boolean NOT NULL
)
TABLE evpower.push_targets (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    owner_type text NOT NULL,
    owner_id text NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    p256dh bytea,
    auth bytea,
    platform text,
    app_version text,
    locale text NOT NULL DEFAULT 'ru'::text,
    sign_in_id text,
    registered_at timestamp with time zone NOT NULL,
    last_ok_at timestamp with time zone,
    failures integer NOT NULL DEFAULT 0,
    ended_at timestamp with time zone,
    end_reason text
)
TABLE evpower.receipt_numbers (
    year integer NOT NULL,
    last integer NOT NULL
)
TABLE evpower.receipts (
    year integer NOT NULL,
    serial integer NOT NULL,
    session_id text NOT NULL,
    revision smallint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    energy_wh bigint NOT NULL,
    minutes integer NOT NULL,
    amount_tyiyn bigint NOT NULL,
    content jsonb,
    rate_steps jsonb
)
TABLE evpower.refresh_tokens (
    digest bytea NOT NULL,
    sign_in_id text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    replaced_at timestamp with time zone
)
TABLE evpower.refused_logins (
    station_id text NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    times bigint NOT NULL DEFAULT 1
)
TABLE evpower.reservations (
    id text NOT NULL,
    wire_id integer NOT NULL,
    client_id text NOT NULL,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    socket bigint NOT NULL GENERATED ALWAYS AS (hashtextextended(station_id, (connector_id)::bigint)) STORED,
    any_connector boolean NOT NULL,
    status text NOT NULL,
    scheduled boolean NOT NULL,
    minutes integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    blocks_from timestamp with time zone NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    free_cancel_until timestamp with time zone NOT NULL,
    is_blocking boolean NOT NULL DEFAULT false,
    per_minute numeric NOT NULL,
    no_show_fee numeric NOT NULL,
    hold_tyiyn bigint NOT NULL,
    fee_tyiyn bigint,
    ended_at timestamp with time zone,
    canceled_by text,
    reason text,
    ended_by text,
    session_id text,
    returned_at timestamp with time zone,
    guaranteed boolean NOT NULL,
    id_tag text,
    at_station text NOT NULL DEFAULT 'nothing'::text,
    asked_at timestamp with time zone,
    extended_at timestamp with time zone,
    warned_at timestamp with time zone,
    due_at timestamp with time zone,
    lease_until timestamp with time zone
)
TABLE evpower.revoked_people (
    person_id text NOT NULL,
    revoked_at timestamp with time zone NOT NULL
)
TABLE evpower.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
)
TABLE evpower.session_curves (
    session_id text NOT NULL,
    points jsonb NOT NULL,
    rising_s integer NOT NULL,
    max_power_w integer,
    drawn_at timestamp with time zone NOT NULL,
    redrawn_at timestamp with time zone,
    soc_start smallint,
    soc_end smallint
)
TABLE evpower.session_phases (
    session_id text NOT NULL,
    phase text NOT NULL,
    phase_at timestamp with time zone NOT NULL,
    stop_requested_at timestamp with time zone,
    rebooted_at timestamp with time zone,
    estimated boolean NOT NULL DEFAULT false,
    corrected_at timestamp with time zone,
    unbilled_wh bigint NOT NULL DEFAULT 0,
    unbilled_tyiyn bigint NOT NULL DEFAULT 0,
    overshoot_wh bigint,
    stop_requested_by text,
    start_waited_s double precision NOT NULL DEFAULT 0,
    start_counted_at timestamp with time zone,
    start_present_since timestamp with time zone,
    reopened_at timestamp with time zone,
    end_cause text,
    twin_at timestamp with time zone,
    remote_start_id integer DEFAULT nextval('evpower.remote_start_ids'::regclass)
)
TABLE evpower.sign_in_codes (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    phone text NOT NULL,
    address text NOT NULL,
    nonce bytea NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    wrong_attempts smallint NOT NULL DEFAULT 0,
    not_sent_at timestamp with time zone,
    used_at timestamp with time zone
)
TABLE evpower.sign_in_links (
    digest bytea NOT NULL,
    user_id text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
)
TABLE evpower.sign_ins (
    id text NOT NULL,
    person_id text NOT NULL,
    kind text NOT NULL,
    signed_in_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_cause text
)
TABLE evpower.signed_readings (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    session_id text NOT NULL,
    digest bytea NOT NULL,
    context text,
    signed_data text NOT NULL,
    kept_at timestamp with time zone NOT NULL
)
TABLE evpower.signing_keys (
    kid text NOT NULL,
    public_jwk text NOT NULL,
    private_sealed bytea NOT NULL,
    sealed_under text NOT NULL,
    signs_from timestamp with time zone NOT NULL,
    signs_until timestamp with time zone NOT NULL,
    believed_until timestamp with time zone NOT NULL
)
TABLE evpower.site_contacts (
    location_id text NOT NULL,
    person text,
    phone text,
    hours text,
    sim_provider text,
    sim_number text,
    note text,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL
)
TABLE evpower.socket_ends (
    station_id text NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    close_code integer NOT NULL
)
TABLE evpower.staff_elevations (
    token_hash bytea NOT NULL,
    user_id text NOT NULL,
    expires_at timestamp with time zone NOT NULL
)
TABLE evpower.staff_locations (
    user_id text NOT NULL,
    location_id text NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    granted_by text NOT NULL
)
TABLE evpower.staff_money (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    amount_tyiyn bigint NOT NULL
)
TABLE evpower.staff_totp (
    user_id text NOT NULL,
    secret bytea NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamp with time zone
)
TABLE evpower.start_attempts (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    attempted_at timestamp with time zone NOT NULL,
    client_id text,
    station_id text NOT NULL,
    connector_id integer,
    door text NOT NULL,
    answer text NOT NULL,
    correlation_id text,
    session_id text,
    sentence text,
    reason text
)
TABLE evpower.station_certificates (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    state text NOT NULL,
    reason text,
    csr text NOT NULL,
    common_name text NOT NULL,
    chain text,
    serial_number text,
    fingerprint text,
    not_before timestamp with time zone,
    not_after timestamp with time zone,
    requested_at timestamp with time zone NOT NULL,
    signed_at timestamp with time zone,
    ended_at timestamp with time zone
)
TABLE evpower.station_credentials (
    station_id text NOT NULL,
    password_hash text,
    updated_at timestamp with time zone NOT NULL,
    pending_hash text
)
TABLE evpower.station_hours (
    station_id text NOT NULL,
    hour timestamp with time zone NOT NULL,
    offline_s integer NOT NULL,
    asked integer NOT NULL,
    reached integer NOT NULL,
    charges integer NOT NULL,
    energy_wh bigint NOT NULL,
    revenue_tyiyn bigint NOT NULL
)
TABLE evpower.station_imports (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    changes text
)
TABLE evpower.station_outages (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    station_id text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    cause text NOT NULL,
    close_code integer
)
TABLE evpower.station_policies (
    station_id text NOT NULL,
    free_vend boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
)
TABLE evpower.station_transactions (
    station_id text NOT NULL,
    wire_transaction_id text NOT NULL,
    connector_id integer,
    id_tag text,
    remote_start_id integer,
    reservation_id integer,
    awaits_register boolean NOT NULL DEFAULT false,
    claimed boolean NOT NULL DEFAULT false,
    charging_state text,
    next_seq_no integer NOT NULL DEFAULT 0,
    last_event_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    waiting integer NOT NULL DEFAULT 0
)
TABLE evpower.station_trust (
    station_id text NOT NULL,
    profile_seen smallint NOT NULL DEFAULT 0,
    certificates_ended_at timestamp with time zone,
    renewal_asked_at timestamp with time zone
)
TABLE evpower.top_up_numbers (
    one boolean NOT NULL DEFAULT true,
    last bigint NOT NULL
)
TABLE evpower.top_up_orders (
    topup_id bigint NOT NULL,
    number bigint NOT NULL,
    method text NOT NULL,
    phase text NOT NULL,
    phase_at timestamp with time zone NOT NULL,
    amount_tyiyn bigint NOT NULL,
    paid_tyiyn bigint NOT NULL DEFAULT 0,
    refunded_tyiyn bigint NOT NULL DEFAULT 0,
    auth_key text,
    qr_code text,
    challenge json,
    card_mask text,
    reason text,
    flags text[] NOT NULL DEFAULT '{}'::text[],
    next_check_at timestamp with time zone,
    due_why text,
    checks_done integer NOT NULL DEFAULT 0,
    slow_steps integer NOT NULL DEFAULT 0,
    leased_until timestamp with time zone
)
TABLE evpower.top_up_refunds (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    topup_id bigint NOT NULL,
    trans_id text NOT NULL,
    amount_tyiyn bigint NOT NULL,
    before_tyiyn bigint NOT NULL,
    state text NOT NULL,
    asked_by text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    ended_at timestamp with time zone,
    error text,
    next_check_at timestamp with time zone,
    checks_done integer NOT NULL DEFAULT 0
)
TABLE evpower.transaction_events (
    station_id text NOT NULL,
    wire_transaction_id text NOT NULL,
    seq_no integer NOT NULL,
    kind text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    offline boolean NOT NULL,
    facts text,
    answer text,
    applied_at timestamp with time zone
)
TABLE evpower.turned_away (
    location_id text NOT NULL,
    hour_start timestamp with time zone NOT NULL,
    refused integer NOT NULL DEFAULT 0,
    waiting integer NOT NULL DEFAULT 0
)
TABLE evpower.unverified_phones (
    client_id text NOT NULL
)
TABLE evpower.unwatched_times (
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL
)
TABLE evpower.webhook_deliveries (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    endpoint_id text NOT NULL,
    event text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    data jsonb NOT NULL,
    state text NOT NULL DEFAULT 'queued'::text,
    due_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    first_tried_at timestamp with time zone,
    last_tried_at timestamp with time zone,
    last_answer text,
    ended_at timestamp with time zone
)
TABLE evpower.webhook_endpoints (
    id text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    secret bytea NOT NULL,
    old_secret bytea,
    old_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text
)
TABLE public.balance_topups WITH ROW SECURITY (
    id bigint NOT NULL DEFAULT nextval('public.balance_topups_id_seq'::regclass),
    invoice_id text NOT NULL,
    order_id text NOT NULL,
    merchant_id text,
    client_id text NOT NULL,
    requested_amount numeric(12,2) NOT NULL,
    paid_amount numeric(12,2),
    currency text NOT NULL DEFAULT 'KGS'::text,
    status text NOT NULL DEFAULT 'processing'::text,
    odengi_status integer NOT NULL DEFAULT 0,
    payment_provider text NOT NULL,
    description text,
    qr_code_url text,
    app_link text,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    paid_at timestamp with time zone,
    completed_at timestamp with time zone,
    qr_expires_at timestamp with time zone,
    invoice_expires_at timestamp with time zone,
    last_status_check_at timestamp with time zone,
    status_check_count integer NOT NULL DEFAULT 0,
    needs_status_check boolean NOT NULL DEFAULT true,
    last_webhook_at timestamp with time zone,
    webhook_count integer NOT NULL DEFAULT 0
)
TABLE public.charging_sessions WITH ROW SECURITY (
    id text NOT NULL,
    user_id text NOT NULL,
    station_id text NOT NULL,
    connector_id integer NOT NULL,
    start_time timestamp with time zone NOT NULL DEFAULT now(),
    stop_time timestamp with time zone,
    status text NOT NULL DEFAULT 'started'::text,
    energy numeric(12,3),
    amount numeric(12,2),
    reserved_amount numeric(12,2) NOT NULL DEFAULT 0,
    refunded_amount numeric(12,2) NOT NULL DEFAULT 0,
    additional_charge numeric(12,2) NOT NULL DEFAULT 0,
    debt_amount numeric(12,2) NOT NULL DEFAULT 0,
    limit_type text NOT NULL DEFAULT 'none'::text,
    limit_value numeric(12,3),
    amount_cap numeric(12,2),
    rate_per_kwh numeric NOT NULL DEFAULT 13.5,
    rate_per_minute numeric NOT NULL DEFAULT 0,
    session_fee numeric NOT NULL DEFAULT 0,
    pricing_history_id bigint,
    transaction_id text,
    settled_at timestamp with time zone,
    stop_reason text,
    id_tag text,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.client_tariffs WITH ROW SECURITY (
    id text NOT NULL,
    client_id text NOT NULL,
    tariff_plan_id text,
    discount_percent numeric NOT NULL DEFAULT 0,
    fixed_rate_per_kwh numeric,
    fixed_rate_per_minute numeric,
    session_fee numeric,
    valid_from timestamp with time zone NOT NULL DEFAULT now(),
    valid_until timestamp with time zone,
    is_active boolean NOT NULL DEFAULT true,
    description text,
    created_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.clients WITH ROW SECURITY (
    id text NOT NULL,
    name text,
    phone text,
    email text,
    balance numeric(12,2) NOT NULL DEFAULT 0,
    debt_amount numeric(12,2) NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'active'::text,
    delete_requested_at timestamp with time zone,
    deleted_at timestamp with time zone,
    anonymized boolean NOT NULL DEFAULT false,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    merged_into text
)
TABLE public.connectors WITH ROW SECURITY (
    id text NOT NULL,
    station_id text NOT NULL,
    connector_number integer NOT NULL,
    connector_type text NOT NULL DEFAULT ''::text,
    power_kw double precision,
    status text NOT NULL DEFAULT 'unavailable'::text,
    ocpp_status text,
    error_code text NOT NULL DEFAULT 'NoError'::text,
    last_status_update timestamp with time zone,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    is_enabled boolean NOT NULL DEFAULT true
)
TABLE public.locations WITH ROW SECURITY (
    id text NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    city text,
    country text,
    latitude double precision,
    longitude double precision,
    status text NOT NULL DEFAULT 'active'::text,
    stations_count integer NOT NULL DEFAULT 0,
    connectors_count integer NOT NULL DEFAULT 0,
    user_id text,
    admin_id text,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    entrance_latitude double precision,
    entrance_longitude double precision,
    directions jsonb,
    height_limit_m double precision,
    opening_hours jsonb
)
TABLE public.payment_transactions WITH ROW SECURITY (
    id bigint NOT NULL DEFAULT nextval('public.payment_transactions_id_seq'::regclass),
    client_id text NOT NULL,
    type text NOT NULL,
    transaction_type text GENERATED ALWAYS AS (type) STORED,
    amount numeric(12,2) NOT NULL,
    balance_before numeric(12,2) NOT NULL,
    balance_after numeric(12,2) NOT NULL,
    currency text NOT NULL DEFAULT 'KGS'::text,
    description text,
    balance_topup_id bigint,
    charging_session_id text,
    created_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.pricing_history WITH ROW SECURITY (
    id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
    session_id text,
    station_id text NOT NULL,
    tariff_plan_id text,
    rule_id text,
    calculation_time timestamp with time zone NOT NULL,
    rate_per_kwh numeric NOT NULL,
    rate_per_minute numeric NOT NULL DEFAULT 0,
    session_fee numeric NOT NULL DEFAULT 0,
    parking_fee_per_minute numeric NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT 'KGS'::text,
    rule_name text,
    rule_details jsonb,
    rate_schedule jsonb
)
TABLE public.stations WITH ROW SECURITY (
    id text NOT NULL,
    serial_number text NOT NULL,
    model text NOT NULL DEFAULT ''::text,
    manufacturer text NOT NULL DEFAULT ''::text,
    location_id text NOT NULL,
    power_capacity double precision NOT NULL DEFAULT 0,
    connector_types text[] NOT NULL DEFAULT '{}'::text[],
    connectors_count integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'active'::text,
    is_available boolean NOT NULL DEFAULT false,
    last_heartbeat_at timestamp with time zone,
    tariff_plan_id text,
    price_per_kwh numeric,
    session_fee numeric NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT 'KGS'::text,
    firmware_version text,
    installation_date date,
    user_id text,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.tariff_plans WITH ROW SECURITY (
    id text NOT NULL,
    name text NOT NULL,
    description text,
    is_default boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    billing_mode text NOT NULL DEFAULT 'snapshot'::text,
    parking_grace_minutes integer,
    parking_cap numeric(12,2),
    only_above_occupancy integer,
    parking_quiet_from time without time zone,
    parking_quiet_until time without time zone
)
TABLE public.tariff_rules WITH ROW SECURITY (
    id text NOT NULL,
    tariff_plan_id text NOT NULL,
    name text NOT NULL,
    description text,
    tariff_type text NOT NULL,
    connector_type text NOT NULL DEFAULT 'ALL'::text,
    power_range_min double precision NOT NULL DEFAULT 0,
    power_range_max double precision NOT NULL DEFAULT 1000,
    price numeric NOT NULL,
    currency text NOT NULL DEFAULT 'KGS'::text,
    time_start time without time zone,
    time_end time without time zone,
    days_of_week integer[],
    is_weekend boolean,
    priority integer NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    valid_from date,
    valid_until date,
    min_duration_minutes integer,
    max_duration_minutes integer,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.user_favorites WITH ROW SECURITY (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id text NOT NULL,
    location_id text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now()
)
TABLE public.users WITH ROW SECURITY (
    id text NOT NULL,
    email text,
    phone text,
    role text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    admin_id text,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now()
)
VIEW evpower.kept_connectors (
    station_id text,
    connector_id integer,
    client_id text,
    starts_at timestamp with time zone
)
VIEW public.payment_transactions_odengi (
    id bigint,
    client_id text,
    type text,
    transaction_type text,
    amount numeric(12,2),
    balance_before numeric(12,2),
    balance_after numeric(12,2),
    currency text,
    description text,
    balance_topup_id bigint,
    charging_session_id text,
    created_at timestamp with time zone
)

-- partitions

evpower.ocpp_frames_default OF evpower.ocpp_frames DEFAULT
evpower.ocpp_meter_values_default OF evpower.ocpp_meter_values DEFAULT

-- views

evpower.kept_connectors {security_invoker=true}
public.payment_transactions_odengi {security_invoker=true}

-- constraints

evpower.account_deletions: account_deletions_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.account_deletions: account_deletions_end CHECK (((due_at IS NULL) = (erased_at IS NOT NULL)))
evpower.account_deletions: account_deletions_pkey PRIMARY KEY (client_id)
evpower.attention_marks: attention_marks_key_check CHECK ((length(key) <= 200))
evpower.attention_marks: attention_marks_mine CHECK (((mine_of IS NULL) = (mine_at IS NULL)))
evpower.attention_marks: attention_marks_pkey PRIMARY KEY (key)
evpower.attention_marks: attention_marks_snoozed CHECK (((snoozed_by IS NULL) = (snoozed_until IS NULL)))
evpower.attention_notes: attention_notes_key_check CHECK ((length(key) <= 200))
evpower.attention_notes: attention_notes_note_check CHECK (((length(note) >= 1) AND (length(note) <= 500)))
evpower.attention_notes: attention_notes_pkey PRIMARY KEY (key)
evpower.attention_over: attention_over_key_check CHECK ((length(key) <= 200))
evpower.attention_over: attention_over_pkey PRIMARY KEY (key)
evpower.availability_hours: availability_hours_check CHECK (((free_s >= 0) AND (free_s <= observed_s)))
evpower.availability_hours: availability_hours_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id) ON DELETE CASCADE
evpower.availability_hours: availability_hours_observed_s_check CHECK (((observed_s >= 0) AND (observed_s <= 3600)))
evpower.availability_hours: availability_hours_pkey PRIMARY KEY (location_id, connector_type, hour_start)
evpower.browser_cookies: browser_cookies_pkey PRIMARY KEY (digest)
evpower.browser_cookies: browser_cookies_sign_in_id_fkey FOREIGN KEY (sign_in_id) REFERENCES evpower.sign_ins(id) ON DELETE CASCADE
evpower.charger_commands: charger_commands_kind_check CHECK ((kind = ANY (ARRAY['remote_start'::text, 'remote_stop'::text, 'ask'::text, 'raw'::text])))
evpower.charger_commands: charger_commands_pkey PRIMARY KEY (id)
evpower.charger_commands: charger_commands_taken CHECK (((result IS NULL) OR (taken_at IS NOT NULL)))
evpower.charger_connections: charger_connections_pkey PRIMARY KEY (station_id)
evpower.charger_connections: charger_connections_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.client_merges: client_merges_into_id_fkey FOREIGN KEY (into_id) REFERENCES public.clients(id)
evpower.client_merges: client_merges_old_id_fkey FOREIGN KEY (old_id) REFERENCES public.clients(id)
evpower.client_merges: client_merges_pkey PRIMARY KEY (old_id)
evpower.client_profiles: client_profiles_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.client_profiles: client_profiles_pkey PRIMARY KEY (client_id)
evpower.connector_evses: connector_evses_evse_connector_check CHECK (((evse_connector >= 1) AND (evse_connector <= 1000)))
evpower.connector_evses: connector_evses_evse_id_check CHECK (((evse_id >= 1) AND (evse_id <= 1000)))
evpower.connector_evses: connector_evses_pkey PRIMARY KEY (station_id, connector_number)
evpower.connector_evses: connector_evses_station_id_connector_number_fkey FOREIGN KEY (station_id, connector_number) REFERENCES public.connectors(station_id, connector_number) ON DELETE CASCADE
evpower.connector_evses: connector_evses_station_id_evse_id_evse_connector_key UNIQUE (station_id, evse_id, evse_connector) DEFERRABLE
evpower.connector_faults: connector_faults_pkey PRIMARY KEY (station_id, connector_number)
evpower.connector_faults: connector_faults_station_id_connector_number_fkey FOREIGN KEY (station_id, connector_number) REFERENCES public.connectors(station_id, connector_number) ON DELETE CASCADE
evpower.connector_health: connector_health_chance_check CHECK (((chance >= (0)::double precision) AND (chance <= (1)::double precision)))
evpower.connector_health: connector_health_check CHECK (((worked >= 0) AND (worked <= tried)))
evpower.connector_health: connector_health_doubt_check CHECK ((doubt = ANY (ARRAY['starts_fail'::text, 'passed_over'::text])))
evpower.connector_health: connector_health_doubted CHECK (((doubt IS NULL) = (doubted_since IS NULL)))
evpower.connector_health: connector_health_pkey PRIMARY KEY (station_id, connector_number)
evpower.connector_health: connector_health_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.connector_health: connector_health_tried_check CHECK (((tried >= 0) AND (tried <= 20)))
evpower.cursor_keys: cursor_keys_one_check CHECK (one)
evpower.cursor_keys: cursor_keys_pkey PRIMARY KEY (one)
evpower.device_events: device_events_pkey PRIMARY KEY (id)
evpower.device_events: device_events_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.device_inventories: device_inventories_pkey PRIMARY KEY (station_id)
evpower.device_inventories: device_inventories_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.device_monitors: device_monitors_pkey PRIMARY KEY (station_id, monitor_id)
evpower.device_monitors: device_monitors_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.device_variables: device_variables_attribute_check CHECK ((attribute = ANY (ARRAY['Actual'::text, 'Target'::text, 'MinSet'::text, 'MaxSet'::text])))
evpower.device_variables: device_variables_pkey PRIMARY KEY (station_id, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute)
evpower.device_variables: device_variables_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.displaced_phones: displaced_phones_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE
evpower.displaced_phones: displaced_phones_pkey PRIMARY KEY (client_id)
evpower.displaced_phones: displaced_phones_reason_check CHECK ((reason = ANY (ARRAY['duplicate'::text, 'not_e164'::text, 'unverified'::text])))
evpower.doubts: doubts_about CHECK (((transaction_key IS NOT NULL) OR (session_id IS NOT NULL)))
evpower.doubts: doubts_kind CHECK ((kind = ANY (ARRAY['reading'::text, 'start'::text, 'restart'::text, 'stop'::text, 'power'::text, 'clock'::text, 'no_register'::text, 'boundary'::text, 'settlement'::text])))
evpower.doubts: doubts_pkey PRIMARY KEY (id)
evpower.doubts: doubts_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.doubts: doubts_settled CHECK ((settled = ANY (ARRAY['billed'::text, 'dismissed'::text])))
evpower.doubts: doubts_settled_whole CHECK (((settled IS NULL) = (settled_at IS NULL)))
evpower.doubts: doubts_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.doubts: doubts_transaction_key_fkey FOREIGN KEY (transaction_key) REFERENCES evpower.ocpp_transactions(id)
evpower.favorite_watches: favorite_watches_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.favorite_watches: favorite_watches_client_id_location_id_key UNIQUE (client_id, location_id)
evpower.favorite_watches: favorite_watches_pkey PRIMARY KEY (id)
evpower.forecast_cells: forecast_cells_arrivals_check CHECK ((cardinality(arrivals) = 168))
evpower.forecast_cells: forecast_cells_free_check CHECK ((cardinality(free) = 168))
evpower.forecast_cells: forecast_cells_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id) ON DELETE CASCADE
evpower.forecast_cells: forecast_cells_pkey PRIMARY KEY (location_id, connector_type)
evpower.forecast_cells: forecast_cells_weights_check CHECK ((cardinality(weights) = 168))
evpower.forecast_reliability: forecast_reliability_pkey PRIMARY KEY (day, horizon_min, twentieths)
evpower.forecast_reliability: forecast_reliability_twentieths_check CHECK (((twentieths >= 0) AND (twentieths <= 20)))
evpower.forecast_scores: forecast_scores_pkey PRIMARY KEY (day, horizon_min, method)
evpower.forecast_watermark: forecast_watermark_one_check CHECK (one)
evpower.forecast_watermark: forecast_watermark_pkey PRIMARY KEY (one)
evpower.free_times: free_times_check CHECK ((ended_at >= began_at))
evpower.free_times: free_times_pkey PRIMARY KEY (id)
evpower.free_times: free_times_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.idempotency_keys: idempotency_keys_pkey PRIMARY KEY (client_id, key)
evpower.idle_fees: idle_fees_cap_tyiyn_check CHECK ((cap_tyiyn > 0))
evpower.idle_fees: idle_fees_ended_whole CHECK ((((ended_at IS NULL) = (minutes IS NULL)) AND ((minutes IS NULL) = (fee_tyiyn IS NULL)) AND ((fee_tyiyn IS NULL) = (taken_tyiyn IS NULL))))
evpower.idle_fees: idle_fees_pkey PRIMARY KEY (session_id)
evpower.idle_fees: idle_fees_rate_per_minute_check CHECK ((rate_per_minute > (0)::numeric))
evpower.idle_fees: idle_fees_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.idle_fees: idle_fees_taken CHECK ((((taken_tyiyn >= 0) AND (taken_tyiyn <= fee_tyiyn)) AND (fee_tyiyn <= cap_tyiyn)))
evpower.idle_times: idle_times_check CHECK ((until > since))
evpower.idle_times: idle_times_pkey PRIMARY KEY (session_id, since)
evpower.idle_times: idle_times_session_id_fkey FOREIGN KEY (session_id) REFERENCES evpower.idle_fees(session_id)
evpower.ledger_checks: ledger_checks_end CHECK ((((ended_at IS NULL) = (entries IS NULL)) AND ((ended_at IS NULL) = (problems IS NULL))))
evpower.ledger_checks: ledger_checks_night_key UNIQUE (night)
evpower.ledger_checks: ledger_checks_pkey PRIMARY KEY (id)
evpower.ledger_entries: ledger_entries_balance_topup_id_fkey FOREIGN KEY (balance_topup_id) REFERENCES public.balance_topups(id)
evpower.ledger_entries: ledger_entries_once UNIQUE (key)
evpower.ledger_entries: ledger_entries_pkey PRIMARY KEY (id)
evpower.ledger_entries: ledger_entries_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.ledger_postings: ledger_postings_account_check CHECK (((account = ANY (ARRAY['client'::text, 'held'::text, 'revenue'::text, 'receivable'::text, 'adjustment'::text, 'bank'::text, 'fees'::text])) OR (account ~~ 'provider:_%'::text)))
evpower.ledger_postings: ledger_postings_amount_tyiyn_check CHECK ((amount_tyiyn <> 0))
evpower.ledger_postings: ledger_postings_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.ledger_postings: ledger_postings_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES evpower.ledger_entries(id)
evpower.ledger_postings: ledger_postings_names_client CHECK (((client_id IS NOT NULL) OR (account <> ALL (ARRAY['client'::text, 'receivable'::text]))))
evpower.ledger_postings: ledger_postings_pkey PRIMARY KEY (id)
evpower.ledger_postings: ledger_postings_statement CHECK (((account = 'client'::text) = (statement_type IS NOT NULL)))
evpower.ocpp_authorization: ocpp_authorization_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.ocpp_authorization: ocpp_authorization_id_tag_check CHECK (((length(id_tag) >= 1) AND (length(id_tag) <= 36)))
evpower.ocpp_authorization: ocpp_authorization_pkey PRIMARY KEY (id_tag)
evpower.ocpp_authorization: ocpp_authorization_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.ocpp_authorization: ocpp_authorization_status_check CHECK ((status = ANY (ARRAY['Accepted'::text, 'Blocked'::text, 'Expired'::text, 'Invalid'::text])))
evpower.ocpp_availability: ocpp_availability_pkey PRIMARY KEY (station_id, connector_id)
evpower.ocpp_availability: ocpp_availability_state_check CHECK ((state = ANY (ARRAY['Scheduled'::text, 'Done'::text])))
evpower.ocpp_availability: ocpp_availability_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_availability: ocpp_availability_wanted_check CHECK ((wanted = ANY (ARRAY['Operative'::text, 'Inoperative'::text])))
evpower.ocpp_charging_profiles: ocpp_charging_profiles_pkey PRIMARY KEY (station_id, connector_id, purpose, stack_level)
evpower.ocpp_charging_profiles: ocpp_charging_profiles_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_configuration: ocpp_configuration_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_frames: ocpp_frames_direction_check CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text])))
evpower.ocpp_local_lists: ocpp_local_lists_pkey PRIMARY KEY (station_id)
evpower.ocpp_local_lists: ocpp_local_lists_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_local_lists: ocpp_local_lists_version_check CHECK ((version >= 0))
evpower.ocpp_parked: ocpp_parked_pkey PRIMARY KEY (id)
evpower.ocpp_parked: ocpp_parked_resolution_check CHECK ((resolution = ANY (ARRAY['assigned'::text, 'dismissed'::text])))
evpower.ocpp_parked: ocpp_parked_resolved CHECK (((resolved_at IS NULL) = (resolution IS NULL)))
evpower.ocpp_parked: ocpp_parked_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.ocpp_reservations: ocpp_reservations_pkey PRIMARY KEY (id)
evpower.ocpp_reservations: ocpp_reservations_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_reservations: ocpp_reservations_status_check CHECK ((status = ANY (ARRAY['Asked'::text, 'Active'::text, 'Used'::text, 'Expired'::text, 'Cancelled'::text, 'Faulted'::text, 'Unavailable'::text, 'Refused'::text])))
evpower.ocpp_security_events: ocpp_security_events_pkey PRIMARY KEY (id)
evpower.ocpp_security_events: ocpp_security_events_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_station_status: ocpp_station_status_pkey PRIMARY KEY (station_id)
evpower.ocpp_station_status: ocpp_station_status_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_strangers: ocpp_strangers_decided CHECK (((status = 'pending'::text) = (decided_at IS NULL)))
evpower.ocpp_strangers: ocpp_strangers_pkey PRIMARY KEY (identity)
evpower.ocpp_strangers: ocpp_strangers_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'rejected'::text])))
evpower.ocpp_transactions: ocpp_transactions_charging_session_id_fkey FOREIGN KEY (charging_session_id) REFERENCES public.charging_sessions(id)
evpower.ocpp_transactions: ocpp_transactions_free_vend CHECK (((NOT free_vend) OR (charging_session_id IS NULL)))
evpower.ocpp_transactions: ocpp_transactions_pkey PRIMARY KEY (id)
evpower.ocpp_transactions: ocpp_transactions_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.ocpp_transactions: ocpp_transactions_station_id_wire_transaction_id_key UNIQUE (station_id, wire_transaction_id)
evpower.ocpp_transactions: ocpp_transactions_status_check CHECK ((status = ANY (ARRAY['Started'::text, 'Stopped'::text])))
evpower.ocpp_transfers: ocpp_transfers_kind_check CHECK ((kind = ANY (ARRAY['diagnostics'::text, 'log'::text, 'firmware'::text, 'signed_firmware'::text, 'published_firmware'::text])))
evpower.ocpp_transfers: ocpp_transfers_pkey PRIMARY KEY (id)
evpower.ocpp_transfers: ocpp_transfers_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.operator_acts: operator_acts_key_check CHECK (((length(key) >= 16) AND (length(key) <= 64)))
evpower.operator_acts: operator_acts_outcome CHECK (((outcome IS NULL) = (outcome_at IS NULL)))
evpower.operator_acts: operator_acts_pkey PRIMARY KEY (key)
evpower.parked_payments: parked_payments_pkey PRIMARY KEY (id)
evpower.parked_payments: parked_payments_resolution_check CHECK ((resolution = ANY (ARRAY['credited'::text, 'debited'::text, 'dismissed'::text])))
evpower.parked_payments: parked_payments_resolved CHECK (((resolved_at IS NULL) = (resolution IS NULL)))
evpower.parked_payments: parked_payments_topup_id_fkey FOREIGN KEY (topup_id) REFERENCES public.balance_topups(id)
evpower.payment_audit_log: payment_audit_log_pkey PRIMARY KEY (id)
evpower.payment_audit_log: payment_audit_log_source_check CHECK ((source = ANY (ARRAY['client'::text, 'webhook'::text, 'poll'::text, 'sweep'::text, 'forced'::text, 'operator'::text])))
evpower.plug_ins: plug_ins_pkey PRIMARY KEY (id)
evpower.power_grants: power_grants_acked CHECK (((acked_at IS NOT NULL) = (state = 'accepted'::text)))
evpower.power_grants: power_grants_current_da_check CHECK ((current_da >= 0))
evpower.power_grants: power_grants_lease_s_check CHECK ((lease_s > 0))
evpower.power_grants: power_grants_limit_check CHECK (("limit" >= (0)::numeric))
evpower.power_grants: power_grants_pkey PRIMARY KEY (id)
evpower.power_grants: power_grants_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.power_grants: power_grants_state_check CHECK ((state = ANY (ARRAY['sent'::text, 'accepted'::text, 'rejected'::text, 'failed'::text, 'timed_out'::text, 'offline'::text, 'over'::text])))
evpower.power_grants: power_grants_step UNIQUE (grant_id, state)
evpower.power_grants: power_grants_unit_check CHECK ((unit = ANY (ARRAY['A'::text, 'kW'::text])))
evpower.power_group_members: power_group_members_check CHECK ((max_a >= min_a))
evpower.power_group_members: power_group_members_group_id_fkey FOREIGN KEY (group_id) REFERENCES evpower.power_groups(id)
evpower.power_group_members: power_group_members_l1_is_check CHECK ((l1_is = ANY (ARRAY[1, 2, 3])))
evpower.power_group_members: power_group_members_min_a_check CHECK ((min_a >= (0)::numeric))
evpower.power_group_members: power_group_members_phases_check CHECK ((phases = ANY (ARRAY[1, 3])))
evpower.power_group_members: power_group_members_pkey PRIMARY KEY (station_id, connector_id)
evpower.power_group_members: power_group_members_rate_unit_check CHECK ((rate_unit = ANY (ARRAY['A'::text, 'W'::text])))
evpower.power_group_members: power_group_members_station_id_connector_id_fkey FOREIGN KEY (station_id, connector_id) REFERENCES public.connectors(station_id, connector_number) ON DELETE CASCADE
evpower.power_group_members: power_group_members_uncontrolled CHECK (((uncontrolled IS NULL) = (uncontrolled_since IS NULL)))
evpower.power_group_members: power_group_members_uncontrolled_check CHECK ((uncontrolled = ANY (ARRAY['refuses'::text, 'disobeys'::text])))
evpower.power_groups: power_groups_failsafe_a_check CHECK ((failsafe_a >= (0)::numeric))
evpower.power_groups: power_groups_limit CHECK (((limit_a IS NULL) <> (limit_kw IS NULL)))
evpower.power_groups: power_groups_limit_a_check CHECK ((limit_a >= (0)::numeric))
evpower.power_groups: power_groups_limit_kw_check CHECK ((limit_kw >= (0)::numeric))
evpower.power_groups: power_groups_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id)
evpower.power_groups: power_groups_not_its_own_parent CHECK ((parent_id <> id))
evpower.power_groups: power_groups_outside CHECK ((num_nonnulls(outside_a, outside_kw) = num_nonnulls(outside_until)))
evpower.power_groups: power_groups_outside_a_check CHECK ((outside_a >= (0)::numeric))
evpower.power_groups: power_groups_outside_kw_check CHECK ((outside_kw >= (0)::numeric))
evpower.power_groups: power_groups_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES evpower.power_groups(id)
evpower.power_groups: power_groups_phases_check CHECK ((phases = ANY (ARRAY[1, 3])))
evpower.power_groups: power_groups_pkey PRIMARY KEY (id)
evpower.power_groups: power_groups_reserve_kw_check CHECK ((reserve_kw >= (0)::numeric))
evpower.power_history: power_history_group_id_fkey FOREIGN KEY (group_id) REFERENCES evpower.power_groups(id) ON DELETE CASCADE
evpower.power_history: power_history_pkey PRIMARY KEY (group_id, at)
evpower.power_preferences: power_preferences_energy_need_wh_check CHECK ((energy_need_wh > 0))
evpower.power_preferences: power_preferences_pkey PRIMARY KEY (session_id)
evpower.power_preferences: power_preferences_profile_type_check CHECK ((profile_type = ANY (ARRAY['regular'::text, 'fast'::text, 'cheap'::text, 'green'::text])))
evpower.power_preferences: power_preferences_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.power_released: power_released_pkey PRIMARY KEY (station_id, connector_id)
evpower.power_released: power_released_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.power_schedules: power_schedules_days_check CHECK (((days <@ ARRAY[1, 2, 3, 4, 5, 6, 7]) AND (cardinality(days) > 0)))
evpower.power_schedules: power_schedules_group_id_fkey FOREIGN KEY (group_id) REFERENCES evpower.power_groups(id) ON DELETE CASCADE
evpower.power_schedules: power_schedules_limit_kw_check CHECK ((limit_kw >= (0)::numeric))
evpower.power_schedules: power_schedules_pkey PRIMARY KEY (group_id, n)
evpower.power_station_limits: power_station_limits_connector_id_check CHECK ((connector_id >= 0))
evpower.power_station_limits: power_station_limits_pkey PRIMARY KEY (station_id, connector_id, source)
evpower.power_station_limits: power_station_limits_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.processes: processes_pkey PRIMARY KEY (process_id)
evpower.provider_events: provider_events_pkey PRIMARY KEY (id)
evpower.provider_events: provider_events_topup_id_fkey FOREIGN KEY (topup_id) REFERENCES public.balance_topups(id)
evpower.push_outbox: push_outbox_event_key_key UNIQUE (event_key)
evpower.push_outbox: push_outbox_pkey PRIMARY KEY (id)
evpower.push_preferences: push_preferences_owner_type_check CHECK ((owner_type = ANY (ARRAY['client'::text, 'owner'::text])))
evpower.push_preferences: push_preferences_pkey PRIMARY KEY (owner_type, owner_id)
evpower.push_targets: push_targets_address_key UNIQUE (address)
evpower.push_targets: push_targets_end CHECK (((ended_at IS NULL) = (end_reason IS NULL)))
evpower.push_targets: push_targets_keys CHECK (((kind = 'webpush'::text) = ((p256dh IS NOT NULL) AND (auth IS NOT NULL))))
evpower.push_targets: push_targets_kind_check CHECK ((kind = ANY (ARRAY['fcm'::text, 'webpush'::text])))
evpower.push_targets: push_targets_owner_type_check CHECK ((owner_type = ANY (ARRAY['client'::text, 'owner'::text])))
evpower.push_targets: push_targets_pkey PRIMARY KEY (id)
evpower.receipt_numbers: receipt_numbers_last_check CHECK ((last > 0))
evpower.receipt_numbers: receipt_numbers_pkey PRIMARY KEY (year)
evpower.receipts: receipts_pkey PRIMARY KEY (year, serial)
evpower.receipts: receipts_revision_check CHECK ((revision > 0))
evpower.receipts: receipts_serial_check CHECK ((serial > 0))
evpower.receipts: receipts_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.receipts: receipts_session_id_revision_key UNIQUE (session_id, revision)
evpower.receipts: receipts_year_fkey FOREIGN KEY (year) REFERENCES evpower.receipt_numbers(year)
evpower.refresh_tokens: refresh_tokens_pkey PRIMARY KEY (digest)
evpower.refresh_tokens: refresh_tokens_sign_in_id_fkey FOREIGN KEY (sign_in_id) REFERENCES evpower.sign_ins(id) ON DELETE CASCADE
evpower.refused_logins: refused_logins_pkey PRIMARY KEY (station_id)
evpower.refused_logins: refused_logins_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.reservations: reservations_at_station_check CHECK ((at_station = ANY (ARRAY['nothing'::text, 'asked'::text, 'kept'::text, 'to_end'::text])))
evpower.reservations: reservations_canceled CHECK (((status = 'canceled'::text) = (canceled_by IS NOT NULL)))
evpower.reservations: reservations_canceled_by_check CHECK ((canceled_by = ANY (ARRAY['driver'::text, 'operator'::text, 'system'::text])))
evpower.reservations: reservations_check CHECK (((fee_tyiyn >= 0) AND (fee_tyiyn <= hold_tyiyn)))
evpower.reservations: reservations_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
evpower.reservations: reservations_connector_id_check CHECK ((connector_id >= 1))
evpower.reservations: reservations_do_not_overlap EXCLUDE USING gist (int8range(socket, socket, '[]'::text) WITH &&, tstzrange(blocks_from, expires_at) WITH &&) WHERE ((status = ANY (ARRAY['pending'::text, 'reserved'::text])))
evpower.reservations: reservations_end CHECK ((((status = ANY (ARRAY['pending'::text, 'reserved'::text])) = (ended_at IS NULL)) AND ((ended_at IS NULL) = (fee_tyiyn IS NULL))))
evpower.reservations: reservations_hold_tyiyn_check CHECK ((hold_tyiyn >= 0))
evpower.reservations: reservations_minutes_check CHECK (((minutes >= 1) AND (minutes <= 120)))
evpower.reservations: reservations_no_show_fee_check CHECK ((no_show_fee >= (0)::numeric))
evpower.reservations: reservations_per_minute_check CHECK ((per_minute >= (0)::numeric))
evpower.reservations: reservations_pkey PRIMARY KEY (id)
evpower.reservations: reservations_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id) DEFERRABLE INITIALLY DEFERRED
evpower.reservations: reservations_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.reservations: reservations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'reserved'::text, 'fulfilled'::text, 'canceled'::text, 'no_show'::text, 'rejected'::text, 'failed'::text])))
evpower.reservations: reservations_times CHECK (((blocks_from <= starts_at) AND (starts_at < expires_at)))
evpower.reservations: reservations_wire_id_key UNIQUE (wire_id)
evpower.revoked_people: revoked_people_pkey PRIMARY KEY (person_id)
evpower.schema_migrations: schema_migrations_pkey PRIMARY KEY (version)
evpower.session_curves: session_curves_pkey PRIMARY KEY (session_id)
evpower.session_curves: session_curves_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.session_phases: session_phases_end_cause CHECK ((end_cause = ANY (ARRAY['limit'::text, 'driver'::text, 'operator'::text, 'charger'::text, 'overdue'::text, 'reboot'::text, 'lost'::text])))
evpower.session_phases: session_phases_phase_check CHECK ((phase = ANY (ARRAY['reserved'::text, 'starting'::text, 'charging'::text, 'stopping'::text, 'ended'::text, 'settled'::text, 'released'::text])))
evpower.session_phases: session_phases_pkey PRIMARY KEY (session_id)
evpower.session_phases: session_phases_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.sign_in_codes: sign_in_codes_pkey PRIMARY KEY (id)
evpower.sign_in_links: sign_in_links_pkey PRIMARY KEY (digest)
evpower.sign_in_links: sign_in_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
evpower.sign_ins: sign_ins_end_cause_check CHECK ((end_cause = ANY (ARRAY['logout'::text, 'logout_all'::text, 'reuse'::text, 'revoked'::text])))
evpower.sign_ins: sign_ins_ended CHECK (((ended_at IS NULL) = (end_cause IS NULL)))
evpower.sign_ins: sign_ins_kind_check CHECK ((kind = ANY (ARRAY['client'::text, 'staff'::text])))
evpower.sign_ins: sign_ins_pkey PRIMARY KEY (id)
evpower.signed_readings: signed_readings_pkey PRIMARY KEY (id)
evpower.signed_readings: signed_readings_session_id_digest_key UNIQUE (session_id, digest)
evpower.signed_readings: signed_readings_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.charging_sessions(id)
evpower.signing_keys: signing_keys_order CHECK ((signs_until <= believed_until))
evpower.signing_keys: signing_keys_pkey PRIMARY KEY (kid)
evpower.site_contacts: site_contacts_hours_check CHECK (((length(hours) >= 1) AND (length(hours) <= 500)))
evpower.site_contacts: site_contacts_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id)
evpower.site_contacts: site_contacts_note_check CHECK (((length(note) >= 1) AND (length(note) <= 500)))
evpower.site_contacts: site_contacts_person_check CHECK (((length(person) >= 1) AND (length(person) <= 500)))
evpower.site_contacts: site_contacts_phone_check CHECK (((length(phone) >= 1) AND (length(phone) <= 500)))
evpower.site_contacts: site_contacts_pkey PRIMARY KEY (location_id)
evpower.site_contacts: site_contacts_sim_number_check CHECK (((length(sim_number) >= 1) AND (length(sim_number) <= 500)))
evpower.site_contacts: site_contacts_sim_provider_check CHECK (((length(sim_provider) >= 1) AND (length(sim_provider) <= 500)))
evpower.socket_ends: socket_ends_close_code_check CHECK (((close_code >= 1000) AND (close_code <= 4999)))
evpower.socket_ends: socket_ends_pkey PRIMARY KEY (station_id)
evpower.socket_ends: socket_ends_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.staff_elevations: staff_elevations_pkey PRIMARY KEY (token_hash)
evpower.staff_elevations: staff_elevations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
evpower.staff_locations: staff_locations_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id) ON DELETE CASCADE
evpower.staff_locations: staff_locations_pkey PRIMARY KEY (user_id, location_id)
evpower.staff_locations: staff_locations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
evpower.staff_money: staff_money_amount_tyiyn_check CHECK ((amount_tyiyn > 0))
evpower.staff_money: staff_money_pkey PRIMARY KEY (id)
evpower.staff_money: staff_money_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id)
evpower.staff_totp: staff_totp_pkey PRIMARY KEY (user_id)
evpower.staff_totp: staff_totp_secret_check CHECK ((length(secret) >= 16))
evpower.staff_totp: staff_totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
evpower.start_attempts: start_attempts_door_check CHECK ((door = ANY (ARRAY['phone'::text, 'card'::text, 'command'::text])))
evpower.start_attempts: start_attempts_pkey PRIMARY KEY (id)
evpower.station_certificates: station_certificates_check CHECK (((state <> ALL (ARRAY['signed'::text, 'delivered'::text])) OR ((chain IS NOT NULL) AND (not_after IS NOT NULL))))
evpower.station_certificates: station_certificates_pkey PRIMARY KEY (id)
evpower.station_certificates: station_certificates_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'signed'::text, 'delivered'::text, 'refused'::text])))
evpower.station_certificates: station_certificates_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.station_credentials: station_credentials_pkey PRIMARY KEY (station_id)
evpower.station_credentials: station_credentials_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.station_hours: station_hours_offline_s_check CHECK (((offline_s >= 0) AND (offline_s <= 3600)))
evpower.station_hours: station_hours_pkey PRIMARY KEY (station_id, hour)
evpower.station_hours: station_hours_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.station_imports: station_imports_pkey PRIMARY KEY (id)
evpower.station_imports: station_imports_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.station_outages: station_outages_cause_check CHECK ((cause = ANY (ARRAY['socket'::text, 'silence'::text, 'boot'::text])))
evpower.station_outages: station_outages_pkey PRIMARY KEY (id)
evpower.station_outages: station_outages_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.station_policies: station_policies_pkey PRIMARY KEY (station_id)
evpower.station_policies: station_policies_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.station_transactions: station_transactions_pkey PRIMARY KEY (station_id, wire_transaction_id)
evpower.station_transactions: station_transactions_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
evpower.station_transactions: station_transactions_waiting_check CHECK ((waiting >= 0))
evpower.station_trust: station_trust_pkey PRIMARY KEY (station_id)
evpower.station_trust: station_trust_profile_seen_check CHECK (((profile_seen >= 0) AND (profile_seen <= 3)))
evpower.station_trust: station_trust_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id) ON DELETE CASCADE
evpower.top_up_numbers: top_up_numbers_one_check CHECK (one)
evpower.top_up_numbers: top_up_numbers_pkey PRIMARY KEY (one)
evpower.top_up_orders: top_up_orders_amount_tyiyn_check CHECK ((amount_tyiyn > 0))
evpower.top_up_orders: top_up_orders_auth_key_key UNIQUE (auth_key)
evpower.top_up_orders: top_up_orders_due_why_check CHECK ((due_why = ANY (ARRAY['webhook'::text, 'forced'::text])))
evpower.top_up_orders: top_up_orders_method_check CHECK ((method = ANY (ARRAY['qr'::text, 'card'::text, 'token'::text])))
evpower.top_up_orders: top_up_orders_number_key UNIQUE (number)
evpower.top_up_orders: top_up_orders_paid_tyiyn_check CHECK ((paid_tyiyn >= 0))
evpower.top_up_orders: top_up_orders_phase_check CHECK ((phase = ANY (ARRAY['created'::text, 'processing'::text, 'approved'::text, 'canceled'::text, 'expired'::text, 'refunded'::text, 'partial_refund'::text, 'review'::text])))
evpower.top_up_orders: top_up_orders_pkey PRIMARY KEY (topup_id)
evpower.top_up_orders: top_up_orders_refunded_at_most_paid CHECK ((refunded_tyiyn <= paid_tyiyn))
evpower.top_up_orders: top_up_orders_refunded_tyiyn_check CHECK ((refunded_tyiyn >= 0))
evpower.top_up_orders: top_up_orders_topup_id_fkey FOREIGN KEY (topup_id) REFERENCES public.balance_topups(id)
evpower.top_up_refunds: top_up_refunds_amount_tyiyn_check CHECK ((amount_tyiyn > 0))
evpower.top_up_refunds: top_up_refunds_pkey PRIMARY KEY (id)
evpower.top_up_refunds: top_up_refunds_state_check CHECK ((state = ANY (ARRAY['open'::text, 'completed'::text, 'returned'::text])))
evpower.top_up_refunds: top_up_refunds_topup_id_fkey FOREIGN KEY (topup_id) REFERENCES public.balance_topups(id)
evpower.transaction_events: transaction_events_kind_check CHECK ((kind = ANY (ARRAY['Started'::text, 'Updated'::text, 'Ended'::text])))
evpower.transaction_events: transaction_events_pkey PRIMARY KEY (station_id, wire_transaction_id, seq_no)
evpower.turned_away: turned_away_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id) ON DELETE CASCADE
evpower.turned_away: turned_away_pkey PRIMARY KEY (location_id, hour_start)
evpower.unverified_phones: unverified_phones_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE
evpower.unverified_phones: unverified_phones_pkey PRIMARY KEY (client_id)
evpower.unwatched_times: unwatched_times_check CHECK ((ended_at >= began_at))
evpower.unwatched_times: unwatched_times_pkey PRIMARY KEY (began_at)
evpower.webhook_deliveries: webhook_deliveries_pkey PRIMARY KEY (id)
evpower.webhook_endpoints: webhook_endpoints_disabled CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL)))
evpower.webhook_endpoints: webhook_endpoints_old_secret CHECK (((old_secret IS NULL) = (old_until IS NULL)))
evpower.webhook_endpoints: webhook_endpoints_pkey PRIMARY KEY (id)
public.balance_topups: balance_topups_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
public.balance_topups: balance_topups_invoice_id_key UNIQUE (invoice_id)
public.balance_topups: balance_topups_order_id_key UNIQUE (order_id)
public.balance_topups: balance_topups_pkey PRIMARY KEY (id)
public.balance_topups: balance_topups_status_check CHECK ((status = ANY (ARRAY['processing'::text, 'approved'::text, 'canceled'::text, 'refunded'::text, 'partial_refund'::text])))
public.charging_sessions: charging_sessions_limit_type_check CHECK ((limit_type = ANY (ARRAY['none'::text, 'energy'::text, 'amount'::text])))
public.charging_sessions: charging_sessions_pkey PRIMARY KEY (id)
public.charging_sessions: charging_sessions_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
public.charging_sessions: charging_sessions_status_check CHECK ((status = ANY (ARRAY['started'::text, 'stopped'::text, 'error'::text])))
public.charging_sessions: charging_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.clients(id)
public.client_tariffs: client_tariffs_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
public.client_tariffs: client_tariffs_discount_percent_check CHECK (((discount_percent >= (0)::numeric) AND (discount_percent <= (100)::numeric)))
public.client_tariffs: client_tariffs_fixed_rate_per_kwh_check CHECK ((fixed_rate_per_kwh >= (0)::numeric))
public.client_tariffs: client_tariffs_fixed_rate_per_minute_check CHECK ((fixed_rate_per_minute >= (0)::numeric))
public.client_tariffs: client_tariffs_pkey PRIMARY KEY (id)
public.client_tariffs: client_tariffs_session_fee_check CHECK ((session_fee >= (0)::numeric))
public.client_tariffs: client_tariffs_tariff_plan_id_fkey FOREIGN KEY (tariff_plan_id) REFERENCES public.tariff_plans(id)
public.clients: clients_balance_not_negative CHECK ((balance >= (0)::numeric))
public.clients: clients_debt_not_negative CHECK ((debt_amount >= (0)::numeric))
public.clients: clients_merged_into_another CHECK ((merged_into <> id))
public.clients: clients_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES public.clients(id)
public.clients: clients_phone_is_e164 CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text))
public.clients: clients_pkey PRIMARY KEY (id)
public.clients: clients_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'blocked'::text])))
public.connectors: connectors_connector_number_check CHECK ((connector_number > 0))
public.connectors: connectors_pkey PRIMARY KEY (id)
public.connectors: connectors_station_id_connector_number_key UNIQUE (station_id, connector_number)
public.connectors: connectors_station_id_fkey FOREIGN KEY (station_id) REFERENCES public.stations(id)
public.connectors: connectors_status_check CHECK ((status = ANY (ARRAY['available'::text, 'occupied'::text, 'faulted'::text, 'unavailable'::text])))
public.locations: locations_directions_check CHECK ((jsonb_typeof(directions) = 'object'::text))
public.locations: locations_entrance_latitude_check CHECK (((entrance_latitude >= ('-90'::integer)::double precision) AND (entrance_latitude <= (90)::double precision)))
public.locations: locations_entrance_longitude_check CHECK (((entrance_longitude >= ('-180'::integer)::double precision) AND (entrance_longitude <= (180)::double precision)))
public.locations: locations_height_limit_m_check CHECK ((height_limit_m > (0)::double precision))
public.locations: locations_opening_hours_check CHECK ((jsonb_typeof(opening_hours) = 'object'::text))
public.locations: locations_pkey PRIMARY KEY (id)
public.locations: locations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'maintenance'::text])))
public.payment_transactions: payment_transactions_chain CHECK ((balance_after = (balance_before + amount)))
public.payment_transactions: payment_transactions_charging_session_id_fkey FOREIGN KEY (charging_session_id) REFERENCES public.charging_sessions(id)
public.payment_transactions: payment_transactions_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id)
public.payment_transactions: payment_transactions_odengi_balance_topup_id_fkey FOREIGN KEY (balance_topup_id) REFERENCES public.balance_topups(id)
public.payment_transactions: payment_transactions_pkey PRIMARY KEY (id)
public.payment_transactions: payment_transactions_type_check CHECK ((type = ANY (ARRAY['balance_topup'::text, 'charge_reserve'::text, 'charge_refund'::text, 'charge_payment'::text, 'admin_adjustment'::text, 'topup_refund'::text, 'idle_fee'::text, 'reservation_hold'::text, 'reservation_release'::text, 'reservation_fee'::text])))
public.pricing_history: pricing_history_pkey PRIMARY KEY (id)
public.stations: stations_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.locations(id)
public.stations: stations_pkey PRIMARY KEY (id)
public.stations: stations_price_per_kwh_check CHECK ((price_per_kwh >= (0)::numeric))
public.stations: stations_serial_number_key UNIQUE (serial_number)
public.stations: stations_session_fee_check CHECK ((session_fee >= (0)::numeric))
public.stations: stations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'maintenance'::text])))
public.stations: stations_tariff_plan_id_fkey FOREIGN KEY (tariff_plan_id) REFERENCES public.tariff_plans(id)
public.tariff_plans: tariff_plans_billing_mode_check CHECK ((billing_mode = ANY (ARRAY['snapshot'::text, 'segments'::text])))
public.tariff_plans: tariff_plans_only_above_occupancy_check CHECK (((only_above_occupancy >= 0) AND (only_above_occupancy <= 100)))
public.tariff_plans: tariff_plans_parking_cap_check CHECK ((parking_cap > (0)::numeric))
public.tariff_plans: tariff_plans_parking_grace_minutes_check CHECK (((parking_grace_minutes >= 0) AND (parking_grace_minutes <= 1440)))
public.tariff_plans: tariff_plans_pkey PRIMARY KEY (id)
public.tariff_rules: tariff_rules_pkey PRIMARY KEY (id)
public.tariff_rules: tariff_rules_price_check CHECK ((price >= (0)::numeric))
public.tariff_rules: tariff_rules_tariff_plan_id_fkey FOREIGN KEY (tariff_plan_id) REFERENCES public.tariff_plans(id)
public.tariff_rules: tariff_rules_tariff_type_check CHECK ((tariff_type = ANY (ARRAY['per_kwh'::text, 'per_minute'::text, 'session_fee'::text, 'parking_fee'::text, 'reservation_per_minute'::text, 'no_show_fee'::text])))
public.user_favorites: user_favorites_pkey PRIMARY KEY (id)
public.user_favorites: user_favorites_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.clients(id) ON DELETE CASCADE
public.user_favorites: user_favorites_user_id_location_id_key UNIQUE (user_id, location_id)
public.users: users_pkey PRIMARY KEY (id)
public.users: users_role_check CHECK ((role = ANY (ARRAY['operator'::text, 'admin'::text, 'superadmin'::text])))

-- indexes

CREATE INDEX account_deletions_due ON evpower.account_deletions USING btree (due_at) WHERE (due_at IS NOT NULL)
CREATE INDEX attention_over_time ON evpower.attention_over USING btree (over_at)
CREATE INDEX availability_hours_start ON evpower.availability_hours USING btree (hour_start)
CREATE INDEX balance_topups_client ON public.balance_topups USING btree (client_id, created_at DESC, id DESC)
CREATE INDEX balance_topups_invoice_begins ON public.balance_topups USING btree (invoice_id text_pattern_ops)
CREATE INDEX balance_topups_order_begins ON public.balance_topups USING btree (order_id text_pattern_ops)
CREATE INDEX browser_cookies_sign_in ON evpower.browser_cookies USING btree (sign_in_id)
CREATE INDEX charger_commands_deadline ON evpower.charger_commands USING btree (deadline)
CREATE INDEX charger_commands_waiting ON evpower.charger_commands USING btree (process_id) WHERE (taken_at IS NULL)
CREATE INDEX charger_connections_process ON evpower.charger_connections USING btree (process_id)
CREATE INDEX charging_sessions_client ON public.charging_sessions USING btree (user_id, created_at DESC, id DESC)
CREATE INDEX charging_sessions_id_begins ON public.charging_sessions USING btree (id text_pattern_ops)
CREATE INDEX charging_sessions_start ON public.charging_sessions USING btree (start_time)
CREATE INDEX charging_sessions_tag ON public.charging_sessions USING btree (station_id, ltrim(lower(id_tag), '+'::text))
CREATE INDEX charging_sessions_unsettled_client ON public.charging_sessions USING btree (user_id) WHERE (settled_at IS NULL)
CREATE INDEX charging_sessions_unsettled_place ON public.charging_sessions USING btree (station_id, connector_id) WHERE (settled_at IS NULL)
CREATE INDEX charging_sessions_unsettled_tag ON public.charging_sessions USING btree (lower(id_tag)) WHERE (settled_at IS NULL)
CREATE INDEX client_tariffs_client ON public.client_tariffs USING btree (client_id)
CREATE INDEX clients_id_begins ON public.clients USING btree (id text_pattern_ops)
CREATE INDEX clients_in_debt ON public.clients USING btree (debt_amount) WHERE (debt_amount > (0)::numeric)
CREATE INDEX clients_merged_into ON public.clients USING btree (merged_into) WHERE (merged_into IS NOT NULL)
CREATE INDEX clients_phone_begins ON public.clients USING btree (phone text_pattern_ops)
CREATE INDEX device_events_newest ON evpower.device_events USING btree (station_id, id DESC)
CREATE INDEX device_events_waiting ON evpower.device_events USING btree (station_id) WHERE (NOT is_whole)
CREATE INDEX doubts_of_a_session ON evpower.doubts USING btree (session_id)
CREATE INDEX doubts_open ON evpower.doubts USING btree (first_at) WHERE (settled_at IS NULL)
CREATE INDEX free_times_ended ON evpower.free_times USING btree (ended_at, began_at)
CREATE INDEX idempotency_keys_age ON evpower.idempotency_keys USING btree (created_at)
CREATE INDEX idle_fees_open ON evpower.idle_fees USING btree (looked_at) WHERE (ended_at IS NULL)
CREATE INDEX ledger_checks_ended ON evpower.ledger_checks USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX ledger_entries_created ON evpower.ledger_entries USING btree (created_at, id)
CREATE INDEX ledger_entries_session ON evpower.ledger_entries USING btree (session_id)
CREATE INDEX ledger_entries_top_ups ON evpower.ledger_entries USING btree (created_at) WHERE (balance_topup_id IS NOT NULL)
CREATE INDEX ledger_entries_topup ON evpower.ledger_entries USING btree (balance_topup_id) WHERE (balance_topup_id IS NOT NULL)
CREATE INDEX ledger_postings_client ON evpower.ledger_postings USING btree (client_id, account)
CREATE INDEX ledger_postings_entry ON evpower.ledger_postings USING btree (entry_id)
CREATE INDEX ledger_postings_open ON evpower.ledger_postings USING btree (account) INCLUDE (amount_tyiyn) WHERE (account = ANY (ARRAY['held'::text, 'receivable'::text]))
CREATE INDEX ocpp_frames_station ON ONLY evpower.ocpp_frames USING btree (station_id, recorded_at)
CREATE INDEX ocpp_meter_values_transaction ON ONLY evpower.ocpp_meter_values USING btree (station_id, wire_transaction_id, received_at)
CREATE INDEX ocpp_parked_session ON evpower.ocpp_parked USING btree (session_id) WHERE (session_id IS NOT NULL)
CREATE INDEX ocpp_reservations_live ON evpower.ocpp_reservations USING btree (station_id) WHERE (status = ANY (ARRAY['Asked'::text, 'Active'::text]))
CREATE INDEX ocpp_security_events_newest ON evpower.ocpp_security_events USING btree (station_id, id DESC)
CREATE INDEX ocpp_transactions_given_away ON evpower.ocpp_transactions USING btree (station_id, id) WHERE free_vend
CREATE INDEX ocpp_transactions_refused ON evpower.ocpp_transactions USING btree (started_at) WHERE ((charging_session_id IS NULL) AND (NOT free_vend))
CREATE INDEX ocpp_transactions_repeat ON evpower.ocpp_transactions USING btree (station_id, connector_id, meter_start_wh, lower(id_tag))
CREATE INDEX ocpp_transactions_running ON evpower.ocpp_transactions USING btree (station_id, connector_id) WHERE (status = 'Started'::text)
CREATE INDEX ocpp_transactions_session ON evpower.ocpp_transactions USING btree (charging_session_id)
CREATE INDEX ocpp_transactions_without_stop ON evpower.ocpp_transactions USING btree (charging_session_id) WHERE (stop_received_at IS NULL)
CREATE INDEX ocpp_transfers_station ON evpower.ocpp_transfers USING btree (station_id, kind, id)
CREATE INDEX operator_acts_at ON evpower.operator_acts USING btree (acted_at)
CREATE INDEX operator_acts_target ON evpower.operator_acts USING btree (target, acted_at)
CREATE INDEX payment_audit_log_order ON evpower.payment_audit_log USING btree (order_id, id)
CREATE INDEX payment_transactions_client ON public.payment_transactions USING btree (client_id, created_at, id)
CREATE INDEX payment_transactions_session ON public.payment_transactions USING btree (charging_session_id)
CREATE INDEX plug_ins_left ON evpower.plug_ins USING btree (left_at)
CREATE INDEX plug_ins_open ON evpower.plug_ins USING btree (station_id, connector_id) WHERE (left_at IS NULL)
CREATE INDEX plug_ins_station ON evpower.plug_ins USING btree (station_id, connector_id, id)
CREATE INDEX power_grants_session ON evpower.power_grants USING btree (session_id, id)
CREATE INDEX power_grants_socket ON evpower.power_grants USING btree (station_id, connector_id, id)
CREATE INDEX power_group_members_group ON evpower.power_group_members USING btree (group_id)
CREATE INDEX power_groups_location ON evpower.power_groups USING btree (location_id)
CREATE INDEX power_groups_parent ON evpower.power_groups USING btree (parent_id)
CREATE INDEX pricing_history_session ON public.pricing_history USING btree (session_id)
CREATE INDEX provider_events_order ON evpower.provider_events USING btree (order_id)
CREATE INDEX provider_events_waiting ON evpower.provider_events USING btree (topup_id) WHERE (outcome = 'queued'::text)
CREATE INDEX push_outbox_due ON evpower.push_outbox USING btree (due_at) WHERE (state = 'queued'::text)
CREATE INDEX push_outbox_ended ON evpower.push_outbox USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX push_outbox_sent ON evpower.push_outbox USING btree (owner_id, ended_at) WHERE (state = 'sent'::text)
CREATE INDEX push_targets_ended ON evpower.push_targets USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX push_targets_owner ON evpower.push_targets USING btree (owner_id, owner_type) WHERE (ended_at IS NULL)
CREATE INDEX push_targets_sign_in ON evpower.push_targets USING btree (sign_in_id) WHERE (sign_in_id IS NOT NULL)
CREATE INDEX refresh_tokens_expires ON evpower.refresh_tokens USING btree (expires_at)
CREATE INDEX refresh_tokens_sign_in ON evpower.refresh_tokens USING btree (sign_in_id)
CREATE INDEX reservations_blocking ON evpower.reservations USING btree (station_id, connector_id) WHERE is_blocking
CREATE INDEX reservations_client ON evpower.reservations USING btree (client_id, created_at DESC)
CREATE INDEX reservations_created ON evpower.reservations USING btree (created_at)
CREATE INDEX reservations_do_not_overlap ON evpower.reservations USING gist (int8range(socket, socket, '[]'::text), tstzrange(blocks_from, expires_at)) WHERE (status = ANY (ARRAY['pending'::text, 'reserved'::text]))
CREATE INDEX reservations_due ON evpower.reservations USING btree (due_at) WHERE (due_at IS NOT NULL)
CREATE INDEX reservations_session ON evpower.reservations USING btree (session_id) WHERE (session_id IS NOT NULL)
CREATE INDEX session_phases_estimated ON evpower.session_phases USING btree (session_id) WHERE (estimated AND (corrected_at IS NULL))
CREATE INDEX session_phases_open ON evpower.session_phases USING btree (phase) WHERE (phase <> ALL (ARRAY['settled'::text, 'released'::text]))
CREATE INDEX session_phases_unbilled ON evpower.session_phases USING btree (session_id) WHERE ((unbilled_wh > 0) OR (unbilled_tyiyn > 0))
CREATE INDEX sign_in_codes_address ON evpower.sign_in_codes USING btree (address, created_at)
CREATE INDEX sign_in_codes_created ON evpower.sign_in_codes USING btree (created_at)
CREATE INDEX sign_in_codes_phone ON evpower.sign_in_codes USING btree (phone, created_at)
CREATE INDEX sign_ins_ended ON evpower.sign_ins USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX sign_ins_person ON evpower.sign_ins USING btree (person_id) WHERE (ended_at IS NULL)
CREATE INDEX staff_money_of ON evpower.staff_money USING btree (user_id, decided_at)
CREATE INDEX start_attempts_client ON evpower.start_attempts USING btree (client_id, id)
CREATE INDEX start_attempts_session ON evpower.start_attempts USING btree (session_id) WHERE (session_id IS NOT NULL)
CREATE INDEX start_attempts_station ON evpower.start_attempts USING btree (station_id, id)
CREATE INDEX start_attempts_time ON evpower.start_attempts USING btree (attempted_at)
CREATE INDEX station_certificates_station ON evpower.station_certificates USING btree (station_id, id DESC)
CREATE INDEX station_hours_hour ON evpower.station_hours USING btree (hour)
CREATE INDEX station_imports_old ON evpower.station_imports USING btree (imported_at)
CREATE INDEX station_imports_station ON evpower.station_imports USING btree (station_id, imported_at)
CREATE INDEX station_outages_ended ON evpower.station_outages USING btree (ended_at)
CREATE INDEX station_outages_station ON evpower.station_outages USING btree (station_id, began_at)
CREATE INDEX station_transactions_open ON evpower.station_transactions USING btree (station_id) WHERE (ended_at IS NULL)
CREATE INDEX stations_location ON public.stations USING btree (location_id)
CREATE INDEX tariff_rules_plan ON public.tariff_rules USING btree (tariff_plan_id)
CREATE INDEX top_up_orders_challenge ON evpower.top_up_orders USING btree (((challenge ->> 'md'::text))) WHERE (challenge IS NOT NULL)
CREATE INDEX top_up_orders_due ON evpower.top_up_orders USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX top_up_refunds_due ON evpower.top_up_refunds USING btree (next_check_at) WHERE (state = 'open'::text)
CREATE INDEX transaction_events_waiting ON evpower.transaction_events USING btree (station_id, wire_transaction_id, seq_no) WHERE (applied_at IS NULL)
CREATE INDEX webhook_deliveries_due ON evpower.webhook_deliveries USING btree (due_at) WHERE (state = 'queued'::text)
CREATE INDEX webhook_deliveries_of ON evpower.webhook_deliveries USING btree (endpoint_id, id DESC)
CREATE INDEX webhook_deliveries_old ON evpower.webhook_deliveries USING btree (occurred_at)
CREATE UNIQUE INDEX account_deletions_pkey ON evpower.account_deletions USING btree (client_id)
CREATE UNIQUE INDEX attention_marks_pkey ON evpower.attention_marks USING btree (key)
CREATE UNIQUE INDEX attention_notes_pkey ON evpower.attention_notes USING btree (key)
CREATE UNIQUE INDEX attention_over_pkey ON evpower.attention_over USING btree (key)
CREATE UNIQUE INDEX availability_hours_pkey ON evpower.availability_hours USING btree (location_id, connector_type, hour_start)
CREATE UNIQUE INDEX balance_topups_invoice_id_key ON public.balance_topups USING btree (invoice_id)
CREATE UNIQUE INDEX balance_topups_order_id_key ON public.balance_topups USING btree (order_id)
CREATE UNIQUE INDEX balance_topups_pkey ON public.balance_topups USING btree (id)
CREATE UNIQUE INDEX browser_cookies_pkey ON evpower.browser_cookies USING btree (digest)
CREATE UNIQUE INDEX charger_commands_pkey ON evpower.charger_commands USING btree (id)
CREATE UNIQUE INDEX charger_connections_pkey ON evpower.charger_connections USING btree (station_id)
CREATE UNIQUE INDEX charging_sessions_one_running ON public.charging_sessions USING btree (station_id, connector_id) WHERE (status = 'started'::text)
CREATE UNIQUE INDEX charging_sessions_pkey ON public.charging_sessions USING btree (id)
CREATE UNIQUE INDEX client_merges_pkey ON evpower.client_merges USING btree (old_id)
CREATE UNIQUE INDEX client_profiles_pkey ON evpower.client_profiles USING btree (client_id)
CREATE UNIQUE INDEX client_tariffs_pkey ON public.client_tariffs USING btree (id)
CREATE UNIQUE INDEX clients_phone ON public.clients USING btree (phone)
CREATE UNIQUE INDEX clients_pkey ON public.clients USING btree (id)
CREATE UNIQUE INDEX connector_evses_pkey ON evpower.connector_evses USING btree (station_id, connector_number)
CREATE UNIQUE INDEX connector_evses_station_id_evse_id_evse_connector_key ON evpower.connector_evses USING btree (station_id, evse_id, evse_connector)
CREATE UNIQUE INDEX connector_faults_pkey ON evpower.connector_faults USING btree (station_id, connector_number)
CREATE UNIQUE INDEX connector_health_pkey ON evpower.connector_health USING btree (station_id, connector_number)
CREATE UNIQUE INDEX connectors_pkey ON public.connectors USING btree (id)
CREATE UNIQUE INDEX connectors_station_id_connector_number_key ON public.connectors USING btree (station_id, connector_number)
CREATE UNIQUE INDEX cursor_keys_pkey ON evpower.cursor_keys USING btree (one)
CREATE UNIQUE INDEX device_events_pkey ON evpower.device_events USING btree (id)
CREATE UNIQUE INDEX device_inventories_pkey ON evpower.device_inventories USING btree (station_id)
CREATE UNIQUE INDEX device_monitors_pkey ON evpower.device_monitors USING btree (station_id, monitor_id)
CREATE UNIQUE INDEX device_variables_pkey ON evpower.device_variables USING btree (station_id, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute)
CREATE UNIQUE INDEX displaced_phones_pkey ON evpower.displaced_phones USING btree (client_id)
CREATE UNIQUE INDEX doubts_of_a_settlement ON evpower.doubts USING btree (session_id) WHERE (kind = 'settlement'::text)
CREATE UNIQUE INDEX doubts_of_a_transaction ON evpower.doubts USING btree (transaction_key, kind)
CREATE UNIQUE INDEX doubts_pkey ON evpower.doubts USING btree (id)
CREATE UNIQUE INDEX favorite_watches_client_id_location_id_key ON evpower.favorite_watches USING btree (client_id, location_id)
CREATE UNIQUE INDEX favorite_watches_pkey ON evpower.favorite_watches USING btree (id)
CREATE UNIQUE INDEX forecast_cells_pkey ON evpower.forecast_cells USING btree (location_id, connector_type)
CREATE UNIQUE INDEX forecast_reliability_pkey ON evpower.forecast_reliability USING btree (day, horizon_min, twentieths)
CREATE UNIQUE INDEX forecast_scores_pkey ON evpower.forecast_scores USING btree (day, horizon_min, method)
CREATE UNIQUE INDEX forecast_watermark_pkey ON evpower.forecast_watermark USING btree (one)
CREATE UNIQUE INDEX free_times_open ON evpower.free_times USING btree (station_id, connector_number) WHERE (ended_at IS NULL)
CREATE UNIQUE INDEX free_times_pkey ON evpower.free_times USING btree (id)
CREATE UNIQUE INDEX idempotency_keys_pkey ON evpower.idempotency_keys USING btree (client_id, key)
CREATE UNIQUE INDEX idle_fees_pkey ON evpower.idle_fees USING btree (session_id)
CREATE UNIQUE INDEX idle_times_pkey ON evpower.idle_times USING btree (session_id, since)
CREATE UNIQUE INDEX ledger_checks_night_key ON evpower.ledger_checks USING btree (night)
CREATE UNIQUE INDEX ledger_checks_pkey ON evpower.ledger_checks USING btree (id)
CREATE UNIQUE INDEX ledger_entries_once ON evpower.ledger_entries USING btree (key)
CREATE UNIQUE INDEX ledger_entries_pkey ON evpower.ledger_entries USING btree (id)
CREATE UNIQUE INDEX ledger_postings_pkey ON evpower.ledger_postings USING btree (id)
CREATE UNIQUE INDEX locations_pkey ON public.locations USING btree (id)
CREATE UNIQUE INDEX ocpp_authorization_any_case ON evpower.ocpp_authorization USING btree (lower(id_tag))
CREATE UNIQUE INDEX ocpp_authorization_pkey ON evpower.ocpp_authorization USING btree (id_tag)
CREATE UNIQUE INDEX ocpp_availability_pkey ON evpower.ocpp_availability USING btree (station_id, connector_id)
CREATE UNIQUE INDEX ocpp_charging_profiles_pkey ON evpower.ocpp_charging_profiles USING btree (station_id, connector_id, purpose, stack_level)
CREATE UNIQUE INDEX ocpp_configuration_any_case ON evpower.ocpp_configuration USING btree (station_id, lower(key))
CREATE UNIQUE INDEX ocpp_local_lists_pkey ON evpower.ocpp_local_lists USING btree (station_id)
CREATE UNIQUE INDEX ocpp_parked_pkey ON evpower.ocpp_parked USING btree (id)
CREATE UNIQUE INDEX ocpp_reservations_pkey ON evpower.ocpp_reservations USING btree (id)
CREATE UNIQUE INDEX ocpp_security_events_pkey ON evpower.ocpp_security_events USING btree (id)
CREATE UNIQUE INDEX ocpp_station_status_pkey ON evpower.ocpp_station_status USING btree (station_id)
CREATE UNIQUE INDEX ocpp_strangers_pkey ON evpower.ocpp_strangers USING btree (identity)
CREATE UNIQUE INDEX ocpp_transactions_pkey ON evpower.ocpp_transactions USING btree (id)
CREATE UNIQUE INDEX ocpp_transactions_station_id_wire_transaction_id_key ON evpower.ocpp_transactions USING btree (station_id, wire_transaction_id)
CREATE UNIQUE INDEX ocpp_transfers_pkey ON evpower.ocpp_transfers USING btree (id)
CREATE UNIQUE INDEX operator_acts_pkey ON evpower.operator_acts USING btree (key)
CREATE UNIQUE INDEX parked_payments_open ON evpower.parked_payments USING btree (topup_id, reason, COALESCE(trans_id, ''::text)) WHERE (resolved_at IS NULL)
CREATE UNIQUE INDEX parked_payments_pkey ON evpower.parked_payments USING btree (id)
CREATE UNIQUE INDEX payment_audit_log_pkey ON evpower.payment_audit_log USING btree (id)
CREATE UNIQUE INDEX payment_transactions_pkey ON public.payment_transactions USING btree (id)
CREATE UNIQUE INDEX plug_ins_pkey ON evpower.plug_ins USING btree (id)
CREATE UNIQUE INDEX power_grants_pkey ON evpower.power_grants USING btree (id)
CREATE UNIQUE INDEX power_grants_step ON evpower.power_grants USING btree (grant_id, state)
CREATE UNIQUE INDEX power_group_members_pkey ON evpower.power_group_members USING btree (station_id, connector_id)
CREATE UNIQUE INDEX power_groups_pkey ON evpower.power_groups USING btree (id)
CREATE UNIQUE INDEX power_history_pkey ON evpower.power_history USING btree (group_id, at)
CREATE UNIQUE INDEX power_preferences_pkey ON evpower.power_preferences USING btree (session_id)
CREATE UNIQUE INDEX power_released_pkey ON evpower.power_released USING btree (station_id, connector_id)
CREATE UNIQUE INDEX power_schedules_pkey ON evpower.power_schedules USING btree (group_id, n)
CREATE UNIQUE INDEX power_station_limits_pkey ON evpower.power_station_limits USING btree (station_id, connector_id, source)
CREATE UNIQUE INDEX pricing_history_pkey ON public.pricing_history USING btree (id)
CREATE UNIQUE INDEX processes_pkey ON evpower.processes USING btree (process_id)
CREATE UNIQUE INDEX provider_events_pkey ON evpower.provider_events USING btree (id)
CREATE UNIQUE INDEX push_outbox_event_key_key ON evpower.push_outbox USING btree (event_key)
CREATE UNIQUE INDEX push_outbox_pkey ON evpower.push_outbox USING btree (id)
CREATE UNIQUE INDEX push_preferences_pkey ON evpower.push_preferences USING btree (owner_type, owner_id)
CREATE UNIQUE INDEX push_targets_address_key ON evpower.push_targets USING btree (address)
CREATE UNIQUE INDEX push_targets_pkey ON evpower.push_targets USING btree (id)
CREATE UNIQUE INDEX receipt_numbers_pkey ON evpower.receipt_numbers USING btree (year)
CREATE UNIQUE INDEX receipts_pkey ON evpower.receipts USING btree (year, serial)
CREATE UNIQUE INDEX receipts_session_id_revision_key ON evpower.receipts USING btree (session_id, revision)
CREATE UNIQUE INDEX refresh_tokens_pkey ON evpower.refresh_tokens USING btree (digest)
CREATE UNIQUE INDEX refused_logins_pkey ON evpower.refused_logins USING btree (station_id)
CREATE UNIQUE INDEX reservations_one_active ON evpower.reservations USING btree (client_id) WHERE (status = ANY (ARRAY['pending'::text, 'reserved'::text]))
CREATE UNIQUE INDEX reservations_pkey ON evpower.reservations USING btree (id)
CREATE UNIQUE INDEX reservations_wire_id_key ON evpower.reservations USING btree (wire_id)
CREATE UNIQUE INDEX revoked_people_pkey ON evpower.revoked_people USING btree (person_id)
CREATE UNIQUE INDEX schema_migrations_pkey ON evpower.schema_migrations USING btree (version)
CREATE UNIQUE INDEX session_curves_pkey ON evpower.session_curves USING btree (session_id)
CREATE UNIQUE INDEX session_phases_pkey ON evpower.session_phases USING btree (session_id)
CREATE UNIQUE INDEX sign_in_codes_pkey ON evpower.sign_in_codes USING btree (id)
CREATE UNIQUE INDEX sign_in_links_pkey ON evpower.sign_in_links USING btree (digest)
CREATE UNIQUE INDEX sign_ins_pkey ON evpower.sign_ins USING btree (id)
CREATE UNIQUE INDEX signed_readings_pkey ON evpower.signed_readings USING btree (id)
CREATE UNIQUE INDEX signed_readings_session_id_digest_key ON evpower.signed_readings USING btree (session_id, digest)
CREATE UNIQUE INDEX signing_keys_pkey ON evpower.signing_keys USING btree (kid)
CREATE UNIQUE INDEX site_contacts_pkey ON evpower.site_contacts USING btree (location_id)
CREATE UNIQUE INDEX socket_ends_pkey ON evpower.socket_ends USING btree (station_id)
CREATE UNIQUE INDEX staff_elevations_pkey ON evpower.staff_elevations USING btree (token_hash)
CREATE UNIQUE INDEX staff_locations_pkey ON evpower.staff_locations USING btree (user_id, location_id)
CREATE UNIQUE INDEX staff_money_pkey ON evpower.staff_money USING btree (id)
CREATE UNIQUE INDEX staff_totp_pkey ON evpower.staff_totp USING btree (user_id)
CREATE UNIQUE INDEX start_attempts_pkey ON evpower.start_attempts USING btree (id)
CREATE UNIQUE INDEX station_certificates_pkey ON evpower.station_certificates USING btree (id)
CREATE UNIQUE INDEX station_certificates_under_way ON evpower.station_certificates USING btree (station_id) WHERE (state = ANY (ARRAY['requested'::text, 'signed'::text]))
CREATE UNIQUE INDEX station_credentials_pkey ON evpower.station_credentials USING btree (station_id)
CREATE UNIQUE INDEX station_hours_pkey ON evpower.station_hours USING btree (station_id, hour)
CREATE UNIQUE INDEX station_imports_pkey ON evpower.station_imports USING btree (id)
CREATE UNIQUE INDEX station_outages_open ON evpower.station_outages USING btree (station_id) WHERE (ended_at IS NULL)
CREATE UNIQUE INDEX station_outages_pkey ON evpower.station_outages USING btree (id)
CREATE UNIQUE INDEX station_policies_pkey ON evpower.station_policies USING btree (station_id)
CREATE UNIQUE INDEX station_transactions_pkey ON evpower.station_transactions USING btree (station_id, wire_transaction_id)
CREATE UNIQUE INDEX station_trust_pkey ON evpower.station_trust USING btree (station_id)
CREATE UNIQUE INDEX stations_pkey ON public.stations USING btree (id)
CREATE UNIQUE INDEX stations_serial_number_key ON public.stations USING btree (serial_number)
CREATE UNIQUE INDEX tariff_plans_pkey ON public.tariff_plans USING btree (id)
CREATE UNIQUE INDEX tariff_rules_pkey ON public.tariff_rules USING btree (id)
CREATE UNIQUE INDEX top_up_numbers_pkey ON evpower.top_up_numbers USING btree (one)
CREATE UNIQUE INDEX top_up_orders_auth_key_key ON evpower.top_up_orders USING btree (auth_key)
CREATE UNIQUE INDEX top_up_orders_number_key ON evpower.top_up_orders USING btree (number)
CREATE UNIQUE INDEX top_up_orders_pkey ON evpower.top_up_orders USING btree (topup_id)
CREATE UNIQUE INDEX top_up_refunds_one_open ON evpower.top_up_refunds USING btree (topup_id) WHERE (state = 'open'::text)
CREATE UNIQUE INDEX top_up_refunds_pkey ON evpower.top_up_refunds USING btree (id)
CREATE UNIQUE INDEX transaction_events_pkey ON evpower.transaction_events USING btree (station_id, wire_transaction_id, seq_no)
CREATE UNIQUE INDEX turned_away_pkey ON evpower.turned_away USING btree (location_id, hour_start)
CREATE UNIQUE INDEX unverified_phones_pkey ON evpower.unverified_phones USING btree (client_id)
CREATE UNIQUE INDEX unwatched_times_pkey ON evpower.unwatched_times USING btree (began_at)
CREATE UNIQUE INDEX user_favorites_pkey ON public.user_favorites USING btree (id)
CREATE UNIQUE INDEX user_favorites_user_id_location_id_key ON public.user_favorites USING btree (user_id, location_id)
CREATE UNIQUE INDEX users_phone ON public.users USING btree (ltrim(phone, '+'::text)) WHERE (phone IS NOT NULL)
CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)
CREATE UNIQUE INDEX webhook_deliveries_pkey ON evpower.webhook_deliveries USING btree (id)
CREATE UNIQUE INDEX webhook_endpoints_pkey ON evpower.webhook_endpoints USING btree (id)

-- sequences

evpower.device_events_id_seq bigint FROM 1 TO 9223372036854775807
evpower.device_report_ids integer FROM 1 TO 2147483647
evpower.doubts_id_seq bigint FROM 1 TO 9223372036854775807
evpower.favorite_watches_id_seq bigint FROM 1 TO 9223372036854775807
evpower.free_times_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ledger_checks_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ledger_entries_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ledger_postings_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ocpp16_transaction_ids integer FROM 1 TO 2147483647
evpower.ocpp_parked_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ocpp_reservations_id_seq integer FROM 1 TO 2147483647
evpower.ocpp_security_events_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ocpp_transactions_id_seq bigint FROM 1 TO 9223372036854775807
evpower.ocpp_transfers_id_seq integer FROM 1 TO 2147483647
evpower.parked_payments_id_seq bigint FROM 1 TO 9223372036854775807
evpower.payment_audit_log_id_seq bigint FROM 1 TO 9223372036854775807
evpower.plug_ins_id_seq bigint FROM 1 TO 9223372036854775807
evpower.power_grant_numbers bigint FROM 1 TO 9223372036854775807
evpower.power_grants_id_seq bigint FROM 1 TO 9223372036854775807
evpower.power_groups_id_seq bigint FROM 1 TO 9223372036854775807
evpower.provider_events_id_seq bigint FROM 1 TO 9223372036854775807
evpower.push_outbox_id_seq bigint FROM 1 TO 9223372036854775807
evpower.push_targets_id_seq bigint FROM 1 TO 9223372036854775807
evpower.remote_start_ids integer FROM 1 TO 2147483647
evpower.sign_in_codes_id_seq bigint FROM 1 TO 9223372036854775807
evpower.signed_readings_id_seq bigint FROM 1 TO 9223372036854775807
evpower.staff_money_id_seq bigint FROM 1 TO 9223372036854775807
evpower.start_attempts_id_seq bigint FROM 1 TO 9223372036854775807
evpower.station_certificates_id_seq bigint FROM 1 TO 9223372036854775807
evpower.station_imports_id_seq bigint FROM 1 TO 9223372036854775807
evpower.station_outages_id_seq bigint FROM 1 TO 9223372036854775807
evpower.top_up_refunds_id_seq bigint FROM 1 TO 9223372036854775807
evpower.webhook_deliveries_id_seq bigint FROM 1 TO 9223372036854775807
public.balance_topups_id_seq bigint FROM 1 TO 9223372036854775807
public.payment_transactions_id_seq bigint FROM 1 TO 9223372036854775807
public.pricing_history_id_seq bigint FROM 1 TO 9223372036854775807

-- functions

CREATE OR REPLACE FUNCTION evpower.announce(event_name text, about_type text, about_id text, happened_at timestamp with time zone, facts jsonb)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
    INSERT INTO evpower.webhook_deliveries (endpoint_id, event, object_type, object_id, occurred_at, due_at, data)
    SELECT e.id, event_name, about_type, about_id, happened_at, happened_at, facts
    FROM evpower.webhook_endpoints e WHERE event_name = ANY(e.events) AND e.disabled_at IS NULL
    ORDER BY e.id
$function$
CREATE OR REPLACE FUNCTION evpower.announce_doubt()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
BEGIN
    PERFORM evpower.announce('doubt', 'doubt', NEW.id::text, NEW.first_at, jsonb_build_object(
        'doubt_id', NEW.id, 'kind', NEW.kind, 'message', NEW.message, 'station_id', NEW.station_id,
        'connector_id', NEW.connector_id, 'session_id', NEW.session_id, 'figure', NEW.first_figure, 'bound', NEW.bound,
        'detail', NEW.detail));
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.announce_parked()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
BEGIN
    PERFORM evpower.announce('payment.parked', 'parked_payment', NEW.id::text, NEW.parked_at, jsonb_build_object(
        'parked_id', NEW.id, 'invoice_id', t.invoice_id, 'order_id', t.order_id, 'client_id', t.client_id,
        'provider', NEW.provider, 'reason', NEW.reason, 'amount_tyiyn', NEW.amount_tyiyn, 'currency', NEW.currency))
    FROM public.balance_topups t WHERE t.id = NEW.topup_id;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.announce_session()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
DECLARE
    about text := to_jsonb(NEW) ->> TG_ARGV[1];
    happened_at timestamptz := (to_jsonb(NEW) ->> TG_ARGV[2])::timestamptz;
BEGIN
    IF EXISTS (SELECT FROM evpower.webhook_endpoints e WHERE TG_ARGV[0] = ANY(e.events) AND e.disabled_at IS NULL) THEN
        PERFORM evpower.announce(TG_ARGV[0], 'session', s.id, happened_at, jsonb_build_object(
            'session_id', s.id, 'station_id', s.station_id, 'connector_id', s.connector_id, 'client_id', s.user_id,
            'status', s.status, 'phase', p.phase, 'started_at', s.start_time, 'stopped_at', s.stop_time,
            'energy_wh', (s.energy * 1000)::bigint, 'reserved_tyiyn', (s.reserved_amount * 100)::bigint,
            'amount_tyiyn', (s.amount * 100)::bigint, 'refunded_tyiyn', (s.refunded_amount * 100)::bigint,
            'additional_tyiyn', (s.additional_charge * 100)::bigint, 'debt_tyiyn', (s.debt_amount * 100)::bigint,
            'end_cause', p.end_cause, 'stop_reason', s.stop_reason, 'is_estimated', p.estimated))
        FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id WHERE s.id = about;
    END IF;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.announce_station()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
BEGIN
    -- Since when it is silent, or heard of again: the writer's clock.
    PERFORM evpower.announce(
        CASE WHEN NEW.is_available THEN 'station.online' ELSE 'station.offline' END, 'station', NEW.id,
        coalesce(NEW.last_heartbeat_at, NEW.created_at),
        jsonb_build_object('station_id', NEW.id, 'location_id', NEW.location_id,
                           'last_heartbeat_at', NEW.last_heartbeat_at));
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.forget_displaced_phone()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
    DELETE FROM evpower.displaced_phones WHERE client_id = NEW.id;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.keep_boot()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    UPDATE evpower.station_outages SET cause = 'boot'
    WHERE station_id = NEW.station_id AND began_at <= NEW.booted_at
          AND (ended_at IS NULL OR ended_at >= NEW.booted_at - interval '1 minute');
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.keep_outage()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.is_available THEN
        UPDATE evpower.station_outages SET ended_at = greatest(began_at, NEW.last_heartbeat_at)
        WHERE station_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.last_heartbeat_at IS NOT NULL THEN
        INSERT INTO evpower.station_outages (station_id, began_at, cause, close_code)
        SELECT NEW.id, NEW.last_heartbeat_at,
               CASE WHEN c.station_id IS NULL THEN 'socket' ELSE 'silence' END,
               CASE WHEN c.station_id IS NULL THEN e.close_code END
        FROM (SELECT NEW.id, NEW.last_heartbeat_at AS heard_at) s
        LEFT JOIN evpower.charger_connections c ON c.station_id = s.id
        LEFT JOIN evpower.socket_ends e ON e.station_id = s.id AND e.ended_at >= s.heard_at
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.keep_plug_in()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.ocpp_status = 'Preparing' THEN
        UPDATE evpower.plug_ins SET left_at = NEW.updated_at, left_to = NEW.ocpp_status
        WHERE station_id = NEW.station_id AND connector_id = NEW.connector_number AND left_at IS NULL;
    ELSE
        INSERT INTO evpower.plug_ins (station_id, connector_id, plugged_at)
        VALUES (NEW.station_id, NEW.connector_number, NEW.updated_at);
    END IF;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.keep_socket_end()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    UPDATE evpower.station_outages SET close_code = NEW.close_code
    WHERE station_id = NEW.station_id AND ended_at IS NULL AND close_code IS NULL;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.mark_phone()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
DECLARE
    claimed constant boolean := evpower.token_has_phone(NEW.phone);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.phone IS NOT DISTINCT FROM OLD.phone AND NOT claimed THEN
        RETURN NULL;
    END IF;
    DELETE FROM evpower.unverified_phones WHERE client_id = NEW.id;
    IF TG_ARGV[0] = 'directly' AND NEW.phone IS NOT NULL AND NOT claimed THEN
        INSERT INTO evpower.unverified_phones VALUES (NEW.id);
    END IF;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.paused_times(of_session text, began timestamp with time zone)
 RETURNS json
 LANGUAGE sql
 STABLE
AS $function$
    SELECT json_agg(json_build_array(extract(epoch FROM since), extract(epoch FROM ends)) ORDER BY since)
    FROM (SELECT since, current_da, least(lease_ends, lead(since) OVER (ORDER BY since, id)) AS ends
          FROM (SELECT id, current_da, coalesce(acked_at, began) AS since,
                       CASE WHEN transaction IS NULL THEN began + make_interval(secs => lease_s) ELSE lease_until END
                           AS lease_ends
                FROM evpower.power_grants
                WHERE session_id = of_session AND (state = 'accepted' OR (state = 'sent' AND transaction IS NULL))) held
         ) times
    WHERE current_da = 0 AND ends > since
$function$
CREATE OR REPLACE FUNCTION evpower.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $function$
CREATE OR REPLACE FUNCTION evpower.refuse_unbalanced()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$
CREATE OR REPLACE FUNCTION evpower.request_deletion(client text, at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
DECLARE
    asking public.clients%ROWTYPE;
BEGIN
    SELECT * INTO asking FROM public.clients WHERE id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF EXISTS (SELECT FROM evpower.account_deletions d WHERE d.client_id = client) THEN
        RETURN 'requested';
    END IF;
    IF EXISTS (SELECT FROM public.charging_sessions s WHERE s.user_id = client AND s.settled_at IS NULL) THEN
        RETURN 'running';
    END IF;
    IF asking.debt_amount > 0 THEN
        RETURN 'debt';
    END IF;
    INSERT INTO evpower.account_deletions (client_id, status_before, requested_at, restorable_until, due_at)
    VALUES (client, asking.status, at, at + interval '30 days', at + interval '30 days');
    UPDATE public.clients SET status = 'inactive', delete_requested_at = at, updated_at = at WHERE id = client;
    RETURN 'requested';
END $function$
CREATE OR REPLACE FUNCTION evpower.restore_account(client text, at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
DECLARE
    deletion evpower.account_deletions%ROWTYPE;
BEGIN
    PERFORM FROM public.clients WHERE id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    SELECT * INTO deletion FROM evpower.account_deletions d WHERE d.client_id = client FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'restored';
    END IF;
    IF deletion.erased_at IS NOT NULL OR deletion.restorable_until <= at THEN
        RETURN 'too_late';
    END IF;
    DELETE FROM evpower.account_deletions d WHERE d.client_id = client;
    -- Whom an operator blocked meanwhile does not come back by this door.
    UPDATE public.clients SET status = CASE status WHEN 'blocked' THEN status ELSE deletion.status_before END,
           delete_requested_at = NULL, updated_at = at
    WHERE id = client;
    RETURN 'restored';
END $function$
CREATE OR REPLACE FUNCTION evpower.revoke_person()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
DECLARE
    -- The writer's clock, as long as the writer says what it is.
    at timestamptz := CASE WHEN TG_OP = 'UPDATE' AND NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE now() END;
BEGIN
    INSERT INTO evpower.revoked_people AS r (person_id, revoked_at) VALUES (OLD.id, at)
    ON CONFLICT (person_id) DO UPDATE SET revoked_at = greatest(r.revoked_at, excluded.revoked_at);
    UPDATE evpower.sign_ins SET ended_at = at, end_cause = 'revoked' WHERE person_id = OLD.id AND ended_at IS NULL;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.take_phone()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
BEGIN
    PERFORM evpower.take_unverified_phone(NEW.phone, NEW.id);
    RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION evpower.take_unverified_phone(wanted text, taker text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
DECLARE
    holder text;
BEGIN
    UPDATE public.clients c SET phone = NULL FROM evpower.unverified_phones u
    WHERE c.phone = wanted AND u.client_id = c.id AND c.id <> taker RETURNING c.id INTO holder;
    IF holder IS NOT NULL THEN
        INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES (holder, wanted, 'unverified')
        ON CONFLICT (client_id) DO UPDATE
        SET phone = excluded.phone, reason = excluded.reason, displaced_at = excluded.displaced_at;
    END IF;
    RETURN holder;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell(what text)
 RETURNS void
 LANGUAGE sql
AS $function$
    SELECT pg_notify('evpower', coalesce(nullif(current_setting('evpower.process_id', true), ''), '-') || ' ' || what)
$function$
CREATE OR REPLACE FUNCTION evpower.tell_connection()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM evpower.tell('left ' || OLD.station_id);
    ELSE
        PERFORM evpower.tell(format('connected %s %s', NEW.process_id, NEW.station_id));
    END IF;
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_location()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell('location ' || CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
                                                   ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_merged()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell('merged ' || NEW.id);
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_prices()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell('prices -');
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_session()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell(format('%s %s %s %s', CASE WHEN NEW.settled_at IS NULL THEN 'began' ELSE 'settled' END,
                                NEW.id, NEW.connector_id, NEW.station_id));
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_sign_in()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell('sign-in -');
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.tell_station()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM evpower.tell('station ' || CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
                                                  ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION evpower.token_has_phone(phone text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
    SELECT coalesce('+' || ltrim(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'phone', '+') = phone,
                    false)
$function$
CREATE OR REPLACE FUNCTION evpower.write_phone()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    bare constant text := regexp_replace(NEW.phone, '[[:space:]().-]', '', 'g');
BEGIN
    NEW.phone := CASE WHEN bare ~ '^996[0-9]{9}$' THEN '+' || bare WHEN bare ~ '^\+[1-9][0-9]{6,14}$' THEN bare
                      WHEN bare = '' THEN NULL ELSE NEW.phone END;
    RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION evpower.write_statement()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    entry evpower.ledger_entries%ROWTYPE;
    alias_of text;
    after_som numeric;
    latest timestamptz;
    amount_som numeric := NEW.amount_tyiyn::numeric / 100;
BEGIN
    SELECT * INTO entry FROM evpower.ledger_entries WHERE id = NEW.entry_id;
    IF NEW.account = 'receivable' THEN
        UPDATE public.clients SET debt_amount = debt_amount - amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id RETURNING merged_into INTO alias_of;
    ELSE
        UPDATE public.clients SET balance = balance + amount_som, updated_at = entry.created_at
        WHERE id = NEW.client_id RETURNING balance, merged_into INTO after_som, alias_of;
    END IF;
    IF alias_of IS NOT NULL THEN
        RAISE EXCEPTION 'client % is merged into %', NEW.client_id, alias_of USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.account = 'receivable' THEN
        RETURN NULL;
    END IF;
    -- Readers order by (created_at, id): whoever waited for the row lock does not step behind who came first.
    SELECT max(created_at) INTO latest FROM public.payment_transactions WHERE client_id = NEW.client_id;
    INSERT INTO public.payment_transactions
        (client_id, type, amount, balance_before, balance_after, description,
         balance_topup_id, charging_session_id, created_at)
    VALUES (NEW.client_id, NEW.statement_type, amount_som, after_som - amount_som, after_som, entry.description,
            CASE NEW.statement_type WHEN 'balance_topup' THEN entry.balance_topup_id END, entry.session_id,
            greatest(entry.created_at, latest));
    RETURN NULL;
END $function$

-- triggers

CREATE CONSTRAINT TRIGGER announce_correction AFTER UPDATE ON public.charging_sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.settled_at IS NOT NULL) AND (new.settled_at IS NOT NULL) AND ((old.amount IS DISTINCT FROM new.amount) OR (old.energy IS DISTINCT FROM new.energy)))) EXECUTE FUNCTION evpower.announce_session('session.corrected', 'id', 'updated_at')
CREATE CONSTRAINT TRIGGER announce_end AFTER UPDATE ON public.charging_sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.settled_at IS NULL) AND (new.settled_at IS NOT NULL))) EXECUTE FUNCTION evpower.announce_session('session.ended', 'id', 'settled_at')
CREATE CONSTRAINT TRIGGER announce_late_start AFTER INSERT ON evpower.session_phases DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.phase = 'charging'::text)) EXECUTE FUNCTION evpower.announce_session('session.started', 'session_id', 'phase_at')
CREATE CONSTRAINT TRIGGER announce_start AFTER UPDATE ON evpower.session_phases DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.phase = 'charging'::text) AND (old.phase <> 'charging'::text))) EXECUTE FUNCTION evpower.announce_session('session.started', 'session_id', 'phase_at')
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON evpower.ledger_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evpower.refuse_unbalanced()
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON evpower.ledger_postings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evpower.refuse_unbalanced()
CREATE TRIGGER announce AFTER INSERT ON evpower.doubts FOR EACH ROW EXECUTE FUNCTION evpower.announce_doubt()
CREATE TRIGGER announce AFTER INSERT ON evpower.parked_payments FOR EACH ROW EXECUTE FUNCTION evpower.announce_parked()
CREATE TRIGGER announce AFTER UPDATE ON public.stations FOR EACH ROW WHEN ((old.is_available IS DISTINCT FROM new.is_available)) EXECUTE FUNCTION evpower.announce_station()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evpower.ledger_entries FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evpower.ledger_postings FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evpower.payment_audit_log FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evpower.power_grants FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evpower.receipts FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.payment_transactions FOR EACH ROW EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER displaced_phone_forgotten AFTER UPDATE OF anonymized ON public.clients FOR EACH ROW WHEN (new.anonymized) EXECUTE FUNCTION evpower.forget_displaced_phone()
CREATE TRIGGER keep_boot AFTER INSERT OR UPDATE OF booted_at ON evpower.ocpp_station_status FOR EACH ROW WHEN ((new.booted_at IS NOT NULL)) EXECUTE FUNCTION evpower.keep_boot()
CREATE TRIGGER keep_outage AFTER UPDATE ON public.stations FOR EACH ROW WHEN ((old.is_available IS DISTINCT FROM new.is_available)) EXECUTE FUNCTION evpower.keep_outage()
CREATE TRIGGER keep_plug_in AFTER UPDATE ON public.connectors FOR EACH ROW WHEN (((old.ocpp_status IS DISTINCT FROM new.ocpp_status) AND ((old.ocpp_status = 'Preparing'::text) OR (new.ocpp_status = 'Preparing'::text)))) EXECUTE FUNCTION evpower.keep_plug_in()
CREATE TRIGGER keep_socket_end AFTER INSERT OR UPDATE ON evpower.socket_ends FOR EACH ROW EXECUTE FUNCTION evpower.keep_socket_end()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.ledger_postings FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.payment_audit_log FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.power_grants FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evpower.receipts FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.payment_transactions FOR EACH STATEMENT EXECUTE FUNCTION evpower.refuse_change()
CREATE TRIGGER phone_of_app AFTER INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW WHEN (row_security_active('public.clients'::text)) EXECUTE FUNCTION evpower.mark_phone('directly')
CREATE TRIGGER phone_of_server AFTER INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW WHEN ((NOT row_security_active('public.clients'::text))) EXECUTE FUNCTION evpower.mark_phone('by the server')
CREATE TRIGGER phone_written BEFORE INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW WHEN ((new.phone IS NOT NULL)) EXECUTE FUNCTION evpower.write_phone()
CREATE TRIGGER phone_written_taken BEFORE INSERT OR UPDATE OF phone ON public.clients FOR EACH ROW WHEN (((new.phone IS NOT NULL) AND ((NOT row_security_active('public.clients'::text)) OR evpower.token_has_phone(new.phone)))) EXECUTE FUNCTION evpower.take_phone()
CREATE TRIGGER revoke AFTER UPDATE ON public.clients FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) AND (new.status <> 'active'::text))) EXECUTE FUNCTION evpower.revoke_person()
CREATE TRIGGER revoke AFTER UPDATE ON public.users FOR EACH ROW WHEN (((old.is_active AND (NOT new.is_active)) OR (old.phone IS DISTINCT FROM new.phone))) EXECUTE FUNCTION evpower.revoke_person()
CREATE TRIGGER revoke_deleted AFTER DELETE ON public.users FOR EACH ROW EXECUTE FUNCTION evpower.revoke_person()
CREATE TRIGGER statement AFTER INSERT ON evpower.ledger_postings FOR EACH ROW WHEN ((new.account = ANY (ARRAY['client'::text, 'receivable'::text]))) EXECUTE FUNCTION evpower.write_statement()
CREATE TRIGGER tell AFTER INSERT ON public.charging_sessions FOR EACH ROW EXECUTE FUNCTION evpower.tell_session()
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.charger_connections FOR EACH ROW EXECUTE FUNCTION evpower.tell_connection()
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.connector_health FOR EACH ROW EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell AFTER INSERT OR DELETE ON evpower.ocpp_station_status FOR EACH ROW EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.connectors FOR EACH ROW EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.locations FOR EACH ROW EXECUTE FUNCTION evpower.tell_location('id')
CREATE TRIGGER tell AFTER INSERT OR DELETE ON public.stations FOR EACH ROW EXECUTE FUNCTION evpower.tell_location('location_id')
CREATE TRIGGER tell AFTER INSERT OR DELETE OR UPDATE ON public.tariff_plans FOR EACH STATEMENT EXECUTE FUNCTION evpower.tell_prices()
CREATE TRIGGER tell AFTER INSERT OR DELETE OR UPDATE ON public.tariff_rules FOR EACH STATEMENT EXECUTE FUNCTION evpower.tell_prices()
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON evpower.revoked_people FOR EACH ROW EXECUTE FUNCTION evpower.tell_sign_in()
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.charger_connections FOR EACH ROW WHEN ((old.process_id IS DISTINCT FROM new.process_id)) EXECUTE FUNCTION evpower.tell_connection()
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.connector_health FOR EACH ROW WHEN ((old.doubt IS DISTINCT FROM new.doubt)) EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell_change AFTER UPDATE ON evpower.ocpp_station_status FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR (old.reported_evses IS DISTINCT FROM new.reported_evses))) EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell_change AFTER UPDATE ON public.charging_sessions FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR (old.settled_at IS DISTINCT FROM new.settled_at))) EXECUTE FUNCTION evpower.tell_session()
CREATE TRIGGER tell_change AFTER UPDATE ON public.connectors FOR EACH ROW WHEN ((((((old.connector_number IS DISTINCT FROM new.connector_number) OR (old.connector_type IS DISTINCT FROM new.connector_type)) OR (old.power_kw IS DISTINCT FROM new.power_kw)) OR (old.status IS DISTINCT FROM new.status)) OR (old.ocpp_status IS DISTINCT FROM new.ocpp_status))) EXECUTE FUNCTION evpower.tell_station('station_id')
CREATE TRIGGER tell_change AFTER UPDATE ON public.locations FOR EACH ROW WHEN ((((((((old.name IS DISTINCT FROM new.name) OR (old.address IS DISTINCT FROM new.address)) OR (old.city IS DISTINCT FROM new.city)) OR (old.country IS DISTINCT FROM new.country)) OR (old.latitude IS DISTINCT FROM new.latitude)) OR (old.longitude IS DISTINCT FROM new.longitude)) OR (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION evpower.tell_location('id')
CREATE TRIGGER tell_change AFTER UPDATE ON public.stations FOR EACH ROW WHEN ((((((((((((old.serial_number IS DISTINCT FROM new.serial_number) OR (old.model IS DISTINCT FROM new.model)) OR (old.manufacturer IS DISTINCT FROM new.manufacturer)) OR (old.location_id IS DISTINCT FROM new.location_id)) OR (old.power_capacity IS DISTINCT FROM new.power_capacity)) OR (old.connectors_count IS DISTINCT FROM new.connectors_count)) OR (old.status IS DISTINCT FROM new.status)) OR (old.is_available IS DISTINCT FROM new.is_available)) OR (old.tariff_plan_id IS DISTINCT FROM new.tariff_plan_id)) OR (old.price_per_kwh IS DISTINCT FROM new.price_per_kwh)) OR (old.session_fee IS DISTINCT FROM new.session_fee))) EXECUTE FUNCTION evpower.tell_station('id')
CREATE TRIGGER tell_end AFTER UPDATE ON evpower.sign_ins FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION evpower.tell_sign_in()
CREATE TRIGGER tell_merged AFTER UPDATE ON public.clients FOR EACH ROW WHEN ((old.merged_into IS DISTINCT FROM new.merged_into)) EXECUTE FUNCTION evpower.tell_merged()
CREATE TRIGGER tell_price AFTER UPDATE ON public.stations FOR EACH ROW WHEN ((((old.tariff_plan_id IS DISTINCT FROM new.tariff_plan_id) OR (old.price_per_kwh IS DISTINCT FROM new.price_per_kwh)) OR (old.session_fee IS DISTINCT FROM new.session_fee))) EXECUTE FUNCTION evpower.tell_prices()

