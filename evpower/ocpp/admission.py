"""Who may open a charger's socket: identity, credentials, subprotocol (OCPP-J §3, J6.2; design §9.8-9)."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote_to_bytes

from evpower.charging.charge_point import Admission
from evpower.ocpp.passwords import PasswordChecker

MAX_IDENTITY_CHARS = 255
SUBPROTOCOLS = frozenset({"ocpp1.6", "ocpp1.6j", "ocpp1.6-json"})


def identity_of(target: str) -> str | None:
    """The identity in `/ws/{id}` or `/ocpp/{id}`, percent-decoded; a tail after it is ignored. None for other paths."""
    parts = target.partition("?")[0].split("/")
    if len(parts) < 3 or parts[0] or parts[1] not in ("ws", "ocpp") or not parts[2]:
        return None
    try:
        identity = unquote_to_bytes(parts[2]).decode()
    except UnicodeDecodeError:
        return None
    return identity if identity.isprintable() and len(identity) <= MAX_IDENTITY_CHARS else None


def choose_subprotocol(offered: Sequence[str]) -> str | None:
    """The first offered word for OCPP 1.6, in the charger's own spelling; None when there is none."""
    return next((word for word in offered if word.lower() in SUBPROTOCOLS), None)


def offered_subprotocols(header_values: Sequence[str]) -> list[str]:
    """Every word of the Sec-WebSocket-Protocol headers, in order."""
    return [word.strip() for value in header_values for word in value.split(",") if word.strip()]


async def may_enter(
    admission: Admission,
    identity: str,
    target: str,
    authorization: str,
    *,
    checker: PasswordChecker,
    certificate_names: frozenset[str] | None,
    anonymous: bool,
) -> bool:
    """Check the credentials; a station without any gets in only where anonymous stations do (design §9.9).

    A certificate is a credential for the stations it names, and for no other (security profile 3): one of another
    station is refused even with that station's password.
    """
    if certificate_names is not None:
        return not certificate_names.isdisjoint({admission.station_id, admission.serial_number})
    if admission.password_hash is None:
        return anonymous
    password = _password(target, authorization, (identity, admission.station_id))
    return password is not None and await checker.matches(password, admission.password_hash)


def _password(target: str, authorization: str, names: Sequence[str]) -> str | None:
    scheme, _, value = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _basic_password(value, names)
        case "":
            return next(iter(parse_qs(target.partition("?")[2]).get("token", ())), None)
        case _:
            return None


def _basic_password(value: str, names: Sequence[str]) -> str | None:
    """The password of a user who is the station itself (duty 7); an identity may contain colons."""
    try:
        pair = b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return None
    for name in names:
        if hmac.compare_digest(pair[: len(name) + 1].encode(), f"{name}:".encode()):
            return pair[len(name) + 1 :]
    return None
