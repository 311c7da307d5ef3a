"""A token's form, before anything of it is believed: three parts, and a small header that brings no key of its own."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

TOKEN_CHARS_MAX = 8 * 1024
HEADER_BYTES_MAX = 2 * 1024
KID_CHARS_MAX = 200
PART = re.compile(r"[A-Za-z0-9_-]+")
#: A header that asks for more than a signature by a key we already know.
REFUSED_MEMBERS = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"})


#: What a token can fail: its form, its header, finding its key, its signature, one of its claims, its bearer.
Check: TypeAlias = Literal[
    "form",
    "header",
    "key",
    "signature",
    "claims",
    "exp",
    "expired",
    "iat",
    "nbf",
    "aud",
    "iss",
    "sub",
    "role",
    "type",
    "revoked",
]


class NotBelieved(Exception):
    """A token failed this check. Stays inside the room: callers get InvalidToken, which does not say which one."""

    def __init__(self, check: Check) -> None:
        self.check = check
        super().__init__(check)


@dataclass(frozen=True)
class Token:
    """A token as it was sent, with what its header says; nothing is verified yet."""

    text: str
    algorithm: str
    kid: str | None


def token_digest(text: str) -> str:
    """What a token is known by where the token itself must not be kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_token(text: str) -> Token:
    """Raises NotBelieved when it is no token that could be verified."""
    parts = text.split(".", 3)
    if len(text) > TOKEN_CHARS_MAX or len(parts) != 3 or not all(map(PART.fullmatch, parts)):
        raise NotBelieved("form")
    header = _header(parts[0])
    kid = header.get("kid")
    if not REFUSED_MEMBERS.isdisjoint(header) or (kid is not None and not 0 < len(kid) <= KID_CHARS_MAX):
        raise NotBelieved("header")
    return Token(text, header.get("alg", ""), kid)


def _header(part: str) -> dict[str, str]:
    """Every member we read is text; one that is not (`crit`, `jwk`) belongs to a form that is not supported."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if len(raw) > HEADER_BYTES_MAX:
            raise NotBelieved("form")
        return msgspec.json.decode(raw, type=dict[str, str])
    except (ValueError, RecursionError):  # binascii's and msgspec's own are ValueErrors
        raise NotBelieved("header") from None
