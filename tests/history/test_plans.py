"""Ten thousand charges of one client: a page reads its own rows by the index, and joins nothing to the others."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.history.records import HistoryFilter, ListPlace, PageWish
from evpower.history.rows import charges, movements
from evpower.identifiers import ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK
from tests.worlds.fakes import NOON

MANY = """
INSERT INTO clients (id) SELECT 'client-' || n FROM generate_series(1, 3) n;
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status, energy, amount,
                               settled_at, created_at)
SELECT 's-' || n, 'client-' || 1 + n % 3, 'EVP-001-01', 1, at, at + interval '30 minutes', 'stopped', 1, 13.5, at, at
FROM (SELECT n, timestamptz '2024-01-01 00:00Z' + n * interval '40 minutes' AS at FROM generate_series(1, 30000) n) x;
INSERT INTO evpower.session_phases (session_id, phase, phase_at)
SELECT id, 'settled', settled_at FROM charging_sessions;
INSERT INTO payment_transactions (client_id, type, amount, balance_before, balance_after, charging_session_id,
                                  created_at)
SELECT user_id, 'charge_reserve', -13.5, 13.5, 0, id, created_at FROM charging_sessions;
INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, status, payment_provider, created_at)
SELECT id, id, user_id, 500, 'canceled', 'ODENGI', created_at FROM charging_sessions;
ANALYZE clients, charging_sessions, evpower.session_phases, payment_transactions, balance_topups, stations, locations;
"""
ANY = dict.fromkeys(("status", "station_id", "location_id", "type", "since", "before"))
PAGE = {**ANY, "client_id": "client-1", "limit": 51, "offset": 0}
AFTER = {**PAGE, "after_at": NOON, "after_id": "s-7", "after_line": 7, "after_topup": 7}
STATEMENTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "charges": (charges.LIST, PAGE, 60),
    "charges, the last": (charges.LIST, {**PAGE, "offset": 9_940}, 10_000),
    "charges after": (charges.LIST_AFTER, AFTER, 60),
    "movements": (movements.LIST, PAGE, 120),
    "movements after": (movements.LIST_AFTER, AFTER, 120),
    # How many there are in all: the client's own rows.
    "number of charges": (charges.COUNT, PAGE, 10_000),
    "number of movements": (movements.COUNT, PAGE, 10_000),
}
TABLES = ("charging_sessions", "session_phases", "payment_transactions", "balance_topups", "session_curves")


@pytest.mark.parametrize("what", STATEMENTS)
async def test_a_page_is_found_by_index(pool: Pool, what: str) -> None:
    statement, parameters, most_rows = STATEMENTS[what]
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        await conn.execute("SET session_replication_role = replica")
        await conn.execute(MANY.encode())
        # A third of a table is read as a whole, and here a client has a third; in a network it has a thousandth.
        await conn.execute(f"SET enable_seqscan = {'off' if most_rows > 1_000 else 'on'}".encode())
        cursor = await conn.execute("EXPLAIN (ANALYZE, TIMING OFF) " + statement, parameters)
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())
        await conn.execute("RESET ALL")
    assert not [table for table in TABLES if f"Seq Scan on {table}" in plan and table != "session_curves"], plan
    # A bitmap of an index has dead rows of other tests too.
    rows = [line for line in plan.splitlines() if "actual rows=" in line and "Bitmap Index Scan" not in line]
    read = [int(float(line.split("actual rows=")[1].split(" ")[0])) for line in rows]
    assert max(read) <= most_rows, plan


async def test_a_page_is_planned_for_itself_however_often_it_is_asked_for(pool: Pool) -> None:
    """A prepared statement gets a plan for any filter and limit after a while: it sorts all of a client's rows."""
    wanted, client = HistoryFilter(), ClientId("client-1")
    async with pool.connection() as conn:
        for page in (PageWish(), PageWish(after=ListPlace(NOON, "7"))):
            for _ in range(10):
                await charges.list_charges(conn, client, wanted, page)
                await movements.list_movements(conn, client, wanted, page)
        prepared = await (await conn.execute("SELECT statement FROM pg_prepared_statements")).fetchall()
    assert [row["statement"] for row in prepared if "LIMIT" in row["statement"] or "count(*)" in row["statement"]] == []
