"""What a station can be asked, in our own types: a class for each command, and the type of its answer.

A command is a value: for a station whose socket is in another process it is written into a row, and that process
performs it. Each version of OCPP performs each of them in its way (`Dialect.perform`). Values that operators write and
read as the standard has them (a message to trigger, a profile's purpose, a status) go through as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, Literal, TypeVar

from evpower.identifiers import ConnectorId, WireTransactionId

A = TypeVar("A")


class Command(Generic[A]):
    """Something a station can be asked, answered by an A."""


class Ending(Enum):
    """What a station makes of a command."""

    DONE = "done"
    #: It has agreed, and will do it when a charge ends or at its next boot.
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True)
class Reply:
    """What a station answered: its status, and for the operator all it sent."""

    ending: Ending
    status: str
    as_sent: Mapping[str, Any]


# --------------------------------------------------------------------------------------------------- the station itself


@dataclass(frozen=True)
class Restart(Command[Reply]):
    """Start anew; `hard` does not wait for charges to end. One connector alone: OCPP 2.0.1."""

    kind: Literal["hard", "soft"]
    connector_id: ConnectorId | None = None


@dataclass(frozen=True)
class Unlock(Command[Reply]):
    """Free a cable that is stuck. Never a way to stop a charge (duty 34)."""

    connector_id: ConnectorId


@dataclass(frozen=True)
class SetAvailability(Command[Reply]):
    """Take a connector (0: the station) out of service or back; LATER while a charge runs."""

    connector_id: ConnectorId
    operative: bool


@dataclass(frozen=True)
class ForgetCards(Command[Reply]):
    """Empty the station's cache of verdicts on cards."""


@dataclass(frozen=True)
class Trigger(Command[Reply]):
    """Send a message now; `message` is the standard's name of it."""

    message: str
    connector_id: ConnectorId | None


# ------------------------------------------------------------------------------------------------------------- settings


@dataclass(frozen=True)
class Setting:
    """One setting as the station knows it."""

    key: str
    value: str | None
    readonly: bool
    as_sent: Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a station says of its settings."""

    settings: tuple[Setting, ...]
    #: Names that were asked for and that it does not know.
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class ReadSettings(Command[Settings]):
    """Say these settings, or all of them when there are no keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class WriteSetting(Command[Reply]):
    """Set one; LATER when it counts from the next boot on."""

    key: str
    value: str


@dataclass(frozen=True)
class SetPassword(Command[Reply]):
    """Log in with this password from now on; LATER when from the next boot on."""

    password: str


# ------------------------------------------------------------------------------------------------------------ transfers


@dataclass(frozen=True)
class Upload:
    """A station's answer to a request for a file; without a name it has nothing to send."""

    reply: Reply
    file_name: str | None


@dataclass(frozen=True)
class UploadDiagnostics(Command[Upload]):
    """Bring the diagnostics of a time to `location`."""

    location: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class UploadLog(Command[Upload]):
    """The same of one log, notified under our request's number."""

    request_id: int
    location: str
    log_type: Literal["SecurityLog", "DiagnosticsLog"]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class FetchFirmware(Command[Reply]):
    """Fetch and install firmware from `location`, not before `retrieve_at`."""

    location: str
    retrieve_at: datetime


@dataclass(frozen=True)
class FetchSignedFirmware(Command[Reply]):
    """The same with a signature; `firmware` is the standard's object, as the operator wrote it."""

    request_id: int
    firmware: Mapping[str, Any]


# ---------------------------------------------------------------------------------------------------------------- cards


@dataclass(frozen=True)
class Reserve(Command[Reply]):
    """Keep a connector (0: any of the station's) for a card."""

    reservation_id: int
    connector_id: ConnectorId
    id_tag: str
    expires_at: datetime
    parent_id_tag: str | None


@dataclass(frozen=True)
class EndReservation(Command[Reply]):
    """Give it free again."""

    reservation_id: int


@dataclass(frozen=True)
class ListVersion:
    """The version of the list of cards a station has; None when it keeps none."""

    version: int | None
    as_sent: Mapping[str, Any]


@dataclass(frozen=True)
class ReadListVersion(Command[ListVersion]):
    """Say which list of cards there is."""


@dataclass(frozen=True)
class ListEntry:
    """The verdict on one card; its end in whole seconds."""

    status: str
    expires_at: datetime | None = None
    parent_id_tag: str | None = None


@dataclass(frozen=True)
class ListAnswer:
    """What a station made of a list."""

    taken: bool
    status: str
    #: A full list would repair it.
    repairable: bool


@dataclass(frozen=True)
class SendList(Command[ListAnswer]):
    """Take these cards: in place of all when `full`, else beside the others; None takes a card away."""

    version: int
    full: bool
    entries: Mapping[str, ListEntry | None]


# ------------------------------------------------------------------------------------------------------------- profiles


@dataclass(frozen=True)
class ChargingProfile:
    """A limit on power and current by the clock: what we keep of it, and the standard's object as it was written."""

    profile_id: int
    purpose: str
    stack_level: int
    #: The charge it belongs to, when it names one.
    transaction_id: WireTransactionId | None
    #: It ends with its charge.
    is_passing: bool
    as_written: Mapping[str, Any]


@dataclass(frozen=True)
class SetProfile(Command[Reply]):
    """Keep to a profile; one of the same purpose and level is replaced."""

    connector_id: ConnectorId
    profile: ChargingProfile


@dataclass(frozen=True)
class LimitDraw(Command[Reply]):
    """Draw at most so much in each phase: in a charge for a while, or in every charge that is not limited by that.

    `limit_tenths` is of `unit`; for direct current there are no phases. A charge without an id is the one that begins
    with this command.
    """

    connector_id: ConnectorId
    profile_id: int
    limit_tenths: int
    unit: Literal["A", "W"]
    phases: int | None
    #: For every charge, and for ever.
    is_lasting: bool = False
    transaction_id: WireTransactionId | None = None
    begins_at: datetime | None = None
    duration_s: int | None = None


@dataclass(frozen=True)
class ClearProfiles(Command[Reply]):
    """Take away the profiles that match everything given; DONE too when none did."""

    profile_id: int | None
    connector_id: ConnectorId | None
    purpose: str | None
    stack_level: int | None


@dataclass(frozen=True)
class ReadSchedule(Command[Reply]):
    """Say what will be allowed over the next `duration_s` seconds; `unit` is A or W."""

    connector_id: ConnectorId
    duration_s: int
    unit: str | None


# --------------------------------------------------------------------------------------------------------- certificates

#: Of our central system, and of the maker who signs firmware.
CertificateUse = Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]
CERTIFICATE_USES: tuple[CertificateUse, ...] = ("CentralSystemRootCertificate", "ManufacturerRootCertificate")


@dataclass(frozen=True)
class HeldCertificate:
    """How a station names a certificate it trusts: OCSP's CertID (RFC 6960 §4.1.1), hashes as hexadecimal digits."""

    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"]
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


@dataclass(frozen=True)
class Trusted:
    """What a station trusts: each certificate by its hashes, and how the station sent it."""

    certificates: tuple[HeldCertificate, ...]
    as_sent: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Trust(Command[Reply]):
    """Trust this certificate (PEM)."""

    use: CertificateUse
    certificate: str


@dataclass(frozen=True)
class ListTrusted(Command[Trusted]):
    """Say which certificates are trusted for this use."""

    use: CertificateUse


@dataclass(frozen=True)
class Distrust(Command[Reply]):
    """Forget this certificate."""

    certificate: HeldCertificate


@dataclass(frozen=True)
class RenewCertificate(Command[Reply]):
    """Make a new key and ask us for a certificate of it."""


@dataclass(frozen=True)
class DeliverCertificate(Command[Reply]):
    """Log in with this certificate (a chain of PEM)."""

    chain: str
