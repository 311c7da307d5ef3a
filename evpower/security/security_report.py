"""What a station reports of its security, and which of it is alarming (OCPP 1.6 security whitepaper)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

#: Security events that are the ordinary life of a station; every other one, unknown ones too, wants a look.
ROUTINE_EVENTS = frozenset(
    {
        "FirmwareUpdated",
        "ReconfigurationOfSecurityParameters",
        "ResetOrReboot",
        "SettingSystemTime",
        "StartupOfTheDevice",
    }
)


#: Firmware that is not what its maker signed, and a request for a certificate that was refused.
ALARMING_STATUSES = frozenset({"InvalidSignature", "InstallVerificationFailed", "Rejected"})


class SecurityMatter(Enum):
    """What a station's report on its security is about."""

    EVENT = "event"
    LOG_UPLOAD = "log upload"
    SIGNED_FIRMWARE = "signed firmware"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class SecurityReport:
    """What a station says of its security: an event, how a log upload or signed firmware update goes, or a request."""

    matter: SecurityMatter
    #: The standard's name of the message, as operators are shown it.
    reported_as: str
    #: The event's type, or the status.
    type: str
    detail: str | None = None
    request_id: int | None = None
    occurred_at: datetime | None = None

    @property
    def is_alarming(self) -> bool:
        if self.matter is SecurityMatter.EVENT:
            return self.type not in ROUTINE_EVENTS
        return self.type in ALARMING_STATUSES
