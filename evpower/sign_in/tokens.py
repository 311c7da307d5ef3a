"""Tokens we issue: access tokens for an hour, refresh tokens that are random and stored as hashes (identity §2)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

import jwt

from evpower.clock import Clock, Ids
from evpower.identity.identity import Kind
from evpower.sign_in.key_pairs import ALGORITHM
from evpower.sign_in.people import Person
from evpower.sign_in.signing_keys import SigningKeys

ACCESS_LIFETIME = timedelta(seconds=3600)
REFRESH_LIFETIME = timedelta(days=60)
REFRESH_BYTES = 32
#: Who lost the answer of a rotation asks again: so long, the old token has the same successor.
ASK_AGAIN_WITHIN = timedelta(seconds=10)
#: What the app calls the two kinds of people.
TYPES: Mapping[Kind, Literal["client", "admin"]] = {"client": "client", "staff": "admin"}


class AccessTokens:
    """Our own issuer."""

    def __init__(self, keys: SigningKeys, clock: Clock, ids: Ids) -> None:
        self._keys = keys
        self._clock = clock
        self._ids = ids

    def issue(self, person: Person, sign_in_id: str) -> str:
        """A token for the person. Raises ServiceUnavailable: there is no key."""
        signer, issued_at = self._keys.signer(), int(self._clock.now().timestamp())
        claims = {
            "sub": person.id,
            "type": TYPES[person.kind],
            # Staff and Supabase's readers are known by this claim: it never says what its bearer alone has written.
            "phone": person.phone if person.has_verified_phone else None,
            "sid": sign_in_id,
            "iat": issued_at,
            "exp": issued_at + int(ACCESS_LIFETIME.total_seconds()),
            "jti": self._ids.new(),
        }
        if person.role is not None:
            claims["role"] = person.role
        return jwt.encode(claims, signer.private, algorithm=ALGORITHM, headers={"kid": signer.kid})


def refresh_text(raw: bytes) -> str:
    """A refresh token as its phone keeps it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def refresh_raw(text: str) -> bytes | None:
    """The random bits again; None for what is no refresh token of ours."""
    try:
        raw = urlsafe_b64decode(text + "=")
    except (NotBase64, ValueError):
        return None
    return raw if len(raw) == REFRESH_BYTES and refresh_text(raw) == text else None


def refresh_digest(raw: bytes) -> bytes:
    """What is stored. A plain hash: of 256 random bits nobody can try them all."""
    return hashlib.sha256(raw).digest()


def successor_of(raw: bytes, key: bytes) -> bytes:
    """The one token that follows this one: computed anew for who lost it, and unknown to who has no `key`."""
    return hmac.digest(key, raw, hashlib.sha256)
