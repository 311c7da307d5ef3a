"""Who listens to what: every phone's socket of this process, by channel (contract/websocket-api §5).

A message is written once and handed to each listener's bounded outbox; a listener that does not keep up is closed
(1013), never waited for.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import trio

from evpower.clock import Clock
from evpower.http.phones.answer_types.live import LocationUpdateBody, StationUpdateBody
from evpower.http.phones.live_messages import (
    ALL,
    LOCATION,
    STATION,
    STATIONS,
    Subscribe,
    location_update,
    station_update,
)
from evpower.identifiers import ClientId
from evpower.network.published import LocationUpdate, NetworkNews, StationUpdate

log = logging.getLogger("evpower.live")

#: Messages a phone may be behind.
OUTBOX = 256
#: Far more than there are locations on anybody's screen.
CHANNELS_MAX = 1000

Key = TypeVar("Key", bound=str)

TRY_AGAIN_LATER = (1013, "too slow")
GOING_AWAY = (1001, "the server is shutting down")


@dataclass(eq=False)
class Listener:
    """One socket. Its owner runs inside `alive`; `close_with` says why that was cancelled."""

    client_id: ClientId
    address: str
    alive: trio.CancelScope = field(default_factory=trio.CancelScope)
    close_with: tuple[int, str] = (1000, "")
    channels: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._send, self.outbox = trio.open_memory_channel[str](OUTBOX)

    def post(self, text: str) -> None:
        """Hand over a message without waiting; a listener that has fallen behind is let go, and hears no more."""
        if self.alive.cancel_called:
            return  # its socket may be open until a send to it is given up
        try:
            self._send.send_nowait(text)
        except trio.WouldBlock:
            log.warning("a phone's socket fell behind and is closed: IP: %s", self.address)
            self.leave(*TRY_AGAIN_LATER)

    def has_room_for(self, change: Subscribe) -> bool:
        """Whether it may listen to one more channel; leaving one, and one it has, are always right."""
        return not change.subscribed or change.channel in self.channels or len(self.channels) < CHANNELS_MAX

    def leave(self, code: int, reason: str) -> None:
        """End the socket with this close code."""
        self.close_with = (code, reason)
        self.alive.cancel()


@dataclass(frozen=True)
class LiveLimits:
    """Sockets that may be open at once (contract/websocket-api §1)."""

    per_address: int = 20
    per_client: int = 10


class LiveHub:
    """`publish` is for the feed; the rest is for the sockets."""

    def __init__(self, clock: Clock, limits: LiveLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._channels: dict[str, set[Listener]] = {}
        self._listeners: set[Listener] = set()
        self._per_address: Counter[str] = Counter()
        self._per_client: Counter[ClientId] = Counter()
        self._closing = False

    def publish(self, news: NetworkNews) -> None:
        """Deliver a change once to every socket that listens to it (§5)."""
        body: LocationUpdateBody | StationUpdateBody
        match news:
            case LocationUpdate(location_id, counts):
                body = location_update(location_id, counts, self._clock.now())
                channels = [ALL, f"{LOCATION}{location_id}"]
            case StationUpdate(station, is_shadowed):
                body = station_update(station, self._clock.now())
                names = [station.id] if is_shadowed else [station.id, station.serial_number]
                channels = [f"{STATIONS}{station.location_id}", *(f"{STATION}{name}" for name in names)]
        listeners = set().union(*(self._channels.get(channel, ()) for channel in channels))
        if listeners:
            text = msgspec.json.encode(body).decode()
            for listener in listeners:
                listener.post(text)

    def has_room(self, client_id: ClientId, address: str) -> bool:
        """Whether one more socket of this client and address is allowed (§1)."""
        return not (
            self._closing
            or self._per_address[address] >= self._limits.per_address
            or self._per_client[client_id] >= self._limits.per_client
        )

    @contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """Listen to `all` from now on, until the end of the block (§2)."""
        self._listeners.add(listener)
        self._per_address[listener.address] += 1
        self._per_client[listener.client_id] += 1
        self.change(listener, Subscribe(ALL, subscribed=True))
        try:
            yield
        finally:
            self._listeners.discard(listener)
            for channel in tuple(listener.channels):
                self.change(listener, Subscribe(channel, subscribed=False))
            _release(self._per_address, listener.address)
            _release(self._per_client, listener.client_id)

    def change(self, listener: Listener, change: Subscribe) -> None:
        """Subscribe or unsubscribe; either twice is no error (§3)."""
        if change.subscribed:
            listener.channels.add(change.channel)
            self._channels.setdefault(change.channel, set()).add(listener)
            return
        listener.channels.discard(change.channel)
        listeners = self._channels.get(change.channel)
        if listeners is not None:
            listeners.discard(listener)
            if not listeners:
                del self._channels[change.channel]

    @property
    def sockets(self) -> int:
        """Open sockets."""
        return len(self._listeners)

    async def end_listeners(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """A task of the doors: when they close, every phone gets the close code of a leaving server (1001)."""
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self._closing = True
            _dismiss(self._listeners)


def _dismiss(listeners: Iterable[Listener]) -> None:
    for listener in tuple(listeners):
        listener.leave(*GOING_AWAY)


def _release(counts: Counter[Key], key: Key) -> None:
    """Counters without zeros: an address that left takes no memory."""
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
