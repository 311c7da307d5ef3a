"""Failed logins at the stations' door: counted, logged, and slowed for the address they come from and for the station.

The first few cost nothing. After them an address (IPv6: a /64) and a station are served one login at a time, each
failure followed by a wait. One may wait meanwhile, the newest, so that guesses in parallel gain nothing and the right
password waits for one wrong one at most; a password already known to be right does not wait.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import trio

from evpower.client_address import Network, client_address, neighbourhood

log = logging.getLogger("security")

#: Failures of one address that are free.
FREE_FAILURES = 5
#: Wait after each further failure, in seconds; below the handshake's time-out, so that the answer still arrives.
WAIT_S = 2.0
#: An address without failures for this long starts anew, in seconds.
FORGIVEN_AFTER_S = 600.0
#: Slowed addresses shown, the latest.
MOST_SHOWN = 20
#: Addresses remembered; the one longest without failures is forgotten first.
MAX_ADDRESSES = 4096


class TooManyTries(Exception):
    """A try is not looked at: a newer one of its address or its station waits in its place."""


@dataclass
class _Tries:
    """Those of one address, or for one station."""

    failures: int = 0
    failed_at: float = 0.0
    #: Being checked now.
    under_way: int = 0
    turn: trio.Lock = field(default_factory=trio.Lock)
    #: The one that waits for its turn; the next one takes its place.
    waiting: trio.CancelScope | None = None

    @property
    def is_free(self) -> bool:
        """Whether one more may be checked at once, even if all that are under way fail."""
        return self.failures + self.under_way < FREE_FAILURES


class FailedLogins:
    """`total` since the start; the rest is per address and per station, and bounded."""

    def __init__(self, *, max_addresses: int = MAX_ADDRESSES) -> None:
        self.total = 0
        self._addresses = _Known(max_addresses)
        self._stations = _Known(max_addresses)

    @asynccontextmanager
    async def turn(self, address: str, station: str = "") -> AsyncIterator[None]:
        """Wait for the turn of the address, then of the station; at once for those that have not failed much.

        Empty: not an address, or a try that cannot fail. Raises TooManyTries.
        """
        async with AsyncExitStack() as turns:
            for known, name in ((self._addresses, neighbourhood(address)), (self._stations, station)):
                if name:
                    await turns.enter_async_context(_turn(known.kept(name)))
            yield

    async def failed(self, address: str, station: str, reason: str) -> None:
        """Count and log one failure; returns after the wait it costs."""
        self.total += 1
        now = trio.current_time()
        of_address = self._addresses.kept(neighbourhood(address)) if address else _Tries()
        # Of a station that was never asked for a password nothing is kept: any name can be made up.
        of_station = self._stations.found(station) or _Tries()
        for tries in (of_address, of_station):
            tries.failures += 1
            tries.failed_at = now
        log.warning(
            "login refused: station=%s, address=%s, reason=%s, failures=%d",
            station,
            address or "-",
            reason,
            of_address.failures,
        )
        if max(of_address.failures, of_station.failures) > FREE_FAILURES:
            await trio.sleep(WAIT_S)

    def slowed(self) -> list[str]:
        """The addresses served one login at a time now, the latest failure first, at most `MOST_SHOWN`."""
        return self._addresses.slowed()[:MOST_SHOWN]


class _Known:
    """Tries by name, the one longest without any forgotten first; a name that fails no more begins anew."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def found(self, name: str) -> _Tries | None:
        """What is known of the name."""
        tries = self._tries.get(name)
        if tries is None or trio.current_time() - tries.failed_at > FORGIVEN_AFTER_S:
            if tries is not None and not tries.under_way:
                del self._tries[name]
            elif tries is not None:
                tries.failures = 0
            return None if tries is None or not tries.under_way else tries
        return tries

    def kept(self, name: str) -> _Tries:
        """What is known of the name, from now on."""
        tries = self.found(name) or _Tries(failed_at=trio.current_time())
        self._tries[name] = tries
        self._tries.move_to_end(name)
        while len(self._tries) > self._most:
            self._tries.popitem(last=False)
        return tries

    def slowed(self) -> list[str]:
        """The names that are served one at a time now, the latest failure first."""
        now = trio.current_time()
        slow = [
            (tries.failed_at, name)
            for name, tries in reversed(self._tries.items())
            if tries.failures >= FREE_FAILURES and now - tries.failed_at <= FORGIVEN_AFTER_S
        ]
        return [name for _, name in sorted(slow, key=lambda each: -each[0])]


@asynccontextmanager
async def _turn(tries: _Tries) -> AsyncIterator[None]:
    """One check of these tries; when they have failed much, alone, and the newest of those that wait comes next."""
    if tries.is_free:
        tries.under_way += 1
        try:
            yield
        finally:
            tries.under_way -= 1
        return
    if tries.waiting is not None:
        tries.waiting.cancel()
    with trio.CancelScope() as waiting:
        tries.waiting = waiting
        try:
            await tries.turn.acquire()
        finally:
            if tries.waiting is waiting:
                tries.waiting = None
    if waiting.cancelled_caught:
        raise TooManyTries
    try:
        yield
    finally:
        tries.turn.release()


def address_of(stream: trio.abc.Stream, forwarded_for: Iterable[str] = (), proxies: Collection[Network] = ()) -> str:
    """The peer's address; behind one of `proxies` the one it names. Empty when the stream has none."""
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return client_address(str(getattr(stream, "peer_host", "")), forwarded_for, proxies)
