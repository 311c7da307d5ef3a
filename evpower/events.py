"""Events: what happened, published after the unit of work that made it true has committed (design §6).

A subscriber has a bounded channel; one that cannot keep up is closed, never waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from evpower.identifiers import ConnectorId, SessionId, StationId

log = logging.getLogger("evpower.events")


@dataclass(frozen=True)
class SessionReserved:
    session_id: SessionId
    station_id: StationId
    connector_id: ConnectorId


@dataclass(frozen=True)
class ChargingBegan:
    session_id: SessionId
    station_id: StationId
    connector_id: ConnectorId


@dataclass(frozen=True)
class SessionEnded:
    """The facts of the end are committed; the settlement is due."""

    session_id: SessionId
    station_id: StationId


@dataclass(frozen=True)
class SessionSettled:
    """The session is final: settled, or released with a full refund."""

    session_id: SessionId
    station_id: StationId
    connector_id: ConnectorId


@dataclass(frozen=True)
class StationChanged:
    """Something the public can read of a station may have changed: a connector's status, presence, an admin field."""

    station_id: StationId


@dataclass(frozen=True)
class NetworkChanged:
    """An administrator changed a location: its own fields, or which stations it has."""

    location_id: str


@dataclass(frozen=True)
class GapInEvents:
    """Events may have been lost, or so much changed that none names it: whatever can be read may be different."""


Event = SessionReserved | ChargingBegan | SessionEnded | SessionSettled | StationChanged | NetworkChanged | GapInEvents


class EventBus:
    """Fan-out within this process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self._subscribers: dict[trio.MemorySendChannel[Event], Callable[[Event], bool]] = {}
        #: Events a subscriber had no room for, since the start.
        self.dropped = 0

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have `listener` called inside every `publish`, before any subscriber hears; for what must not be late."""
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Hand the event to every subscriber without waiting for any of them."""
        for listener in self._listeners:
            listener(event)
        for channel, wanted in tuple(self._subscribers.items()):
            if not wanted(event):
                continue
            try:
                channel.send_nowait(event)
            except trio.WouldBlock:
                log.warning("a subscriber fell behind and was closed")
                self.dropped += 1
                self._drop(channel)
            except trio.BrokenResourceError:
                self._drop(channel)

    @contextmanager
    def subscribe(
        self, wanted: Callable[[Event], bool], backlog: int = 256
    ) -> Iterator[trio.MemoryReceiveChannel[Event]]:
        """A channel of the wanted events from now on; it ends when the subscriber fell `backlog` behind."""
        send, receive = trio.open_memory_channel[Event](backlog)
        self._subscribers[send] = wanted
        try:
            yield receive
        finally:
            self._drop(send)

    def _drop(self, channel: trio.MemorySendChannel[Event]) -> None:
        self._subscribers.pop(channel, None)
        channel.close()
