"""The kinds of work that a profile can be taken of: each first unwatched, then watched."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg

from benchmarks import cycles, rest, scale
from benchmarks.boot_storm import storm
from benchmarks.chargers import Fleet, NextCall
from benchmarks.database import Postgres, analyze, make_network
from benchmarks.http_client import KeptAlive
from benchmarks.network import LIST
from benchmarks.past import grow_old
from benchmarks.processes import Server, serving, serving_ours
from benchmarks.wire import MESSAGES_PER_CYCLE, heartbeats, meter_values, station_id, status

CHARGERS = cycles.CHARGERS
STORM = 2_000
STATIONS = CHARGERS + STORM
CYCLES = 10
CHARGE_MESSAGES = CYCLES * CHARGERS * MESSAGES_PER_CYCLE
MESSAGES = 60_000
CROWD_MESSAGES = round(scale.SECONDS * scale.HEARTBEATS_A_SECOND)
CROWD_MESSAGES += 2 * CHARGERS * scale.MESSAGES_A_CHARGE
GETS = 400
STARTS = CHARGERS * 3 // 4
#: Rounds of a word about each order: the first is unwatched.
WEBHOOK_ROUNDS = 4


class Watch(Protocol):
    def __call__(self, server: Server, times: int) -> AbstractContextManager[None]:
        """Watch this server in the block, in which it does something so many times."""


@dataclass(frozen=True)
class Work:
    """How it is done, and on what.

    Either on the plain stations, of which the first `charging` charge, or in a network with so many `locations`; old
    is one with ninety days behind it.
    """

    do: Callable[[Watch, Postgres, str], None]
    locations: int | None = None
    charging: int = CHARGERS
    old: bool = False

    async def database(self, postgres: Postgres) -> str:
        """Made ready; its URL."""
        if self.locations is None:
            return postgres.ours
        url = await make_network(postgres, cycles.STATIONS, self.locations, cards=CHARGERS)
        if self.old:
            await grow_old(url)
        return url


def _charges(watch: Watch, postgres: Postgres, url: str) -> None:
    with serving_ours(url, **cycles.NONE_FALLS_SILENT) as server:
        _warm_up(server, postgres, url)
        with watch(server, CHARGE_MESSAGES):
            cycles.measure([server], postgres, CYCLES)


def _followed(watch: Watch, postgres: Postgres, url: str) -> None:
    """A second process without stations, while the first one works."""
    with (
        serving_ours(url, **cycles.NONE_FALLS_SILENT) as first,
        serving_ours(url, **cycles.NONE_FALLS_SILENT) as second,
    ):
        _warm_up(first, postgres, url)
        with watch(second, CHARGE_MESSAGES):
            cycles.measure([first], postgres, CYCLES)


def _crowd(watch: Watch, postgres: Postgres, url: str) -> None:
    """The traffic of a large network, which leaves the process idle between two messages."""
    with serving_ours(url, **cycles.NONE_FALLS_SILENT) as server:
        _warm_up(server, postgres, url)
        with scale.crowded(server) as traffic, watch(server, CROWD_MESSAGES):
            traffic()


def _warm_up(server: Server, postgres: Postgres, url: str) -> None:
    cycles.measure([server], postgres, cycles.WARM_UP)
    analyze(url)
    cycles.measure([server], postgres, cycles.WARM_UP)


def _messages(calls: Callable[[int], NextCall]) -> Callable[[Watch, Postgres, str], None]:
    def work(watch: Watch, _: Postgres, url: str) -> None:
        with serving_ours(url) as server, Fleet() as fleet:
            fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
            fleet.drive(status("Charging"), upgrading=True)
            fleet.listen(quiet_s=1.0)
            fleet.drive(calls(MESSAGES // 10))
            analyze(url)
            with watch(server, MESSAGES):
                fleet.drive(calls(MESSAGES))

    return work


def _storm(first: int) -> Callable[[Watch, Postgres, str], None]:
    def work(watch: Watch, _: Postgres, url: str) -> None:
        analyze(url)
        with serving_ours(url) as server, watch(server, STORM):
            storm(server, first, STORM)

    return work


def _list(watch: Watch, postgres: Postgres, url: str) -> None:
    with _listing(url) as server:
        _get_list(server.http_port, 5)
        with watch(server, GETS):
            _get_list(server.http_port, GETS)


def _bare_list(watch: Watch, postgres: Postgres, url: str) -> None:
    """A bare route that returns the same bytes."""
    with tempfile.TemporaryDirectory(prefix="evpower-bench-") as directory:
        body = Path(directory) / "list.json"
        with _listing(url) as server:
            body.write_bytes(_get_list(server.http_port, 1))
        with serving("benchmarks.bare_quart", str(body)) as bare, watch(bare, GETS):
            _get_list(bare.port, GETS)


@contextmanager
def _listing(url: str) -> Iterator[Server]:
    """Ours, with a Redis where there is one."""
    with rest.running_redis() as redis:
        settings = rest.UNLIMITED | cycles.NONE_FALLS_SILENT | {"REDIS_URL": redis or ""}
        with serving_ours(url, **settings) as server:
            yield server


def _get_list(port: int, times: int) -> bytes:
    with KeptAlive(port) as phone:
        return [phone.get(LIST) for _ in range(times)][-1]


def _starts(watch: Watch, _: Postgres, url: str) -> None:
    with (
        serving_ours(url, **rest.UNLIMITED, **cycles.NONE_FALLS_SILENT) as server,
        rest.booted(server, range(CHARGERS)) as fleet,
    ):
        rest.start(server, fleet, range(CHARGERS - STARTS))
        with watch(server, STARTS):
            rest.start(server, fleet, range(CHARGERS - STARTS, CHARGERS))


def _webhooks(watch: Watch, postgres: Postgres, url: str) -> None:
    with psycopg.connect(url) as database:
        database.execute(rest.ORDERS)
    analyze(url)
    settings = rest.UNLIMITED | rest.PROVIDER | cycles.NONE_FALLS_SILENT
    with serving_ours(url, **settings) as server:
        rest.report(server.http_port)
        with watch(server, (WEBHOOK_ROUNDS - 1) * rest.WEBHOOKS):
            for _ in range(WEBHOOK_ROUNDS - 1):
                rest.report(server.http_port)


#: Of a network as large as the benchmark of charges has.
MANY, ONE = cycles.STATIONS // 10, 1
WORK = {
    "heartbeat": Work(_messages(heartbeats)),
    "reading": Work(_messages(lambda messages: meter_values(messages, CHARGERS))),
    "charge": Work(_charges, MANY),
    "charge-large": Work(_charges, ONE),
    "charge-old": Work(_charges, MANY, old=True),
    "crowd": Work(_crowd, MANY),
    "follow": Work(_followed, MANY),
    "storm": Work(_storm(CHARGERS)),
    "storm-charging": Work(_storm(0), charging=STORM),
    "list": Work(_list, MANY),
    "list-bare": Work(_bare_list, MANY),
    "start": Work(_starts, MANY),
    "webhook": Work(_webhooks, MANY),
}
