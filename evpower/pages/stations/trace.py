"""`/stations/{id}/trace`: frames as they pass, as server-sent events; each is a line of the page's list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import trio
from quart.wrappers.response import ResponseBody

from evpower.http.operators.tracing import TraceFeed
from evpower.http.wire.application import STREAMING
from evpower.ocpp.watch.frame_facts import is_trouble
from evpower.pages.live import LONGEST_STREAM_S, event


@dataclass(frozen=True)
class FrameFilter:
    """Which frames are wanted: of one action, or all; of troubles alone, or all."""

    action: str = ""
    troubles: bool = False

    def wants(self, entry: Mapping[str, Any]) -> bool:
        if self.action and str(entry.get("action", "")).lower() != self.action.lower():
            return False
        return is_trouble(entry) if self.troubles else True


class TraceStream(ResponseBody):
    """One viewer's stream; watching begins and ends with its being sent."""

    def __init__(
        self,
        feed: TraceFeed,
        wanted: FrameFilter,
        after: datetime | None,
        line: Callable[[Mapping[str, Any]], str],
        scope: dict[str, Any],
    ) -> None:
        self._feed = feed
        self._wanted = wanted
        self._after = after
        self._line = line
        self._scope = scope
        scope[STREAMING] = True
        self._began_at_s: float | None = None

    async def __aenter__(self) -> TraceStream:
        await self._feed.open()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        self._feed.close(*failure)

    def __aiter__(self) -> TraceStream:
        return self

    async def __anext__(self) -> bytes:
        now = trio.current_time()
        if self._began_at_s is None:
            self._began_at_s = now
            return b": connected\n\n"
        try:
            # The page connects anew, and is looked at anew: who was signed out sees no more.
            if now - self._began_at_s > LONGEST_STREAM_S:
                raise trio.EndOfChannel
            entry = await self._feed.next()
        except trio.EndOfChannel:
            self._scope.pop(STREAMING, None)  # what remains is the end of an answer like any other
            raise StopAsyncIteration from None
        return self._written(entry).encode()

    def _written(self, entry: dict[str, Any] | None) -> str:
        if entry is None or "event" in entry:
            return event("alive", "{}")
        if (self._after is not None and entry["at"] <= self._after) or not self._wanted.wants(entry):
            return ": not wanted\n\n"
        return f"id: {entry['at'].isoformat()}\n{event('', self._line(entry))}"
