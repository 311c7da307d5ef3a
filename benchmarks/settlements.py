"""What receipts without gaps cost settlements, one after the other and eight at once.

`python -m benchmarks.settlements` prints these tables alone. Both sides are the same database and the same code: with
curve, receipt and number of each charge, and with `[history]` switched off. The number's row is locked until the
commit, so settlements at once take turns at it; a slow disk makes each turn as long as its commit. The slow disk is
PostgreSQL's `commit_delay` of 5 ms. Rounds are in turns, so that a busy machine hurts both sides.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import trio

from benchmarks import table
from benchmarks.database import Postgres, copy_ours, count_rows, open_postgres
from evpower.billing.service import BillingService
from evpower.charging.settler import Settler
from evpower.clock import SystemClock
from evpower.db.pool import Pool, open_pool
from evpower.events import EventBus
from evpower.history.keeping import Keeping
from evpower.identifiers import ProcessId, SessionId
from evpower.ocpp.dialects import read_signed
from evpower.push.outbox import PushOutbox
from evpower.reservations.starts import ReservationUse

STATIONS = 150
ROUNDS = 3
READINGS = 60
AT_ONCE = (1, 8)
#: What the history may cost a settlement that waits for no other.
DEARER_AT_MOST = 2.5

#: A charge of an hour at every station that has just ended, each of another client: they share nothing but the number.
CHARGES = """
INSERT INTO public.clients (id, balance) SELECT format('bench-%1$s', id), 1000 FROM public.stations
ON CONFLICT DO NOTHING;
INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, reserved_amount,
                                      limit_type, limit_value, created_at)
SELECT format('{round}-%1$s', id), format('bench-%1$s', id), id, 1, '{now}'::timestamptz - interval '1 hour', '{now}',
       270, 'energy', 20, '{now}' FROM public.stations;
INSERT INTO evpower.session_phases (session_id, phase, phase_at, end_cause)
SELECT id, 'ended', '{now}', 'charger' FROM public.charging_sessions WHERE id LIKE '{round}-%';
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, meter_stop_wh, started_at, received_at, stopped_at, stop_received_at, charging_session_id, status,
    meter_last_measured_at, meter_last_received_at)
SELECT station_id, id, 1, 'BENCH', 'Accepted', 0, 15000, 15000, start_time, start_time, stop_time, stop_time, id,
       'Stopped', stop_time, stop_time
FROM public.charging_sessions WHERE id LIKE '{round}-%';
INSERT INTO evpower.ocpp_meter_values (station_id, connector_id, wire_transaction_id, measured_at, received_at,
                                       energy_wh, power_w, soc_percent, sampled_values)
SELECT s.station_id, 1, s.id, start_time + n * interval '1 minute', start_time + n * interval '1 minute',
       n * 250, 15000, 20 + n, '[{{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{{"value":"1"}}]}}]'
FROM public.charging_sessions s, generate_series(1, {readings}) n WHERE s.id LIKE '{round}-%';
"""
SLOW_DISK = "ALTER DATABASE {} SET commit_delay = 5000; ALTER DATABASE {} SET commit_siblings = 0"


@dataclass
class Side:
    """One database, with or without what is kept of a charge."""

    url: str
    pool: Pool
    settler: Settler
    rounds: int = 0

    def end_charges(self) -> Sequence[SessionId]:
        """A charge at each station waits for its settlement."""
        self.rounds += 1
        now = datetime.now(UTC)
        statements = CHARGES.format(round=self.rounds, now=now.isoformat(), readings=READINGS)
        with psycopg.connect(self.url) as database:
            database.execute(statements)
            ids = database.execute(f"SELECT id FROM charging_sessions WHERE id LIKE '{self.rounds}-%' ORDER BY id")
            return [SessionId(row[0]) for row in ids.fetchall()]

    async def settle(self, at_once: int) -> float:
        """Settle what has ended, so many at a time; how many seconds it takes."""
        due = list(await trio.to_thread.run_sync(self.end_charges))
        began = time.perf_counter()

        async def settle_some() -> None:
            while due:
                await self.settler.settle(due.pop())

        async with trio.open_nursery() as workers:
            for _ in range(at_once):
                workers.start_soon(settle_some)
        return time.perf_counter() - began


async def compare(postgres: Postgres) -> None:
    """Measure in turns and print."""
    await _on_a_disk(postgres, "settled", "on this disk")
    await _on_a_disk(postgres, "slowly", "on a slow disk", SLOW_DISK)


async def _on_a_disk(postgres: Postgres, name: str, disk: str, settings: str = "") -> None:
    async with AsyncExitStack() as stack:
        sides = [
            await stack.enter_async_context(_side(postgres, f"{name}_{kept}", settings, enabled=enabled))
            for kept, enabled in (("with", True), ("without", False))
        ]
        took = {at_once: [0.0, 0.0] for at_once in AT_ONCE}
        for _ in range(ROUNDS):
            for at_once in AT_ONCE:
                for number, side in enumerate(sides):
                    took[at_once][number] += await side.settle(at_once)
        settled = sides[0].rounds * STATIONS
        assert count_rows(sides[0].url, "evpower.receipts") == settled
        assert count_rows(sides[1].url, "evpower.receipts") == 0
    table.head(f"Settlements a second {disk}, with curve and numbered receipt", "without")
    ratios = {}
    for at_once, (with_s, without_s) in took.items():
        ours, peer = (ROUNDS * STATIONS / each for each in (with_s, without_s))
        ratios[at_once] = with_s / without_s
        table.line(f"{at_once} at once", ours, peer, ",.0f")
    table.verdict(f"{disk}, one after the other: time with / without", ratios[1], at_most=DEARER_AT_MOST)
    print(f"{disk}: eight at once cost {ratios[8] / ratios[1]:.2f} times that: the turns at the number's row")


@asynccontextmanager
async def _side(postgres: Postgres, name: str, settings: str, *, enabled: bool) -> AsyncIterator[Side]:
    url = copy_ours(postgres, name)
    if settings:
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(settings.replace("{}", f'"{database.info.dbname}"'))
    clock, zone = SystemClock(), ZoneInfo("Asia/Bishkek")
    async with open_pool(url, size=max(AT_ONCE), process_id=ProcessId("bench")) as pool:
        push = PushOutbox(clock, is_on=False)
        keeping = Keeping(clock, zone, read_signed, enabled=enabled)
        bus, billing = EventBus(), BillingService(pool, clock, push)
        reservations = ReservationUse.over(clock, push, bus)
        side = Side(url, pool, Settler(pool, clock, billing, keeping, reservations, bus, push))
        await side.settle(max(AT_ONCE))  # warm up
        yield side


async def main() -> None:
    async with open_postgres(stations=STATIONS, charging=0) as postgres:
        await compare(postgres)


if __name__ == "__main__":
    trio.run(main)
