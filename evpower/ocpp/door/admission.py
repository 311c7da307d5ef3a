"""Who may open a station's socket: identity, credentials, subprotocol (OCPP-J §3, J6.2; design §9.8-9)."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs, unquote_to_bytes

from evpower.network.station import Admission
from evpower.ocpp.dialect import Dialect
from evpower.ocpp.door.passwords import PasswordChecker

MAX_IDENTITY_CHARS = 255


#: The scheme and authority of a request target in absolute form.
_ORIGIN = re.compile(r"^(?:ws|http)s?://[^/?#]*", re.IGNORECASE)


def path_of(target: str) -> str:
    """The path of a request target, which may be a whole URL (RFC 9112 §3.2.2); nothing secret is in it."""
    return _ORIGIN.sub("", target.partition("?")[0], count=1)


def identity_of(target: str) -> str | None:
    """The identity in `/ws/{id}` or `/ocpp/{id}`, percent-decoded; a tail after it is ignored. None for other paths.

    Several slashes are one: an operator's URL ends in a slash, and the station adds another. An encoded slash is a part
    of the identity.
    """
    path = path_of(target)
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or len(parts) < 2 or parts[0] not in ("ws", "ocpp"):
        return None
    try:
        identity = unquote_to_bytes(parts[1]).decode()
    except UnicodeDecodeError:
        return None
    return identity if identity.isprintable() and len(identity) <= MAX_IDENTITY_CHARS else None


def choose_subprotocol(offered: Sequence[str], dialects: Sequence[Dialect]) -> tuple[str, Dialect] | None:
    """The station's first that we speak, in its own spelling: it names what it prefers first (ocpp201 §1)."""
    for name in offered:
        for dialect in dialects:
            if name.lower() in dialect.subprotocols:
                return name, dialect
    return None


def offered_subprotocols(header_values: Sequence[str]) -> list[str]:
    """Every name in the Sec-WebSocket-Protocol headers, in order."""
    return [name.strip() for value in header_values for name in value.split(",") if name.strip()]


@dataclass(frozen=True)
class Credentials:
    """What a socket showed: its identity, a password if any, and the names in its verified certificate if any."""

    identity: str
    password: str | None
    certificate_names: frozenset[str] | None

    @property
    def kind(self) -> str:
        """The kind of credential that was presented, for the log."""
        if self.certificate_names is not None:
            return "a certificate of another station"
        return "no credentials" if self.password is None else "wrong password"


def credentials_of(
    request_target: str, authorization: str, identity: str, station_id: str, certificate_names: frozenset[str] | None
) -> Credentials:
    """The credentials in an upgrade request for that station."""
    password = _password(request_target, authorization, (identity, station_id))
    return Credentials(identity, password, certificate_names)


class Verdict(Enum):
    """Whether a socket may be a station's."""

    REFUSED = "refused"
    ADMITTED = "admitted"
    #: It has no credentials, and showed none.
    ANONYMOUS = "admitted without credentials"
    #: By the password that is on its way to the station.
    ADMITTED_BY_PENDING = "admitted by the pending password"


#: OCPP's security profiles (white paper §2): 0 is without any.
PASSWORD, PASSWORD_AND_TLS, CERTIFICATE = 1, 2, 3


def profile_of(verdict: Verdict, shown: Credentials, *, encrypted: bool) -> int:
    """The security profile a socket was admitted on."""
    if verdict is Verdict.ANONYMOUS:
        return 0
    if shown.certificate_names is not None:
        return CERTIFICATE
    return PASSWORD_AND_TLS if encrypted else PASSWORD


def is_below(profile: int, seen: int) -> bool:
    """Whether a station that was seen on a profile with TLS comes back on a lower one: a downgrade, or a stranger."""
    return seen >= PASSWORD_AND_TLS and profile < seen


async def judge(admission: Admission, shown: Credentials, *, checker: PasswordChecker, anonymous: bool) -> Verdict:
    """Check the credentials; a station without any gets in only where anonymous stations do (design §9.9).

    A certificate is a credential for the stations it names, and for no other (security profile 3): one of another
    station is refused even with that station's password.
    """
    if shown.certificate_names is not None:
        bound = not shown.certificate_names.isdisjoint({admission.station_id, admission.serial_number})
        return Verdict.ADMITTED if bound else Verdict.REFUSED
    if admission.password_hash is None and admission.pending_hash is None:
        return Verdict.ANONYMOUS if anonymous else Verdict.REFUSED
    if shown.password is not None:
        for known, verdict in (
            (admission.password_hash, Verdict.ADMITTED),
            (admission.pending_hash, Verdict.ADMITTED_BY_PENDING),
        ):
            if known is not None and await checker.matches(shown.password, known):
                return verdict
    return Verdict.ANONYMOUS if admission.password_hash is None and anonymous else Verdict.REFUSED


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
