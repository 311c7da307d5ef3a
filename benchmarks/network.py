"""The public network: the list of locations, one change told to a thousand phones, and a hundredfold network.

`python -m benchmarks.network` prints these tables alone. The clients are this process, the servers are others.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles

import trio

from benchmarks import table
from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, make_network, open_postgres
from benchmarks.http_client import KeptAlive
from benchmarks.processes import Server, serving, serving_ours
from benchmarks.wire import STATUS, boot_and_status, station_id

LIST = "/api/v1/locations?include_stations=true"
SOCKET = "/api/v1/ws/locations"
ROUNDS = 5
GETS_PER_ROUND = 40
COMPUTED_PER_ROUND = 5
PHONES = 1_000
PUSHES = 30
PUSHES_PER_ROUND = 60
#: Stations and locations of each network.
TOWN, VILLAGE, COUNTRY = (1_000, 300), (50, 15), (5_000, 1_500)
CACHED_TIMES_FASTER, BARE_TIMES_SLOWER, PUSH_TIMES_ECHO, LARGE_TIMES_SMALL = 3.0, 1.5, 10.0, 1.3


async def compare(postgres: Postgres) -> None:
    """Measure all three and print."""
    town, village, country = [await make_network(postgres, *size) for size in (TOWN, VILLAGE, COUNTRY)]
    await trio.to_thread.run_sync(_compare_lists_and_pushes, town)
    await trio.to_thread.run_sync(_compare_sizes, village, country)


def _compare_lists_and_pushes(town: str) -> None:
    with ExitStack() as stack:
        ours = stack.enter_context(_ours(town))
        body = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evpower-bench-"))) / "list.json"
        with KeptAlive(ours.http_port) as client:
            client.get(LIST)
            body.write_bytes(client.get(LIST))
        bare = stack.enter_context(serving("benchmarks.bare_quart", str(body)))
        with _ours(town, "computing") as computing:
            _compare_lists(ours, computing, bare, len(body.read_bytes()))
        _compare_pushes(ours, bare)


@dataclass
class Gets:
    """What requests for the list took, one after the other on one connection."""

    seconds: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def measure(self, server: Server, port: int, count: int) -> None:
        cpu_s = server.cpu_s()
        with KeptAlive(port) as client:
            for _ in range(count):
                began = time.perf_counter()
                client.get(LIST)
                self.seconds.append(time.perf_counter() - began)
        self.cpu_s += server.cpu_s() - cpu_s

    @property
    def per_second(self) -> float:
        return len(self.seconds) / sum(self.seconds)

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s * 1000 / len(self.seconds)


def _compare_lists(ours: Server, computing: Server, bare: Server, size: int) -> None:
    cached, computed, plain = Gets(), Gets(), Gets()
    for _ in range(ROUNDS):
        cached.measure(ours, ours.http_port, GETS_PER_ROUND)
        plain.measure(bare, bare.port, GETS_PER_ROUND)
        computed.measure(computing, computing.http_port, COMPUTED_PER_ROUND)
    table.head(
        f"List of {TOWN[0]:,} stations in {TOWN[1]} locations, {size / 1024:,.0f} KiB, from the cache", "computed"
    )
    table.line("requests per second", cached.per_second, computed.per_second, ",.1f")
    table.line("server CPU, ms per request", cached.cpu_ms, computed.cpu_ms, ".2f")
    table.verdict(
        "requests per second, cached / computed", cached.per_second / computed.per_second, at_least=CACHED_TIMES_FASTER
    )
    table.head("The same list from the cache, beside a route that returns the same bytes", "bare Quart-Trio")
    ours_ms, plain_ms = median(cached.seconds) * 1000, median(plain.seconds) * 1000
    table.line("median, ms per request", ours_ms, plain_ms, ".2f")
    table.line("server CPU, ms per request", cached.cpu_ms, plain.cpu_ms, ".2f")
    table.verdict("time per request, cached / bare", ours_ms / plain_ms, at_most=BARE_TIMES_SLOWER)


def _compare_pushes(ours: Server, bare: Server) -> None:
    pushes: list[float] = []
    echoes: list[float] = []
    with ExitStack() as stack:
        charger = stack.enter_context(charger_of(ours))
        rss = {server.pid: server.rss_bytes() for server in (ours, bare)}
        # Ours greets; the echo only answers the upgrade.
        phones = stack.enter_context(phones_of(ours.http_port, PHONES, greeted=True))
        echoing = stack.enter_context(phones_of(bare.port, PHONES, greeted=False))
        echo_at_once(echoing, b"x" * 600)
        ours_kib, bare_kib = ((server.rss_bytes() - rss[server.pid]) / 1024 / PHONES for server in (ours, bare))
        text = charger.change(phones)[0]
        for _ in range(PUSHES):
            pushes += charger.change(phones)[1]
            echoes += echo_at_once(echoing, text)
    table.head(f"One connector's word reaches {PHONES:,} phones; as many echo at once", "bare Quart-Trio")
    push, echo = quantiles(pushes, n=100), quantiles(echoes, n=100)
    table.line("p50, ms", push[49] * 1000, echo[49] * 1000, ".1f")
    table.line("p99, ms", push[98] * 1000, echo[98] * 1000, ".1f")
    table.line("KiB per socket", ours_kib, bare_kib, ".1f")
    table.verdict("p99, push / echo", push[98] / echo[98], at_most=PUSH_TIMES_ECHO)


def _compare_sizes(village: str, country: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(_ours(database)) for database in (country, village)]
        chargers = [stack.enter_context(charger_of(server)) for server in servers]
        phones = [stack.enter_context(phones_of(server.http_port, 1, greeted=True)) for server in servers]
        times: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for charger, phone, seconds in zip(chargers, phones, times, strict=True):
                for _ in range(PUSHES_PER_ROUND):
                    seconds += charger.change(phone)[1]
    table.head(f"One connector's word reaches a phone, in a network of {COUNTRY[0]:,} stations", f"of {VILLAGE[0]}")
    large, small = (quantiles(seconds, n=100) for seconds in times)
    table.line("p50, ms", large[49] * 1000, small[49] * 1000, ".2f")
    table.line("p99, ms", large[98] * 1000, small[98] * 1000, ".2f")
    table.verdict("median, large / small network", large[49] / small[49], at_most=LARGE_TIMES_SMALL)


class _Charger:
    """The charger whose connector changes its word."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._words = cycle((b"Charging", b"Available"))

    def change(self, phones: Fleet) -> tuple[bytes, list[float]]:
        """One change: the text every phone got, and each one's seconds since the charger began to send."""
        (charger,) = self._fleet.chargers
        charger.call(STATUS % (charger.sent, next(self._words)))
        told = phones.arrivals(len(phones.chargers))
        (answer,) = self._fleet.arrivals(1)
        assert answer.text.startswith(b"[3,")
        assert len({each.text for each in told}) == 1
        return told[0].text, [each.at - charger.sent_at for each in told]


@contextmanager
def charger_of(server: Server) -> Iterator[_Charger]:
    with Fleet() as fleet:
        fleet.connect([station_id(0)], server.port)
        fleet.drive(boot_and_status, upgrading=True)
        fleet.listen(quiet_s=1.0)
        yield _Charger(fleet)


@contextmanager
def phones_of(port: int, count: int, *, greeted: bool) -> Iterator[Fleet]:
    with Fleet() as fleet:
        fleet.connect([SOCKET] * count, port, path="%s")
        fleet.arrivals(2 * count if greeted else count)
        yield fleet


def echo_at_once(phones: Fleet, text: bytes) -> list[float]:
    """Every phone sends the text, all at once; each one's seconds from its own sending to the echo."""
    for phone in phones.chargers:
        phone.call(text)
    told = phones.arrivals(len(phones.chargers))
    return [each.at - each.charger.sent_at for each in told]


@contextmanager
def _ours(database: str, *arguments: str) -> Iterator[Server]:
    # All phones are of one address, and the chargers that do not take part stay online.
    settings = {
        "HTTP_RATE_LIMIT_EXEMPT": "127.0.0.1",
        "HTTP_SOCKETS_PER_ADDRESS": str(2 * PHONES),
        "OCPP_HEARTBEAT_TIMEOUT_S": "86400",
    }
    with serving_ours(database, *arguments, **settings) as server:
        yield server


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        await compare(postgres)


if __name__ == "__main__":
    trio.run(main)
