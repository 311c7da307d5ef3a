"""Where a station's connection mentions every frame that passes, both ways; `tracer.py` keeps and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from evpower.identifiers import StationId

#: Seen from us: "in" is a frame from the station.
Direction = Literal["in", "out"]


class FrameLog(Protocol):
    """Called once for each text frame, on the path of every message: it neither waits nor raises."""

    def note(self, station_id: StationId, direction: Direction, frame: bytes, at: datetime) -> None:
        """A frame passed."""
        ...


class NoFrameLog:
    """Remembers nothing."""

    def note(self, station_id: StationId, direction: Direction, frame: bytes, at: datetime) -> None:
        """Keep nothing."""
