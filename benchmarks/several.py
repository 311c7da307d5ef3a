"""One, two and four processes of ours on one PostgreSQL: what a message costs all of them together.

`python -m benchmarks.several`. Each process has its share of two hundred chargers in a network of ten thousand, and
what one commits the others hear by NOTIFY. Rounds are in turns; every process is started anew for its round.
"""

from __future__ import annotations

from contextlib import ExitStack

import trio

from benchmarks.cycles import CHARGERS, CycleCost, measure, medians, rows_of
from benchmarks.database import Postgres, analyze, count_rows, make_network, open_postgres
from benchmarks.processes import serving_ours
from benchmarks.results import Row, page

STATIONS = 10_000
PROCESSES = {"1": 1, "ours": 2, "ours, 4": 4}
CYCLES, WARM_UP, ROUNDS = 5, 1, 3
#: Two processes together cost at most so many times what one does.
AT_MOST = 1.15


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        url = await make_network(postgres, STATIONS, STATIONS // 10, cards=CHARGERS)
        print(page(await trio.to_thread.run_sync(_compare, postgres, url)))


def _compare(postgres: Postgres, url: str) -> list[Row]:
    costs: dict[str, list[CycleCost]] = {name: [] for name in PROCESSES}
    for number in range(ROUNDS):
        for name, count in PROCESSES.items():
            with ExitStack() as stack:
                servers = [stack.enter_context(serving_ours(url)) for _ in range(count)]
                measure(servers, postgres, WARM_UP)
                if not number:
                    analyze(url)
                costs[name].append(measure(servers, postgres, CYCLES))
    charges = len(PROCESSES) * ROUNDS * CHARGERS * (WARM_UP + CYCLES)
    assert count_rows(url, "evpower.ocpp_transactions") == charges
    assert count_rows(url, "evpower.doubts") == 0
    return rows_of({name: medians(each) for name, each in costs.items()}, {"1": AT_MOST}, {"1": AT_MOST})


if __name__ == "__main__":
    trio.run(main)
