"""Stations' passwords and security events, as operators read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from evpower.security.records import SecurityEvent
from evpower.security.station_access import PasswordChange


@dataclass(frozen=True)
class CallersSeen:
    """At one door since the start: how many callers a trusted proxy named, how many came without a proxy, and by whom
    others were named that are no trusted proxies."""

    named: int
    direct: int
    unbelieved: Mapping[str, int]
    last_named: str


@dataclass(frozen=True)
class ProcessFacts:
    """What `evpower doctor` cannot find in rows or files."""

    #: Of phones and people, by request.
    requests: CallersSeen
    #: Of chargers, by the handshake of a socket.
    handshakes: CallersSeen
    #: None: no limit.
    file_limit: int | None
    #: While time limits are held for a jump of the wall clock.
    clock_jumped_s: float | None
    #: Since when, and how, by provider.
    failing_providers: Mapping[str, str]


class PasswordBody(TypedDict):
    """How a change of a password ended; `pushed` when the station was to take it."""

    station_id: str
    pushed: bool
    status: str | None
    old_password_ended: bool


def password_body(change: PasswordChange, *, pushed: bool) -> PasswordBody:
    """How a change of a password ended; `pushed` when the station was to take it."""
    return {
        "station_id": change.station_id,
        "pushed": pushed,
        "status": change.status,
        "old_password_ended": change.old_password_ended,
    }


class SecurityEventBody(TypedDict):
    """What a station reported of its security."""

    action: str
    type: str
    detail: str | None
    request_id: int | None
    alarming: bool
    occurred_at: datetime | None
    received_at: datetime


def event_body(event: SecurityEvent) -> SecurityEventBody:
    """What a station reported of its security."""
    return {
        "action": event.action,
        "type": event.type,
        "detail": event.detail,
        "request_id": event.request_id,
        "alarming": event.alarming,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
    }
