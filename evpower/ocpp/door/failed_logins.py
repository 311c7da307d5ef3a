"""Failed logins at the stations' door: counted, logged, and slowed down for the address they come from.

The first few cost nothing. After them an address is served one login at a time, each failure followed by a wait, so
that guesses in parallel gain nothing; a password already known to be right does not wait.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from evpower.client_address import Network, client_address
from evpower.ocpp.watch.oddities import shown

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


@dataclass
class _Address:
    failures: int = 0
    failed_at: float = 0.0
    turn: trio.Lock = field(default_factory=trio.Lock)


class FailedLogins:
    """`total` since the start; the rest is per address and bounded."""

    def __init__(self, *, max_addresses: int = MAX_ADDRESSES) -> None:
        self.total = 0
        self._max_addresses = max_addresses
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for the address's turn to try; at once for one that has not failed much. Empty: not an address."""
        known = self._known(address)
        if known is None or known.failures < FREE_FAILURES:
            yield
            return
        async with known.turn:
            yield

    async def failed(self, address: str, station: str, reason: str) -> None:
        """Count and log one failure; returns after the wait it costs."""
        self.total += 1
        known = self._known(address) or _Address()
        known.failures += 1
        known.failed_at = trio.current_time()
        if address:
            self._addresses[address] = known
            self._addresses.move_to_end(address)
            while len(self._addresses) > self._max_addresses:
                self._addresses.popitem(last=False)
        log.warning(
            "login refused: station=%s, address=%s, reason=%s, failures=%d",
            shown(station),
            address or "-",
            reason,
            known.failures,
        )
        if address and known.failures > FREE_FAILURES:
            await trio.sleep(WAIT_S)

    def slowed(self) -> list[str]:
        """The addresses served one login at a time now, the latest failure first, at most `MOST_SHOWN`."""
        now = trio.current_time()
        slowed = [
            address
            for address, known in reversed(self._addresses.items())
            if known.failures >= FREE_FAILURES and now - known.failed_at <= FORGIVEN_AFTER_S
        ]
        return slowed[:MOST_SHOWN]

    def _known(self, address: str) -> _Address | None:
        known = self._addresses.get(address)
        if known is not None and trio.current_time() - known.failed_at > FORGIVEN_AFTER_S:
            del self._addresses[address]
            return None
        return known


def address_of(stream: trio.abc.Stream, forwarded_for: Iterable[str] = (), proxies: Collection[Network] = ()) -> str:
    """The peer's address; behind one of `proxies` the one it names. Empty when the stream has none."""
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return client_address(str(getattr(stream, "peer_host", "")), forwarded_for, proxies)
