"""Thousands of chargers connect, boot and say their status at once, and are idle then: ours, asyncio and Node.

`python -m benchmarks.storms`. Beside our largest storm one more station charges, and its answers are timed: it must not
starve. The last row is a storm of stations in the middle of their charges.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

import trio

from benchmarks.boot_storm import Storm, storm
from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, analyze, open_postgres
from benchmarks.processes import Server, running_node, serving, serving_ours
from benchmarks.results import Row, page
from benchmarks.wire import heartbeat, station_id, status

SIZES = (1_000, 5_000, 10_000)
CHARGING, ROUNDS = 1_000, 5
#: Of the one that goes on beside the storm.
ALONE = SIZES[-1]
EVERY_S = 0.05
#: The largest storm and the one that goes on are more than the doors hold by default; as many handshakes as by default.
AT_ONCE = {"OCPP_MAX_CONNECTIONS": str(2 * SIZES[-1])}
AT_MOST = {"asyncio": 0.5, "node": 1.0}


async def main() -> None:
    async with open_postgres(stations=ALONE + 1, charging=0) as postgres:
        rows = await trio.to_thread.run_sync(_plain, postgres)
    async with open_postgres(stations=2 * CHARGING, charging=CHARGING) as postgres:
        rows.append(await trio.to_thread.run_sync(_in_mid_charge, postgres))
    print(page(rows))


def _plain(postgres: Postgres) -> list[Row]:
    rows: list[Row] = []
    for size in SIZES:
        storms: dict[str, Storm] = {}
        waits: list[float] = []
        for name, start in _servers(postgres).items():
            with ExitStack() as stack:
                server = start(stack)
                if server is None:
                    continue
                if name == "ours":
                    stack.enter_context(_one_that_goes_on(server, waits))
                storms[name] = storm(server, 0, size)
        figures = {name: each.cpu_s for name, each in storms.items()}
        rows += [
            Row(f"{size:,} boot at once, server's CPU", "s", figures, AT_MOST),
            Row(f"{size:,} boot at once, until all are in", "s", {n: each.seconds for n, each in storms.items()}),
            Row("beside it a station's answer, slowest hundredth", "ms", {"ours": quantiles(waits, n=100)[98] * 1000}),
            Row(f"one of {size:,} idle chargers", "KiB", {n: each.kib_per_idle_charger for n, each in storms.items()}),
        ]
    return rows


def _in_mid_charge(postgres: Postgres) -> Row:
    """The first of `CHARGING` stations charge, the others do not; a fresh server for each, in one database."""
    costs: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(ROUNDS):
        for name, first in (("plain", CHARGING), ("ours", 0)):
            with serving_ours(postgres.ours) as server:
                costs[name].append(storm(server, first, CHARGING).cpu_s)
            analyze(postgres.ours)
    figures = {name: median(each) for name, each in costs.items()}
    return Row(f"{CHARGING:,} boot in mid-charge, server's CPU", "s", figures, {"plain": 1.2})


def _servers(postgres: Postgres) -> dict[str, Callable[[ExitStack], Server | None]]:
    return {
        "ours": lambda stack: stack.enter_context(serving_ours(postgres.ours, **AT_ONCE)),
        "asyncio": lambda stack: stack.enter_context(serving("benchmarks.peer_asyncio", postgres.peer)),
        "node": lambda stack: stack.enter_context(running_node(postgres.peer)),
    }


@contextmanager
def _one_that_goes_on(server: Server, waits: list[float]) -> Iterator[None]:
    """A station that asks every `EVERY_S` until the end of the block; its waits are added."""
    over = threading.Event()
    with Fleet() as fleet:
        fleet.connect([station_id(ALONE)], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)

        def go_on() -> None:
            while not over.is_set():
                waits.extend(fleet.drive(heartbeat()))
                time.sleep(EVERY_S)

        asking = threading.Thread(target=go_on)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()


if __name__ == "__main__":
    trio.run(main)
