"""An address that wants events, and what it can want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

WebhookEvent: TypeAlias = Literal[
    "session.started",
    "session.ended",
    "session.corrected",
    "station.offline",
    "station.online",
    "doubt",
    "payment.parked",
]
#: Of one installation.
ENDPOINTS_MOST = 5
#: Both secrets sign, while the other side takes over the new one.
ROTATION = timedelta(hours=24)
#: `dead`: nobody tries it again.
DeliveryState: TypeAlias = Literal["queued", "delivered", "dead"]
#: `gone`: it answered 410. `failing`: one message could not be delivered for a week.
DisabledReason: TypeAlias = Literal["gone", "failing"]


@dataclass(frozen=True)
class WebhookEndpoint:
    """As operators see it: never with its secret."""

    id: str
    url: str
    events: Sequence[WebhookEvent]
    created_at: datetime
    created_by: str
    #: Until when the secret before the present one signs too.
    old_until: datetime | None
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    waiting: int


@dataclass(frozen=True)
class WebhookDelivery:
    """One event for one endpoint. `last_answer` is the HTTP status of the
    last attempt, or why there was none."""

    id: int
    event: WebhookEvent
    object_type: str
    object_id: str
    occurred_at: datetime
    state: DeliveryState
    due_at: datetime | None
    attempts: int
    last_tried_at: datetime | None
    last_answer: str | None
    ended_at: datetime | None


@dataclass(frozen=True)
class DueDelivery:
    """A delivery that is this process's until its lease ends, with what it takes to make it."""

    id: int
    endpoint_id: str
    url: str
    #: The present secret, and the one before while it counts.
    secrets: tuple[bytes, ...]
    event: WebhookEvent
    object_type: str
    object_id: str
    occurred_at: datetime
    data: Mapping[str, object]
    attempts: int
    first_tried_at: datetime
