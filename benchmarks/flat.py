"""Whole charges in a network of 100 stations, of 10,000, and of 10,000 with ninety days of readings.

`python -m benchmarks.flat`. A message is to cost the same in all three; rounds are in turns.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import trio

from benchmarks.cycles import CHARGERS, NONE_FALLS_SILENT, CycleCost, measure, medians, rows_of
from benchmarks.database import Postgres, analyze, count_rows, make_network, open_postgres
from benchmarks.processes import serving_ours
from benchmarks.results import Row, page
from evpower.db.partitions import TABLES, maintain_partitions
from evpower.db.pool import open_pool

CYCLES, WARM_UP, ROUNDS = 5, 2, 5
SMALL, LARGE = CHARGERS, 10_000
DAYS = 90
#: As many as 2,000 stations with an hour of charging a day send, one a minute and five in each hundred lost.
READINGS_A_DAY = 33_000
#: Ours in the large network costs at most so many times what it costs in the small one.
AT_MOST = 1.1
SPREAD = """
INSERT INTO evpower.ocpp_meter_values (station_id, connector_id, wire_transaction_id, measured_at, received_at,
    energy_wh, power_w, current_a, voltage_v, soc_percent, sampled_values)
SELECT format('BENCH-%%1$s', lpad((n %% 10000)::text, 5, '0')), 1, (n / 60)::text, moment, moment,
    n, 22000, 31.8, 230.4, 57, '[]'
FROM (SELECT n, %(day)s::timestamptz + n * interval '1 day' / %(readings)s AS moment
      FROM generate_series(0, %(readings)s - 1) n) AS each
"""


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        small = await make_network(postgres, SMALL, SMALL // 10, cards=CHARGERS)
        large = await make_network(postgres, LARGE, LARGE // 10, cards=CHARGERS)
        old = await make_network(postgres, LARGE, LARGE // 10, cards=CHARGERS, kind="_old")
        await grow_old(old)
        networks = {"small": small, "ours": large, "ours, 90 days": old}
        print(page(await trio.to_thread.run_sync(_compare, postgres, networks)))


async def grow_old(url: str) -> None:
    """Fill the days before today with readings, in partitions as the product makes them."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with open_pool(url, size=1) as pool, pool.connection() as conn:
        await conn.set_read_only(False)
        await conn.execute("SET default_transaction_read_only = off")
        for ago in range(DAYS, 0, -1):
            day = today - timedelta(days=ago)
            await maintain_partitions(conn, day.date(), dict.fromkeys(TABLES, DAYS + 1))
            await conn.execute(SPREAD, {"day": day, "readings": READINGS_A_DAY})


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
    return rows_of({name: medians(each) for name, each in costs.items()}, {"small": AT_MOST}, {"small": AT_MOST})


if __name__ == "__main__":
    trio.run(main)
