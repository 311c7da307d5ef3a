"""Time-based one-time passwords as authenticator apps make them (RFC 6238 over RFC 4226: SHA-1, 6 digits, 30 s)."""

from __future__ import annotations

import hmac
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

#: RFC 4226 §4 recommends 160 bits; in base32 that is 32 characters without padding.
SECRET_BYTES = 20
DIGITS = 6
STEP_S = 30
#: A code may be one step old or early: clocks differ, and a person types (RFC 6238 §5.2).
STEPS_AROUND = 1
ISSUER = "EvPower"


def step_of(at: datetime) -> int:
    """The number of the time step a moment is in."""
    return int(at.timestamp()) // STEP_S


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226 §5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, at: datetime, after: int) -> int | None:
    """The step a code is of; None when it is wrong, or of a step not above `after`: no code is good twice (§5.2)."""
    now = step_of(at)
    matching = [
        step
        for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1)
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode())
    ]
    return next((step for step in matching if step > after), None)


def shared_secret(secret: bytes) -> str:
    """The secret as a person types it into the app."""
    return b32encode(secret).decode()


def enrolment_uri(secret: bytes, account: str) -> str:
    """What a QR code of the enrolment holds; an app takes it as text too."""
    return f"otpauth://totp/{ISSUER}:{quote(account, safe='')}?secret={shared_secret(secret)}&issuer={ISSUER}"
