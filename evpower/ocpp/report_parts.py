"""Reports that follow the answer to a request in messages of their own: their parts, for whoever asked (OCPP 2.0.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import trio

from evpower.link.errors import ChargerOffline

#: Parts of one report, and bytes of them all; a station that sends more has a fault.
MOST_PARTS = 1_000
MOST_BYTES = 4 * 1024 * 1024

_decode = msgspec.json.Decoder().decode


class AwaitedReport:
    """The parts of a report that have come."""

    def __init__(self) -> None:
        self._parts: dict[int, Any] = {}
        self._bytes = 0
        self._last: int | None = None
        self._over = False
        self._news = trio.Event()

    def add(self, number: int | None, payload: bytes, *, more: bool) -> None:
        """A part by its number, or the next one."""
        number = len(self._parts) if number is None else number
        self._bytes += len(payload)
        if len(self._parts) < MOST_PARTS and self._bytes <= MOST_BYTES:
            self._parts[number] = _decode(payload)
        if not more:
            self._last = number
        self._news.set()

    def end(self) -> None:
        """No part will come any more."""
        self._over = True
        self._news.set()

    async def whole(self) -> list[Any]:
        """All parts, in the order of their numbers; the caller bounds the wait. Raises ChargerOffline."""
        while self._last is None or any(number not in self._parts for number in range(self._last + 1)):
            if self._over:
                raise ChargerOffline
            await self._news.wait()
            self._news = trio.Event()
        return [self._parts[number] for number in range(self._last + 1)]


class ReportParts:
    """The reports that are awaited of one station."""

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, int], AwaitedReport] = {}

    @contextmanager
    def expected(self, action: str, request_id: int) -> Iterator[AwaitedReport]:
        """A report that is about to be asked for: its parts are messages of this action under this number."""
        report = self._awaited[action, request_id] = AwaitedReport()
        try:
            yield report
        finally:
            del self._awaited[action, request_id]

    def came(self, action: str, request_id: int, number: int | None, payload: bytes, *, more: bool) -> None:
        """A part of a report; nothing when nobody waits for it."""
        report = self._awaited.get((action, request_id))
        if report is not None:
            report.add(number, payload, more=more)

    def end(self) -> None:
        """The station has left."""
        for report in self._awaited.values():
            report.end()
