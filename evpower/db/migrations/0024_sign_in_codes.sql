-- Codes sent by SMS for signing in: kept a day, because what was sent limits what may be sent.
CREATE TABLE evpower.sign_in_codes (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone          text NOT NULL,
    -- Who asked: an address, or the /64 of one of IPv6.
    address        text NOT NULL,
    -- HMAC of phone, code and nonce under a secret that is not in the database: a copy of the table opens nothing.
    nonce          bytea NOT NULL,
    digest         bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    wrong_attempts smallint NOT NULL DEFAULT 0,
    -- The SMS certainly did not leave: this code is nobody's, and does not count against the phone.
    not_sent_at    timestamptz,
    used_at        timestamptz
);
CREATE INDEX sign_in_codes_phone ON evpower.sign_in_codes (phone, created_at);
CREATE INDEX sign_in_codes_address ON evpower.sign_in_codes (address, created_at);
CREATE INDEX sign_in_codes_created ON evpower.sign_in_codes (created_at);
