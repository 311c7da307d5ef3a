"""What an operator sees of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PushFigures:
    """Messages that wait, and what became of those of a time; `dead` and `ended_devices` by their reason."""

    queued: int
    oldest_queued_at: datetime | None
    sent: int
    expired: int
    dead: dict[str, int]
    devices: dict[str, int]
    ended_devices: dict[str, int]
