"""Messages to phones as operators read them."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from evpower.push.figures import PushFigures


class PushStatusBody(TypedDict):
    """Messages that wait now, and what became of others within 24 hours; `dead`, `ended_devices` by their reason."""

    queued: int
    oldest_queued_at: datetime | None
    sent_24h: int
    expired_24h: int
    dead_24h: dict[str, int]
    devices: dict[str, int]
    ended_devices_24h: dict[str, int]


class PushTestBody(TypedDict):
    """To how many of a client's devices a test is on its way."""

    client_id: str
    sent_to: int


def push_status_body(figures: PushFigures) -> PushStatusBody:
    """The figures under the names of the door."""
    return {
        "queued": figures.queued,
        "oldest_queued_at": figures.oldest_queued_at,
        "sent_24h": figures.sent,
        "expired_24h": figures.expired,
        "dead_24h": figures.dead,
        "devices": figures.devices,
        "ended_devices_24h": figures.ended_devices,
    }
