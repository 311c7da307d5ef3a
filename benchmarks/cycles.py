"""Whole charges by card, ten messages each: ours with billing, beside an asyncio and a Node server without it.

`python -m benchmarks.cycles` prints this table alone. Each charger has one message on its way; the network is ten
thousand stations, at a thousand locations or at one. Rounds are in turns. The Node server runs where node and npm are.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import trio

from benchmarks import table
from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, count_rows, make_network, open_postgres
from benchmarks.processes import Server, running, serving
from benchmarks.wire import MESSAGES_PER_CYCLE, Cycles, station_id, status

CHARGERS = 200
CYCLES = 5
WARM_UP = 2
ROUNDS = 3
STATIONS = 10_000
NODE = Path(__file__).parent / "peer_node"
#: Ours with billing costs at most this share of a peer without it.
AT_MOST = {"asyncio": 0.3, "node": 1.0}
#: And in one large location at most so many times what it costs in small ones.
LARGE_AT_MOST = 1.1


@dataclass(frozen=True)
class CycleCost:
    """CPU of the server and of PostgreSQL for a message, and messages in a second."""

    server_us: float
    postgres_us: float
    per_second: float


async def compare(postgres: Postgres) -> None:
    """Measure in turns and print."""
    small = await make_network(postgres, STATIONS, STATIONS // 10, cards=CHARGERS)
    large = await make_network(postgres, STATIONS, 1, cards=CHARGERS)
    await trio.to_thread.run_sync(_compare, postgres, small, large)


def _compare(postgres: Postgres, small: str, large: str) -> None:
    with ExitStack() as stack:
        servers = {
            "ours": stack.enter_context(_ours(small)),
            "ours, 1 location": stack.enter_context(_ours(large)),
            "asyncio": stack.enter_context(serving("benchmarks.peer_asyncio", postgres.peer)),
        }
        if shutil.which("node") and shutil.which("npm"):
            servers["node"] = stack.enter_context(_node(postgres.peer))
        rounds: dict[str, list[CycleCost]] = {name: [] for name in servers}
        for server in servers.values():
            _measure(server, postgres, WARM_UP)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(_measure(server, postgres, CYCLES))
    for url in (small, large):
        assert count_rows(url, "evpower.ocpp_transactions") == CHARGERS * (WARM_UP + ROUNDS * CYCLES)
        assert count_rows(url, "evpower.doubts") == 0
    _print({name: _medians(each) for name, each in rounds.items()})


@contextmanager
def _ours(url: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="evpower-bench-") as state:
        environ = {
            "EVPOWER_DATABASE_URL": url,
            "EVPOWER_STATE_DIR": state,
            "EVPOWER_HTTP_BIND": "127.0.0.1:0",
            "EVPOWER_OPERATOR_BIND": "",
            "EVPOWER_OCPP_BIND": "127.0.0.1:0",
        }
        with serving("benchmarks.ours", environ=environ) as server:
            yield server


@contextmanager
def _node(url: str) -> Iterator[Server]:
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    with running(["node", str(NODE / "server.mjs"), url]) as server:
        yield server


def _measure(server: Server, postgres: Postgres, cycles: int) -> CycleCost:
    """Chargers of their own for each round: between two rounds no ping would be answered."""
    messages = cycles * CHARGERS * MESSAGES_PER_CYCLE
    with Fleet() as fleet:
        fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)
        postgres.settle()
        server_s, postgres_s, began = server.cpu_s(), postgres.cpu_s(), time.perf_counter()
        fleet.drive(Cycles(cycles))
        took_s = time.perf_counter() - began
        server_s, postgres_s = server.cpu_s() - server_s, postgres.cpu_s() - postgres_s
    return CycleCost(server_s * 1e6 / messages, postgres_s * 1e6 / messages, messages / took_s)


def _medians(rounds: list[CycleCost]) -> CycleCost:
    return CycleCost(*(median(values) for values in zip(*(vars(each).values() for each in rounds), strict=True)))


def _print(costs: dict[str, CycleCost]) -> None:
    print(
        f"\nWhole charges, {MESSAGES_PER_CYCLE} messages each, {CHARGERS} chargers at once, medians of {ROUNDS} rounds"
    )
    print(f"{'':20}{'server us/message':>20}{'PostgreSQL us':>16}{'messages/s':>14}{'ours / it':>12}")
    ours = costs["ours"].server_us
    for name, cost in costs.items():
        print(
            f"{name:20}{cost.server_us:>20.1f}{cost.postgres_us:>16.1f}{cost.per_second:>14,.0f}"
            f"{ours / cost.server_us:>12.3f}"
        )
    for name, at_most in AT_MOST.items():
        if name in costs:
            table.verdict(f"ours / {name}", ours / costs[name].server_us, at_most=at_most)
    table.verdict("one location / many", costs["ours, 1 location"].server_us / ours, at_most=LARGE_AT_MOST)


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        await compare(postgres)


if __name__ == "__main__":
    trio.run(main)
