"""One, two and four processes of ours on one PostgreSQL: what a message costs all of them together.

Beside them one process with all the chargers and a second one with none: what following the other's changes costs.

`python -m benchmarks.several`. Each process has its share of two hundred chargers in a network of ten thousand, and
what one commits the others hear by NOTIFY. Rounds are in turns; every process is started anew for its round.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

import trio

from benchmarks.cycles import CHARGERS, NONE_FALLS_SILENT, CycleCost, measure, medians, rows_of
from benchmarks.database import Postgres, analyze, count_rows, make_network, open_postgres
from benchmarks.processes import serving_ours
from benchmarks.results import Row, page
from benchmarks.wire import MESSAGES_PER_CYCLE

STATIONS = 10_000
PROCESSES = {"1": 1, "ours": 2, "ours, 4": 4}
CYCLES, WARM_UP, ROUNDS = 5, 1, 3
#: Two processes together cost at most so many times what one does.
AT_MOST = 1.15


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        url = await make_network(postgres, STATIONS, STATIONS // 10, cards=CHARGERS)
        print(page(await trio.to_thread.run_sync(_compare, postgres, url)))
        print(page(await trio.to_thread.run_sync(_follow, postgres, url)))


def _compare(postgres: Postgres, url: str) -> list[Row]:
    costs: dict[str, list[CycleCost]] = {name: [] for name in PROCESSES}
    for number in range(ROUNDS):
        for name, count in PROCESSES.items():
            with ExitStack() as stack:
                servers = [stack.enter_context(serving_ours(url, **NONE_FALLS_SILENT)) for _ in range(count)]
                measure(servers, postgres, WARM_UP)
                if not number:
                    analyze(url)
                costs[name].append(measure(servers, postgres, CYCLES))
    charges = len(PROCESSES) * ROUNDS * CHARGERS * (WARM_UP + CYCLES)
    assert count_rows(url, "evpower.ocpp_transactions") == charges
    assert count_rows(url, "evpower.doubts") == 0
    return rows_of({name: medians(each) for name, each in costs.items()}, {"1": AT_MOST}, {"1": AT_MOST})


def _follow(postgres: Postgres, url: str) -> list[Row]:
    """Of each message that the first process answers: its CPU, and that of the second, which only hears of it."""
    messages = CYCLES * CHARGERS * MESSAGES_PER_CYCLE
    working: list[float] = []
    following: list[float] = []
    with ExitStack() as stack:
        first, second = (stack.enter_context(serving_ours(url, **NONE_FALLS_SILENT)) for _ in range(2))
        measure([first], postgres, WARM_UP)
        for _ in range(ROUNDS):
            cpu_s = second.cpu_s()
            working.append(measure([first], postgres, CYCLES).server_us)
            following.append((second.cpu_s() - cpu_s) * 1e6 / messages)
    figures = {"the one that works": median(working), "ours": median(following)}
    return [Row("a message of a whole charge, a second process that only follows", "µs", figures)]


if __name__ == "__main__":
    trio.run(main)
