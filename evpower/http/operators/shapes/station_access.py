"""Stations' passwords and security events, as operators read them."""

from __future__ import annotations

from evpower.http.wire.values import Body
from evpower.security.records import SecurityEvent
from evpower.security.station_access import PasswordChange


def password_body(change: PasswordChange, *, pushed: bool) -> Body:
    """How a change of a password ended; `pushed` when the station was to take it."""
    return {
        "station_id": change.station_id,
        "pushed": pushed,
        "status": change.status,
        "old_password_ended": change.old_password_ended,
    }


def event_body(event: SecurityEvent) -> Body:
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
