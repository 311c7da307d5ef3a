"""Billing-rules §7: how old a shown price may be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import trio
from trio.testing import wait_all_tasks_blocked

from evpower.db.unit_of_work import reading, unit_of_work
from tests.worlds.charging import STATION, World


async def test_a_shown_price_is_never_older_than_its_next_change(world: World) -> None:
    await world.sql("INSERT INTO tariff_plans (id, name) VALUES ('P', 'P')")
    await world.sql(
        "INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, time_start, time_end)"
        " VALUES ('P-1', 'P', 'day', 'per_kwh', 15, '07:00', '13:00')"
    )
    await world.sql("UPDATE stations SET tariff_plan_id = 'P'")
    world.clock.time = datetime(2026, 11, 23, 6, 59, 59, tzinfo=UTC)  # a second before 13:00 in Bishkek
    async with reading(world.pool) as conn:
        before = (await world.app.pricing.shown(conn, [STATION]))[STATION].rate_per_kwh
        world.clock.advance(1)
        after = (await world.app.pricing.shown(conn, [STATION]))[STATION].rate_per_kwh
    assert (before, after) == (Decimal(15), Decimal("13.5"))


async def test_a_price_being_read_while_it_changes_is_not_kept(world: World) -> None:
    """The reader's snapshot is older than the change, and its answer comes after the cache was dropped."""
    pricing = world.app.pricing
    async with unit_of_work(world.pool) as reader:
        await reader.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await reader.conn.execute("SELECT FROM tariff_plans")
        async with trio.open_nursery() as nursery, unit_of_work(world.pool) as change:
            await change.conn.execute("LOCK TABLE stations")
            await change.conn.execute("UPDATE stations SET price_per_kwh = 20")
            nursery.start_soon(pricing.shown, reader.conn, [STATION])
            await wait_all_tasks_blocked(0.1)
            pricing.forget()
    async with reading(world.pool) as conn:
        assert (await pricing.shown(conn, [STATION]))[STATION].rate_per_kwh == 20
