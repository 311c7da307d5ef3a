"""Whole charges by card, ten messages each: ours with billing, beside an asyncio and a Node server without it.

`python -m benchmarks.cycles` prints this table alone. Each charger has one message on its way; the network is ten
thousand stations, at a thousand locations or at one. Rounds are in turns. The Node server runs where node and npm are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import trio

from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, analyze, count_rows, make_network, open_postgres
from benchmarks.processes import Server, running_node, serving, serving_ours
from benchmarks.results import Row, page
from benchmarks.wire import MESSAGES_PER_CYCLE, READINGS, Cycles, station_id, status

CHARGERS = 200
CYCLES = 5
WARM_UP = 2
ROUNDS = 3
STATIONS = 10_000
#: Ours with billing costs at most this share of a peer without it.
AT_MOST = {"asyncio": 0.3, "node": 1.0}
OURS, LARGE = "ours", "ours, 1 location"
#: All but the chargers are online by their rows alone. Some minutes later ten thousand stations at once would be noted
#: as silent, published and counted, and the round in which that happens would be measured with it.
NONE_FALLS_SILENT = {"OCPP_HEARTBEAT_TIMEOUT_S": "86400"}


@dataclass(frozen=True)
class CycleCost:
    """CPU of the server and of PostgreSQL for a message, and messages in a second."""

    server_us: float
    postgres_us: float
    per_second: float


async def compare(postgres: Postgres, cycles: int = CYCLES, rounds: int = ROUNDS) -> list[Row]:
    """Measure in turns."""
    small = await make_network(postgres, STATIONS, STATIONS // 10, cards=CHARGERS)
    large = await make_network(postgres, STATIONS, 1, cards=CHARGERS)
    return await trio.to_thread.run_sync(_compare, postgres, small, large, cycles, rounds)


def _compare(postgres: Postgres, small: str, large: str, cycles: int, rounds: int) -> list[Row]:
    with ExitStack() as stack:
        servers = {
            OURS: stack.enter_context(serving_ours(small, **NONE_FALLS_SILENT)),
            LARGE: stack.enter_context(serving_ours(large, **NONE_FALLS_SILENT)),
            "asyncio": stack.enter_context(serving("benchmarks.peer_asyncio", postgres.peer)),
        }
        if node := stack.enter_context(running_node(postgres.peer)):
            servers["node"] = node
        costs: dict[str, list[CycleCost]] = {name: [] for name in servers}
        for server in servers.values():
            measure([server], postgres, WARM_UP)
        for url in (small, large, postgres.peer):
            analyze(url)
        for _ in range(rounds):
            for name, server in servers.items():
                costs[name].append(measure([server], postgres, cycles))
    for url in (small, large):
        assert count_rows(url, "evpower.ocpp_transactions") == CHARGERS * (WARM_UP + rounds * cycles)
        assert count_rows(url, "evpower.doubts") == 0
    return rows_of({name: medians(each) for name, each in costs.items()}, AT_MOST, {})


def measure(servers: Sequence[Server], postgres: Postgres, cycles: int, readings: int = READINGS) -> CycleCost:
    """What these processes on one database cost together; each has its share of the chargers.

    Chargers of their own for each round: between two rounds no ping would be answered.
    """
    messages = cycles * CHARGERS * (MESSAGES_PER_CYCLE - READINGS + readings)
    with Fleet() as fleet:
        for number, server in enumerate(servers):
            fleet.connect([station_id(n) for n in range(CHARGERS)[number :: len(servers)]], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)
        postgres.settle()
        server_s, postgres_s, began = _cpu_s(servers), postgres.cpu_s(), time.perf_counter()
        fleet.drive(Cycles(cycles, readings))
        took_s = time.perf_counter() - began
        server_s, postgres_s = _cpu_s(servers) - server_s, postgres.cpu_s() - postgres_s
    return CycleCost(server_s * 1e6 / messages, postgres_s * 1e6 / messages, messages / took_s)


def _cpu_s(servers: Sequence[Server]) -> float:
    return sum(server.cpu_s() for server in servers)


def medians(rounds: Sequence[CycleCost]) -> CycleCost:
    return CycleCost(*(median(values) for values in zip(*(vars(each).values() for each in rounds), strict=True)))


def rows_of(
    costs: Mapping[str, CycleCost], at_most: Mapping[str, float], postgres_at_most: Mapping[str, float]
) -> list[Row]:
    """The table of what charges cost, with how many times a peer's ours may be."""
    server, postgres = {n: c.server_us for n, c in costs.items()}, {n: c.postgres_us for n, c in costs.items()}
    return [
        Row("a message of a whole charge, server's CPU", "µs", server, at_most),
        Row("a message of a whole charge, PostgreSQL's CPU", "µs", postgres, postgres_at_most),
        Row("messages of whole charges, in a second", "", {n: c.per_second for n, c in costs.items()}),
    ]


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        print(page(await compare(postgres)))


if __name__ == "__main__":
    trio.run(main)
