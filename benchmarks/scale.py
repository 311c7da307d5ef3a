"""What a large network needs: a model of four measured costs, held against 10,000 sockets that say what 100,000 would.

`python -m benchmarks.scale`. The model: every charger sends a Heartbeat each five minutes and charges four times a day,
forty readings each. The costs of a Heartbeat, a charge, a reading and of an idle process are measured first, then the
traffic of ten times as many chargers over one process's ten thousand sockets.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from benchmarks.boot_storm import storm
from benchmarks.chargers import Fleet, Kind, NextCall
from benchmarks.cycles import CHARGERS, measure
from benchmarks.database import Postgres, analyze, make_network, open_postgres
from benchmarks.processes import Server, serving_ours
from benchmarks.wire import MESSAGES_PER_CYCLE, READINGS, Cycles, heartbeats, station_id, status

STATIONS = 10_000
SAY_AS_MANY_AS = 100_000
HEARTBEAT_EVERY_S = 300
CHARGES_A_DAY, READINGS_A_CHARGE = 4, 40
MESSAGES_A_CHARGE = MESSAGES_PER_CYCLE - READINGS + READINGS_A_CHARGE
DAY_S = 86_400
CHARGES_A_SECOND = SAY_AS_MANY_AS * CHARGES_A_DAY / DAY_S
#: Two whole charges at each charger that has a card.
SECONDS = 2 * CHARGERS / CHARGES_A_SECOND
#: What charges leave behind is worked on this long, and then an idle process is measured.
QUIET_S, IDLE_S = 15, 30
HEARTBEATS_A_SECOND = SAY_AS_MANY_AS / HEARTBEAT_EVERY_S
WARM_UP = 2


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the server and of PostgreSQL."""

    server_s: float
    postgres_s: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.server_s + other.server_s, self.postgres_s + other.postgres_s)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.server_s - other.server_s, self.postgres_s - other.postgres_s)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.server_s * times, self.postgres_s * times)


@dataclass(frozen=True)
class Model:
    """What one of each costs; `idle` is a second of a process nothing is said to."""

    heartbeat: Cost
    charge: Cost
    reading: Cost
    idle: Cost
    kib_a_charger: float
    storm_s_a_charger: float

    def second(self, chargers: int) -> Cost:
        """A second of so many chargers at one process: cores of the server's and of PostgreSQL's."""
        charges = chargers * CHARGES_A_DAY / DAY_S
        said = self.charge + self.reading * (READINGS_A_CHARGE - READINGS)
        return self.idle + self.heartbeat * (chargers / HEARTBEAT_EVERY_S) + said * charges


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        url = await make_network(postgres, STATIONS, STATIONS // 10, cards=CHARGERS)
        await trio.to_thread.run_sync(_compare, postgres, url)


def _compare(postgres: Postgres, url: str) -> None:
    with serving_ours(url, OCPP_HEARTBEAT_TIMEOUT_S="86400") as server:
        model = _measured(server, postgres, url)
        time.sleep(QUIET_S)
        found = _crowd(server, postgres)
    expected = model.second(SAY_AS_MANY_AS)
    print(f"\n{SAY_AS_MANY_AS:,} chargers, a Heartbeat in {HEARTBEAT_EVERY_S} s and {CHARGES_A_DAY} charges a day each")
    for name, cost in (("a Heartbeat", model.heartbeat), ("a charge", model.charge), ("a reading", model.reading)):
        print(f"  {name:28}{cost.server_s * 1e6:10,.0f} µs server{cost.postgres_s * 1e6:10,.0f} µs PostgreSQL")
    for name, cost in (("an idle process", model.idle), ("expected", expected), ("found", found)):
        print(f"  {name:28}{cost.server_s:10.3f} cores server{cost.postgres_s:7.3f} cores PostgreSQL")
    print(
        f"  found / expected {found.server_s / expected.server_s:.2f} and {found.postgres_s / expected.postgres_s:.2f}"
    )
    memory_mib = model.kib_a_charger * SAY_AS_MANY_AS / 1024
    print(f"  memory {memory_mib:,.0f} MiB; all boot at once: {model.storm_s_a_charger * SAY_AS_MANY_AS:,.0f} CPU s")


def _measured(server: Server, postgres: Postgres, url: str) -> Model:
    """Each at the pace at which so many chargers say it: said one by one, each is a group and a commit of its own."""
    measure([server], postgres, WARM_UP)
    analyze(url)
    time.sleep(QUIET_S)
    idle = _weigh(server, postgres, lambda: time.sleep(IDLE_S)) * (1 / IDLE_S)
    few, many = (_charge(server, postgres, idle, readings) for readings in (READINGS, READINGS_A_CHARGE))
    reading = (many - few) * (1 / (READINGS_A_CHARGE - READINGS))
    heard = _paced(server, postgres, heartbeats(sys.maxsize), HEARTBEATS_A_SECOND) - idle
    heartbeat = heard * (1 / HEARTBEATS_A_SECOND)
    stormed = storm(server, CHARGERS, STATIONS - CHARGERS)
    per_charger_s = stormed.cpu_s / (STATIONS - CHARGERS)
    return Model(heartbeat, few, reading, idle, stormed.kib_per_idle_charger, per_charger_s)


def _charge(server: Server, postgres: Postgres, idle: Cost, readings: int) -> Cost:
    """One with so many readings."""
    messages = MESSAGES_PER_CYCLE - READINGS + readings
    charged = _paced(server, postgres, Cycles(2, readings), CHARGES_A_SECOND * messages) - idle
    return charged * (1 / CHARGES_A_SECOND)


def _paced(server: Server, postgres: Postgres, calls: NextCall, a_second: float) -> Cost:
    """A second of so many calls, by the chargers that have a card."""
    with Fleet() as fleet:
        fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)
        kinds = [Kind(fleet.chargers, calls, a_second)]
        return _weigh(server, postgres, lambda: fleet.pace(kinds, SECONDS)) * (1 / SECONDS)


def _crowd(server: Server, postgres: Postgres) -> Cost:
    """A second of the traffic of `SAY_AS_MANY_AS` chargers."""
    with crowded(server) as traffic:
        return _weigh(server, postgres, traffic) * (1 / SECONDS)


@contextmanager
def crowded(server: Server) -> Iterator[Callable[[], object]]:
    """What lets all stations say, for `SECONDS`, as much as `SAY_AS_MANY_AS` would."""
    with Fleet() as fleet:
        fleet.connect([station_id(number) for number in range(STATIONS)], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)
        chargers, messages_a_second = fleet.chargers, CHARGES_A_SECOND * MESSAGES_A_CHARGE
        kinds = [
            Kind(chargers[:CHARGERS], Cycles(2, READINGS_A_CHARGE), messages_a_second),
            Kind(chargers[CHARGERS:], heartbeats(sys.maxsize), HEARTBEATS_A_SECOND),
        ]
        yield lambda: fleet.pace(kinds, SECONDS)


def _weigh(server: Server, postgres: Postgres, do: Callable[[], object]) -> Cost:
    postgres.settle()
    before = Cost(server.cpu_s(), postgres.cpu_s())
    do()
    return Cost(server.cpu_s(), postgres.cpu_s()) - before


if __name__ == "__main__":
    trio.run(main)
