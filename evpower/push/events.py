"""What people get a message about: for whom, for how long it is worth something, and which choice switches it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from evpower.identifiers import SessionId, StationId
from evpower.push.recipient import OwnerType, Recipient

EventName: TypeAlias = Literal[
    "charging_started",
    "charging_limit_near",
    "charging_completed",
    "charging_error",
    "idle_fee_starts_at",
    "low_balance_warning",
    "payment_confirmed",
    "connector_free",
    "reservation_expiring",
    "reservation_ended",
    "reservation_moved",
    "new_session",
    "session_completed",
    "station_offline",
    "test",
]
Preference: TypeAlias = Literal["charging_updates", "payment_alerts", "system_alerts"]
#: What a message is written from: sums in tyiyn, energy in Wh.
Facts: TypeAlias = Mapping[str, int | str]

#: An hour of one person has room for so many messages; payments and errors are not counted (§3).
HOURLY_MOST = 20
LOW_BALANCE_TYIYN = 50_00


@dataclass(frozen=True)
class EventKind:
    """How an event is delivered. Without a `preference` it cannot be switched off."""

    to: OwnerType
    worth: timedelta
    preference: Preference | None
    #: It comes however many came before it.
    is_exempt: bool = False


_MINUTES_10, _HOUR, _DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(hours=24)
KINDS: Mapping[EventName, EventKind] = {
    "charging_started": EventKind("client", _MINUTES_10, "charging_updates"),
    "charging_limit_near": EventKind("client", _MINUTES_10, "charging_updates"),
    "charging_completed": EventKind("client", _DAY, "charging_updates"),
    "charging_error": EventKind("client", _DAY, "charging_updates", is_exempt=True),
    # A fee is taken only of a driver whom it has reached.
    "idle_fee_starts_at": EventKind("client", _MINUTES_10, None, is_exempt=True),
    "low_balance_warning": EventKind("client", _DAY, "payment_alerts", is_exempt=True),
    "payment_confirmed": EventKind("client", _DAY, "payment_alerts", is_exempt=True),
    "connector_free": EventKind("client", timedelta(minutes=5), None),
    "reservation_expiring": EventKind("client", timedelta(minutes=3), "charging_updates"),
    "reservation_ended": EventKind("client", _HOUR, "charging_updates"),
    "reservation_moved": EventKind("client", _HOUR, "charging_updates"),
    "new_session": EventKind("owner", _HOUR, "system_alerts"),
    "session_completed": EventKind("owner", _HOUR, "system_alerts"),
    "station_offline": EventKind("owner", _HOUR, "system_alerts"),
    "test": EventKind("client", _MINUTES_10, None),
}


@dataclass(frozen=True)
class PushEvent:
    """One event. `key` makes a repeat harmless; the place in its message is the station's.

    It is for `recipient`; without one for the client of the session, or for the staff whose location the station is
    at, as the kind says.
    """

    name: EventName
    key: str
    recipient: Recipient | None = None
    session_id: SessionId | None = None
    station_id: StationId | None = None
    facts: Facts = field(default_factory=dict)

    @property
    def kind(self) -> EventKind:
        return KINDS[self.name]


def of_session(name: EventName, session_id: SessionId, station_id: StationId, **facts: int | str) -> PushEvent:
    """An event of a charge, for its client or for the station's owners, once for each charge."""
    return PushEvent(name, f"{name}:{session_id}", None, session_id, station_id, facts)
