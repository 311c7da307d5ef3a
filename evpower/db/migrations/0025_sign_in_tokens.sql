-- The keys that our own tokens are signed with. The private half is encrypted under a secret that is not in the
-- database: whoever has a copy of the table can check tokens, as anybody can, and make none.
CREATE TABLE evpower.signing_keys (
    kid            text PRIMARY KEY,
    -- The public half as a JWK.
    public_jwk     text NOT NULL,
    private_sealed bytea NOT NULL,
    -- Which secret opens it: a hash.
    sealed_under   text NOT NULL,
    signs_from     timestamptz NOT NULL,
    signs_until    timestamptz NOT NULL,
    believed_until timestamptz NOT NULL,
    CONSTRAINT signing_keys_order CHECK (signs_until <= believed_until)
);

-- A sign-in: one phone that stays signed in until it signs out, or until it is not heard of for 60 days.
CREATE TABLE evpower.sign_ins (
    id           text PRIMARY KEY,
    person_id    text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('client', 'staff')),
    signed_in_at timestamptz NOT NULL,
    ended_at     timestamptz,
    end_cause    text CHECK (end_cause IN ('logout', 'logout_all', 'reuse', 'revoked')),
    CONSTRAINT sign_ins_ended CHECK ((ended_at IS NULL) = (end_cause IS NULL))
);
CREATE INDEX sign_ins_person ON evpower.sign_ins (person_id) WHERE ended_at IS NULL;
CREATE INDEX sign_ins_ended ON evpower.sign_ins (ended_at) WHERE ended_at IS NOT NULL;

-- Its refresh token, and those before it when it asks for a new one each time.
CREATE TABLE evpower.refresh_tokens (
    -- SHA-256 of 256 random bits.
    digest      bytea PRIMARY KEY,
    sign_in_id  text NOT NULL REFERENCES evpower.sign_ins ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE INDEX refresh_tokens_sign_in ON evpower.refresh_tokens (sign_in_id);
CREATE INDEX refresh_tokens_expires ON evpower.refresh_tokens (expires_at);
