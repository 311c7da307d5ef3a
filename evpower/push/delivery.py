"""What a service that delivers to devices is to the deliverer, and what becomes of one message to one device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol, TypeAlias

from evpower.digits import INT32_MAX, whole_number
from evpower.push.message import PushMessage
from evpower.push.recipient import DeviceKind, Locale

#: `sent`: the service has it. `ended`: the device takes no messages any more. `dead`: this message cannot be sent to
#: it. `later`: nothing is known against it, and it is tried again.
Fate: TypeAlias = Literal["sent", "ended", "dead", "later"]
#: Nobody may put a message off for longer.
RETRY_AFTER_MOST_S = 3600


@dataclass(frozen=True)
class Target:
    """A device as it is stored; the keys are a subscription's."""

    id: int
    kind: DeviceKind
    address: str
    locale: Locale
    p256dh: bytes | None = None
    auth: bytes | None = None


@dataclass(frozen=True)
class DeliveryOutcome:
    """What became of it; `reason` is ours or the service's word, for rows and logs."""

    fate: Fate
    reason: str = ""
    #: What the service asked for.
    retry_after_s: int | None = None


class DeliveryService(Protocol):
    """FCM, or the services of web push."""

    async def deliver(self, target: Target, message: PushMessage) -> DeliveryOutcome:
        """One message to one device. Raises nothing that a service can cause; the caller ends a call that is slow."""
        ...


def retry_after_s(header: str | None, now: datetime) -> int | None:
    """What a `Retry-After` asks for, in seconds or as a date (RFC 9110 §10.2.3), within bounds; None for none."""
    if header is None:
        return None
    seconds = whole_number(header.strip(), INT32_MAX)
    if seconds is None:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    return max(1, min(seconds, RETRY_AFTER_MOST_S))
