"""Codes as numbers and limits, without I/O (roadmap/identity §2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from evpower.clock import RandomBytes
from evpower.identifiers import PhoneNumber

LIFETIME = timedelta(seconds=300)
RESEND_AFTER = timedelta(seconds=60)
ATTEMPTS_MOST = 3
DIGITS = 6
NONCE_BYTES = 16
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Three random bytes below it are, divided by a million, without bias.
_UNBIASED_BELOW = 16 * 10**DIGITS

#: What a limit counts: codes to one phone, codes one address asked for, all codes.
CountedCodes = Literal["phone", "address", "all"]


@dataclass(frozen=True)
class CodeRules:
    """What an operator may set: which countries' phones get codes, and how many codes a day at most, all together."""

    phone_prefixes: tuple[str, ...] = ("+996",)
    codes_per_day: int = 1000


@dataclass(frozen=True)
class CodeLimit:
    """At most `most` in any `span`."""

    counted: CountedCodes
    most: int
    span: timedelta


def limits(rules: CodeRules) -> tuple[CodeLimit, ...]:
    """Every limit on what is sent: SMS cost money, and strangers earn by them (pumping)."""
    return (
        CodeLimit("phone", 1, RESEND_AFTER),
        CodeLimit("phone", 5, HOUR),
        CodeLimit("phone", 10, DAY),
        CodeLimit("address", 20, HOUR),
        CodeLimit("all", rules.codes_per_day, DAY),
    )


def wait_s(nth_newest_at: datetime | None, limit: CodeLimit, now: datetime) -> int:
    """Seconds until the limit has room; `nth_newest_at` is when the `limit.most`-th newest code was sent."""
    if nth_newest_at is None:
        return 0
    # Sent in the future: the clock was set back, and must not shut anybody out for longer than the span.
    return max(0, ceil((min(nth_newest_at, now) + limit.span - now).total_seconds()))


def new_code(random_bytes: RandomBytes) -> str:
    """Six digits, each code as likely as any other."""
    while (number := int.from_bytes(random_bytes(3))) >= _UNBIASED_BELOW:
        pass
    return f"{number % 10**DIGITS:0{DIGITS}}"


def code_digest(pepper: bytes, phone: PhoneNumber, code: str, nonce: bytes) -> bytes:
    """What is stored of a code. Code and nonce have fixed lengths, so no two triples are the same bytes."""
    return hmac.digest(pepper, phone.encode() + code.encode() + nonce, hashlib.sha256)
