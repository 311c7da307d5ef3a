"""How long a page of the past takes for a client with 10,000 charges (issue 13: under 50 ms each).

`python -m benchmarks.history` prints this table alone. The peer is the same page of a client with 100 charges in the
same database, so that a slow machine slows both. A page is what the door asks for: its rows, how many there are in all,
and the cursor of the next one. The sums are no page: they read every charge, and are shown beside them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import trio

from benchmarks import table
from benchmarks.database import Postgres, copy_ours, open_postgres
from evpower.clock import SystemClock, random_bytes
from evpower.db.pool import open_pool
from evpower.history.records import HistoryFilter, PageWish
from evpower.history.service import History
from evpower.identifiers import ClientId

MANY, FEW = ClientId("many"), ClientId("few")
CHARGES = {MANY: 10_000, FEW: 100}
#: So many others have 100 charges each.
OTHERS = 400
ROUNDS = 30
WITHIN_MS = 50.0
SUMS = "sums of all time"
FILL = """
INSERT INTO public.clients (id) SELECT 'other-' || n FROM generate_series(1, {others}) n
UNION ALL SELECT unnest(ARRAY['many', 'few']);
SET session_replication_role = replica;
INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status, energy,
                                      amount, settled_at, created_at)
SELECT c.id || '-' || n, c.id, 'BENCH-00000', 1, at, at + interval '30 minutes', 'stopped', 1, 13.5, at, at
FROM public.clients c,
     LATERAL (SELECT n, timestamptz '2025-01-01 00:00Z' + n * interval '40 minutes' AS at
              FROM generate_series(1, CASE c.id WHEN 'many' THEN {many} ELSE {few} END) n) x
WHERE c.id <> 'bench';
INSERT INTO evpower.session_phases (session_id, phase, phase_at)
SELECT id, 'settled', settled_at FROM public.charging_sessions;
INSERT INTO evpower.session_curves (session_id, points, rising_s, max_power_w, drawn_at)
SELECT id, (SELECT jsonb_agg(jsonb_build_object('t_s', n, 'power_w', 20000, 'energy_wh', n))
            FROM generate_series(1, 120) n), 1800, 22000, settled_at
FROM public.charging_sessions WHERE user_id IN ('many', 'few');
INSERT INTO public.payment_transactions (client_id, type, amount, balance_before, balance_after, charging_session_id,
                                         created_at)
SELECT user_id, type, 1, 0, 1, id, created_at
FROM public.charging_sessions, unnest(ARRAY['charge_reserve', 'charge_refund']) type;
INSERT INTO public.balance_topups (invoice_id, order_id, client_id, requested_amount, status, payment_provider,
                                   created_at)
SELECT id, id, user_id, 500, 'canceled', 'ODENGI', created_at FROM public.charging_sessions;
SET session_replication_role = origin;
VACUUM ANALYZE;
"""
ANY = HistoryFilter()
Page = Callable[[History, ClientId], Awaitable[Any]]


def _pages(cursors: Mapping[ClientId, str | None]) -> dict[str, Page]:
    """`cursors` are of each client's second page."""
    filtered = HistoryFilter(status="stopped", station_id="BENCH-00000")
    return {
        "charges, the first page": lambda history, who: history.charges(who, ANY, PageWish(), None),
        "charges, the next by cursor": lambda history, who: history.charges(who, ANY, PageWish(), cursors[who]),
        "charges, the last by offset": lambda history, who: history.charges(
            who, ANY, PageWish(offset=CHARGES[who] - PageWish.limit), None
        ),
        "charges, filtered": lambda history, who: history.charges(who, filtered, PageWish(), None),
        "movements, the first page": lambda history, who: history.movements(who, ANY, PageWish(), None),
        SUMS: lambda history, who: history.sums(who, "all"),
    }


async def compare(postgres: Postgres) -> None:
    """Measure in turns and print."""
    url = copy_ours(postgres, "past")
    with psycopg.connect(url, autocommit=True) as database:
        for statement in FILL.format(others=OTHERS, many=CHARGES[MANY], few=CHARGES[FEW]).split(";\n"):
            if statement.strip():
                database.execute(statement)
    async with open_pool(url, size=1) as pool:
        history = History(pool, SystemClock(), ZoneInfo("Asia/Bishkek"), random_bytes)
        pages = _pages({who: (await history.charges(who, ANY, PageWish(), None))[1] for who in CHARGES})
        took_ms: dict[str, dict[ClientId, list[float]]] = {name: {MANY: [], FEW: []} for name in pages}
        for _ in range(ROUNDS):
            for name, page in pages.items():
                for client in CHARGES:
                    began = time.perf_counter()
                    await page(history, client)
                    took_ms[name][client].append((time.perf_counter() - began) * 1000)
    table.head(f"A page of a client with {CHARGES[MANY]:,} charges, ms (median of {ROUNDS})", f"with {CHARGES[FEW]}")
    medians = {name: {who: statistics.median(times) for who, times in each.items()} for name, each in took_ms.items()}
    for name, each in medians.items():
        table.line(name, each[MANY], each[FEW], ".1f")
    slowest = max(each[MANY] for name, each in medians.items() if name != SUMS)
    table.verdict("the slowest page, ms", slowest, at_most=WITHIN_MS)


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        await compare(postgres)


if __name__ == "__main__":
    trio.run(main)
