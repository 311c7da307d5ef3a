"""In a network of thousands of stations the word of one charger reads its own rows, not whole tables."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.db.batches import batch
from evpower.db.pool import Pool
from evpower.metering.rows import journal as journal_rows
from evpower.metering.rows.event_order import TAKE_IN_ORDER
from evpower.network.rows import listing as network
from evpower.network.rows import stations
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import NOON

NETWORK = """
INSERT INTO public.locations (id, name, address) SELECT 'L' || n, 'L', 'L' FROM generate_series(1, 1000) n;
INSERT INTO public.stations (id, serial_number, location_id, connectors_count)
SELECT 'S' || n, 'SN' || n, 'L' || (n % 1000 + 1), 2 FROM generate_series(1, 3000) n;
INSERT INTO public.connectors (id, station_id, connector_number, power_kw)
SELECT id || '-' || number, id, number, 22 FROM public.stations, generate_series(1, 2) number;
ANALYZE public.locations, public.stations, public.connectors;
"""
ROW = {"station_id": "S7", "id": "S7", "connector_id": 1, "status": "Charging", "error_code": "NoError"}
WORD = batch([ROW | {"reported_at": NOON, "at": NOON}])
TRANSACTIONS = """
INSERT INTO evpower.station_transactions (station_id, wire_transaction_id, next_seq_no, last_event_at)
SELECT 'S' || n, 'T' || t, 1000, now() FROM generate_series(1, 3000) n, generate_series(1, 3) t;
ANALYZE evpower.station_transactions;
"""
EVENT = {"n": 0, "station_id": "S7", "wire_id": "T3", "seq_no": 1000, "at": NOON, "charging_state": None}
PLACE = {"location_id": "L7", "station_ids": ["S7"], "hidden": False}
STATEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "a connector's word": (journal_rows.WRITE_STATUSES, WORD),
    "whether the connector is known": (journal_rows.KNOWN_CONNECTORS, WORD),
    "a boot": (journal_rows.BOOT_STATIONS, WORD),
    "the connectors of a charger that booted": (journal_rows.BOOT_CONNECTORS, WORD),
    "presence": (stations.FLUSH_PRESENCE, WORD),
    "a station by a name": (stations.READ_NAMED, {"name": "SN7"}),
    "a station as the public sees it": (network.READ_STATIONS.format(one=network.SOME), PLACE),
    "a station's connectors": (network.READ_CONNECTORS.format(one=network.SOME), PLACE),
    "a location's stations": (network.READ_STATIONS.format(one="AND s.location_id = %(location_id)s"), PLACE),
    "a location's connectors": (network.READ_CONNECTORS.format(one="AND s.location_id = %(location_id)s"), PLACE),
}


@pytest.mark.parametrize("what", STATEMENTS)
async def test_one_charger_is_found_by_index(pool: Pool, what: str) -> None:
    statement, parameters = STATEMENTS[what]
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        cursor = await conn.execute("EXPLAIN " + statement, parameters)
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())
    assert not [table for table in ("locations", "stations", "connectors") if f"Seq Scan on {table}" in plan], plan


async def test_a_reading_in_its_order_reads_and_writes_the_row_of_its_transaction(pool: Pool) -> None:
    """A transaction of a night has a thousand events before it."""
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        await conn.execute(TRANSACTIONS)
        cursor = await conn.execute("EXPLAIN (ANALYZE) " + TAKE_IN_ORDER, batch([EVENT]))
        plan = [row["QUERY PLAN"] for row in await cursor.fetchall()]
    reads = [line.split("(")[0].strip(" ->") for line in plan if " on " in line and "batch" not in line]
    assert reads == [
        "Update on station_transactions t",
        "Subquery Scan on r",
        "Index Scan using station_transactions_pkey on station_transactions t",
    ], "\n".join(plan)
