"""Whole charges in a network of 100 stations, of 10,000, and of 10,000 with ninety days of readings and charges.

`python -m benchmarks.flat`. A message is to cost the same in all three; rounds are in turns.
"""

from __future__ import annotations

from contextlib import ExitStack

import trio

from benchmarks.cycles import CHARGERS, NONE_FALLS_SILENT, CycleCost, measure, medians, rows_of
from benchmarks.database import Postgres, analyze, count_rows, make_network, open_postgres
from benchmarks.past import CHARGES, DAYS, READINGS_A_DAY, grow_old
from benchmarks.processes import serving_ours
from benchmarks.results import Row, page

CYCLES, WARM_UP, ROUNDS = 5, 2, 5
SMALL, LARGE = CHARGERS, 10_000
#: Ours in the large network costs at most so many times what it costs in the small one.
AT_MOST = 1.1


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        small = await make_network(postgres, SMALL, SMALL // 10, cards=CHARGERS)
        large = await make_network(postgres, LARGE, LARGE // 10, cards=CHARGERS)
        old = await make_network(postgres, LARGE, LARGE // 10, cards=CHARGERS, kind="_old")
        await grow_old(old)
        networks = {"small": small, "ours": large, "ours, 90 days": old}
        print(page(await trio.to_thread.run_sync(_compare, postgres, networks)))


def _compare(postgres: Postgres, networks: dict[str, str]) -> list[Row]:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving_ours(url, **NONE_FALLS_SILENT)) for name, url in networks.items()}
        costs: dict[str, list[CycleCost]] = {name: [] for name in servers}
        for server in servers.values():
            measure([server], postgres, WARM_UP)
        for url in networks.values():
            analyze(url)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                costs[name].append(measure([server], postgres, CYCLES))
    assert count_rows(networks["ours, 90 days"], "evpower.ocpp_meter_values") > DAYS * READINGS_A_DAY
    assert count_rows(networks["ours, 90 days"], "public.charging_sessions") > CHARGES
    return rows_of({name: medians(each) for name, each in costs.items()}, {"small": AT_MOST}, {"small": AT_MOST})


if __name__ == "__main__":
    trio.run(main)
