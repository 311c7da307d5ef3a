"""Ours beside an asyncio and a Node server: what each kind of message costs, in turns (A B C A B C).

`python -m benchmarks.peers [--quick]` prints the table of the README; the whole one is kept in `benchmarks/results/` as
a page, as figures and as a plot. Ours is the whole product with its defaults; the peers store the same columns and
bill nothing. The Node server runs where node and npm are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import trio

from benchmarks import cycles
from benchmarks.boot_storm import Storm, storm
from benchmarks.chargers import Fleet, NextCall
from benchmarks.database import Postgres, analyze, count_rows, open_postgres
from benchmarks.messages import Figures, measure, medians
from benchmarks.processes import Server, running_node, serving, serving_ours
from benchmarks.results import Row, keep, page
from benchmarks.wire import heartbeats, meter_values, station_id, status

CHARGERS = 200
WARM_UP = 2_000


@dataclass(frozen=True)
class Plan:
    """How much is sent: messages of a kind and charges at each charger in a round, rounds, chargers of the storm."""

    messages: int
    cycles: int
    rounds: int
    storm: int


FULL, QUICK = Plan(15_000, 5, 3, 1_000), Plan(3_000, 2, 1, 500)
KINDS: dict[str, Callable[[int], NextCall]] = {
    "Heartbeat": heartbeats,
    "MeterValues": lambda messages: meter_values(messages, CHARGERS),
}
#: Ours costs at most so many times what a peer's message costs.
AT_MOST = {
    "Heartbeat": {"node": 0.5},
    "MeterValues": {"asyncio": 0.12, "node": 0.6},
    "storm": {"asyncio": 0.5, "node": 1.0},
}


async def main(plan: Plan) -> None:
    """Measure and print; the whole one is kept."""
    async with open_postgres(stations=CHARGERS + plan.storm, charging=CHARGERS) as postgres:
        rows = await trio.to_thread.run_sync(_messages, postgres, plan)
        rows += await cycles.compare(postgres, plan.cycles, plan.rounds)
    print("\n" + page(rows))
    if plan == FULL:
        keep(rows)


def _messages(postgres: Postgres, plan: Plan) -> list[Row]:
    with ExitStack() as stack:
        servers = _start(stack, postgres)
        storms = {name: storm(server, CHARGERS, plan.storm) for name, server in servers.items()}
        fleets = {name: _connected(stack, server) for name, server in servers.items()}
        costs = {kind: _in_turns(servers, fleets, postgres, plan, calls) for kind, calls in KINDS.items()}
        stored = WARM_UP + plan.rounds * plan.messages
        assert count_rows(postgres.ours, "evpower.ocpp_meter_values") == stored
        assert count_rows(postgres.peer, "meter_values") == stored * (len(servers) - 1)
    return [*_rows_of_messages(costs), *_rows_of_storms(storms, plan.storm)]


def _in_turns(
    servers: dict[str, Server],
    fleets: dict[str, Fleet],
    postgres: Postgres,
    plan: Plan,
    calls: Callable[[int], NextCall],
) -> dict[str, Figures]:
    for name, server in servers.items():
        measure(server, postgres, fleets[name], calls(WARM_UP), WARM_UP)
    for url in (postgres.ours, postgres.peer):
        analyze(url)
    rounds: dict[str, list[Figures]] = {name: [] for name in servers}
    for _ in range(plan.rounds):
        for name, server in servers.items():
            rounds[name].append(measure(server, postgres, fleets[name], calls(plan.messages), plan.messages))
    return {name: medians(each) for name, each in rounds.items()}


def _start(stack: ExitStack, postgres: Postgres) -> dict[str, Server]:
    servers = {
        "ours": stack.enter_context(serving_ours(postgres.ours)),
        "asyncio": stack.enter_context(serving("benchmarks.peer_asyncio", postgres.peer)),
    }
    if node := stack.enter_context(running_node(postgres.peer)):
        servers["node"] = node
    return servers


def _connected(stack: ExitStack, server: Server) -> Fleet:
    fleet = stack.enter_context(Fleet())
    fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
    fleet.drive(status("Charging"), upgrading=True)
    fleet.listen(quiet_s=1.0)
    return fleet


def _rows_of_messages(costs: dict[str, dict[str, Figures]]) -> list[Row]:
    rows = []
    for kind, by_server in costs.items():
        server_us = {name: each.server_us for name, each in by_server.items()}
        rows.append(Row(f"{kind}, server's CPU", "µs", server_us, AT_MOST[kind]))
        if any(each.postgres_us for each in by_server.values()):
            rows.append(Row(f"{kind}, PostgreSQL's CPU", "µs", {n: each.postgres_us for n, each in by_server.items()}))
        rows.append(Row(f"{kind}, in a second", "", {n: each.per_second for n, each in by_server.items()}))
        rows.append(Row(f"{kind}, slowest hundredth", "ms", {n: each.p99_ms for n, each in by_server.items()}))
    return rows


def _rows_of_storms(storms: dict[str, Storm], chargers: int) -> list[Row]:
    name = f"{chargers:,} boot at once"
    return [
        Row(f"{name}, server's CPU", "s", {n: each.cpu_s for n, each in storms.items()}, AT_MOST["storm"]),
        Row(f"{name}, until all are in", "s", {n: each.seconds for n, each in storms.items()}),
        Row("an idle charger", "KiB", {n: each.kib_per_idle_charger for n, each in storms.items()}),
    ]


if __name__ == "__main__":
    trio.run(main, QUICK if sys.argv[1:] == ["--quick"] else FULL)
