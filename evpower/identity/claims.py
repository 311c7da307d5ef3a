"""What a verified token claims, and which claims are believed (identity §1, the table)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from evpower.identifiers import CLIENT_ID
from evpower.identity.identity import Identity, Kind
from evpower.identity.token import NotBelieved

Time: TypeAlias = Literal["exp", "iat", "nbf"]
TIMES: tuple[Time, ...] = ("exp", "iat", "nbf")
LEEWAY = timedelta(seconds=30)
#: Supabase's keys of a project are tokens too: nobody's.
NO_PERSONS = frozenset({"anon", "service_role"})
#: What our own issuer calls a client and a member of staff (contract/rest-api §7.1).
KINDS: Mapping[str, Kind] = {"client": "client", "admin": "staff"}
#: The last second of the year 9999: what a datetime can hold.
LAST_SECOND = 253_402_300_799


@dataclass(frozen=True)
class ClaimRules:
    """What an issuer's tokens must say; None: not asked for. `ours`: it is our own issuer."""

    audience: str | None = None
    issuer: str | None = None
    ours: bool = False


def believed(claims: Mapping[str, Any], rules: ClaimRules, now: datetime) -> Identity:
    """Who the token's bearer is. Raises NotBelieved."""
    # 1. Times.
    expires_at, issued_at, not_before = (_instant(claims, name) for name in TIMES)
    if expires_at is None:
        raise NotBelieved("exp")
    if is_over(expires_at, now):
        raise NotBelieved("expired")
    if issued_at is not None and issued_at > now + LEEWAY:
        raise NotBelieved("iat")
    if not_before is not None and not_before > now + LEEWAY:
        raise NotBelieved("nbf")
    # 2. For whom and by whom it was made.
    audience = claims.get("aud")
    if rules.audience is not None and rules.audience not in (audience if isinstance(audience, list) else [audience]):
        raise NotBelieved("aud")
    if rules.issuer is not None and claims.get("iss") != rules.issuer:
        raise NotBelieved("iss")
    # 3. Who it is.
    subject = claims.get("sub")
    if not isinstance(subject, str) or CLIENT_ID.fullmatch(subject) is None:
        raise NotBelieved("sub")
    if rules.ours:
        return _of_ours(claims, subject, expires_at, issued_at)
    if claims.get("role") in NO_PERSONS:
        raise NotBelieved("role")
    anonymous = claims.get("is_anonymous", False) is not False
    return Identity(subject, "client", expires_at, False, issued_at, _text(claims, "phone"), anonymous=anonymous)


def is_over(expires_at: datetime, now: datetime) -> bool:
    """Whether a token of this `exp` is refused now."""
    return now > expires_at + LEEWAY


def _of_ours(claims: Mapping[str, Any], subject: str, expires_at: datetime, issued_at: datetime | None) -> Identity:
    kind = KINDS.get(str(claims.get("type")))
    if kind is None:
        raise NotBelieved("type")
    phone, role, family = (_text(claims, name) for name in ("phone", "role", "sid"))
    return Identity(subject, kind, expires_at, True, issued_at, phone, role, family)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _instant(claims: Mapping[str, Any], name: Time) -> datetime | None:
    """Seconds of the epoch; None when the claim is absent. Raises NotBelieved for what is no time."""
    seconds = claims.get(name)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LAST_SECOND:
        raise NotBelieved(name)
    return datetime.fromtimestamp(seconds, UTC)
