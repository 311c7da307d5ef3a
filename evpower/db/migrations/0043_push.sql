-- Messages to phones (roadmap/history-favorites-push §3): where they go, which a person wants, and which are to be sent.
-- None of these tables refers to another one: a row here never refuses the event that it speaks of.
CREATE TABLE evpower.push_targets (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_type    text NOT NULL CHECK (owner_type IN ('client', 'owner')),
    owner_id      text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('fcm', 'webpush')),
    -- FCM's registration token, or the endpoint of a web push subscription: one phone, whoever has it.
    address       text NOT NULL UNIQUE,
    p256dh        bytea,
    auth          bytea,
    platform      text,
    app_version   text,
    locale        text NOT NULL DEFAULT 'ru',
    -- The sign-in of ours it was registered in: it goes with it.
    sign_in_id    text,
    registered_at timestamptz NOT NULL,
    last_ok_at    timestamptz,
    failures      integer NOT NULL DEFAULT 0,
    ended_at      timestamptz,
    end_reason    text,
    CONSTRAINT push_targets_keys CHECK ((kind = 'webpush') = (p256dh IS NOT NULL AND auth IS NOT NULL)),
    CONSTRAINT push_targets_end CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX push_targets_owner ON evpower.push_targets (owner_id, owner_type) WHERE ended_at IS NULL;
CREATE INDEX push_targets_sign_in ON evpower.push_targets (sign_in_id) WHERE sign_in_id IS NOT NULL;
CREATE INDEX push_targets_ended ON evpower.push_targets (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE evpower.push_preferences (
    owner_type       text NOT NULL CHECK (owner_type IN ('client', 'owner')),
    owner_id         text NOT NULL,
    charging_updates boolean NOT NULL,
    payment_alerts   boolean NOT NULL,
    promotions       boolean NOT NULL,
    system_alerts    boolean NOT NULL,
    PRIMARY KEY (owner_type, owner_id)
);

-- One row for an event and a person, written in the unit of work of the event. A claim moves `due_at` ahead: if the
-- process dies, the row is due again.
CREATE TABLE evpower.push_outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_key  text NOT NULL UNIQUE,
    owner_type text NOT NULL,
    owner_id   text NOT NULL,
    event      text NOT NULL,
    payload    jsonb NOT NULL,
    queued_at  timestamptz NOT NULL,
    due_at     timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    state      text NOT NULL DEFAULT 'queued',
    -- Targets that have it, or will never take it.
    reached    bigint[] NOT NULL DEFAULT '{}',
    ended_at   timestamptz,
    end_reason text
);
CREATE INDEX push_outbox_due ON evpower.push_outbox (due_at) WHERE state = 'queued';
CREATE INDEX push_outbox_sent ON evpower.push_outbox (owner_id, ended_at) WHERE state = 'sent';
CREATE INDEX push_outbox_ended ON evpower.push_outbox (ended_at) WHERE ended_at IS NOT NULL;
