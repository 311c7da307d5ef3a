"""Reports that come in parts and can be asked for again: their parts wait for one another in memory (ocpp201 §2)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from evpower.identifiers import StationId

log = logging.getLogger("OCPP")

#: A report whose rest does not come is dropped after this time.
WHOLE_WITHIN = timedelta(minutes=5)
#: Entries of one report; a station that reports more has a fault, and must not fill our memory.
MOST_ENTRIES = 20_000

T = TypeVar("T")


@dataclass
class _Growing(Generic[T]):
    """A report of which not all parts have come."""

    request_id: int
    began_at: datetime
    parts: dict[int, Sequence[T]] = field(default_factory=dict)
    last: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.last is not None and all(number in self.parts for number in range(self.last + 1))


class GrowingReports(Generic[T]):
    """Reports of one kind; of a station one grows at a time."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._growing: dict[StationId, _Growing[T]] = {}

    def part(
        self, station_id: StationId, request_id: int, seq_no: int, entries: Sequence[T], now: datetime, *, more: bool
    ) -> list[T] | None:
        """The whole report in its order, once all of its parts have come, whatever theirs."""
        for each in [each for each, growing in self._growing.items() if now - growing.began_at > WHOLE_WITHIN]:
            self._drop(each, "its rest did not come")
        growing = self._growing.get(station_id)
        if growing is None or growing.request_id != request_id:
            growing = self._growing[station_id] = _Growing(request_id, now)
        growing.parts[seq_no] = entries
        if not more:
            growing.last = seq_no
        if sum(map(len, growing.parts.values())) > MOST_ENTRIES:
            self._drop(station_id, "it is too long")
            return None
        return None if not growing.is_whole else [each for _, part in sorted(growing.parts.items()) for each in part]

    def stored(self, station_id: StationId) -> None:
        """What was whole is written; until then its last part may come again."""
        self._growing.pop(station_id, None)

    def _drop(self, station_id: StationId, why: str) -> None:
        del self._growing[station_id]
        log.warning("a report is dropped, %s: station=%s, kind=%s", why, station_id, self._kind)
