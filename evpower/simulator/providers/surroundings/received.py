"""What the providers were asked, for tests that count calls; never card data."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import trio

RECEIVED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Received:
    """One request at a provider's door: `order` is O!Dengi's `order_id` or `invoice_id`, OBANK's `id` or key."""

    at: datetime
    provider: str
    command: str
    order: str
    #: The fault that was put in its way, or "".
    fault: str = ""

    def shown(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "at": self.at.isoformat()}


class Log:
    """The last RECEIVED_MAX requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Received] = deque(maxlen=RECEIVED_MAX)
        self._changed = trio.Event()

    def note(self, received: Received) -> None:
        """Remember one."""
        self._entries.append(received)
        self._changed.set()
        self._changed = trio.Event()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds; looked at after every request. Callers set the time-out."""
        while not condition():
            await self._changed.wait()

    def entries(
        self, provider: str | None = None, command: str | None = None, order: str | None = None
    ) -> list[Received]:
        """Those that match; None matches all."""
        return [
            each
            for each in self._entries
            if provider in (None, each.provider) and command in (None, each.command) and order in (None, each.order)
        ]
