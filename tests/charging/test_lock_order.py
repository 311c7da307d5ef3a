"""The journal and settlement lock the rows of one station at the same time, and neither loses by it."""

from __future__ import annotations

import trio

from evpower.charging.rows import sessions
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.identifiers import SessionId
from evpower.metering.journal import BootRow
from evpower.network.rows.stations import refresh_connector
from evpower.network.station import Boot
from tests.e2e.process import poll
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import ONE, STATION, World

WITHIN_S = 20.0
LOCK_PHASE = "SELECT FROM evpower.session_phases WHERE session_id = %s FOR UPDATE"
BLOCKED = """
SELECT 1 AS one FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""
#: Whoever sets this is not the one PostgreSQL ends.
DEADLOCKS_OF_OTHERS = "SET LOCAL deadlock_timeout = '1h'"


async def charging(world: World) -> SessionId:
    """A session whose transaction runs."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    return session_id


async def boot(world: World, stored: list[bool]) -> None:
    stored.append(await world.app.journal.boot(BootRow(STATION, Boot("Vendor", "Model", None), world.clock.now())))


async def someone_waits(world: World) -> None:
    """Return when a unit of work waits for another one's row."""

    async def is_blocked() -> bool:
        async with by_hand(world.pool) as conn:
            return await (await conn.execute(BLOCKED)).fetchone() is not None

    await poll(is_blocked, 0.01)


async def refresh(world: World, uow: UnitOfWork) -> None:
    await refresh_connector(uow.conn, STATION, ONE, world.clock.now())


async def test_a_boot_and_a_settlement_of_one_station_cannot_wait_for_each_other(world: World) -> None:
    """The settlement has the session and wants its connector; a boot that had locked that first would be in its way."""
    session_id = await charging(world)
    stored: list[bool] = []
    with trio.fail_after(WITHIN_S):
        async with trio.open_nursery() as nursery, unit_of_work(world.pool) as uow:
            await sessions.lock_session(uow.conn, session_id)
            await uow.conn.execute(LOCK_PHASE, (session_id,))
            nursery.start_soon(boot, world, stored)
            await someone_waits(world)
            await uow.conn.execute("SET LOCAL lock_timeout = '500ms'")
            await refresh(world, uow)
    assert stored == [True]


async def test_a_batch_that_is_the_victim_of_a_deadlock_is_stored_when_it_goes_again(world: World) -> None:
    """A unit of work that locks the wrong way round stands for whatever PostgreSQL ends a batch for."""
    session_id = await charging(world)
    stored: list[bool] = []
    with trio.fail_after(WITHIN_S):
        async with trio.open_nursery() as nursery, unit_of_work(world.pool) as uow:
            await uow.conn.execute(DEADLOCKS_OF_OTHERS)
            await refresh(world, uow)
            nursery.start_soon(boot, world, stored)
            await someone_waits(world)
            await uow.conn.execute(LOCK_PHASE, (session_id,))
    assert stored == [True]
    assert world.app.journal.failed == 0


async def test_the_end_of_a_session_waits_for_its_settlement_before_it_locks_anything(world: World) -> None:
    """A release has the session and wants its phase; an end that had locked that first would be in its way."""
    session_id = await charging(world)

    async def end() -> None:
        async with unit_of_work(world.pool) as uow:
            await sessions.end_session(
                uow.conn, session_id, cause="charger", reason="Local", estimated=False, at=world.clock.now()
            )

    with trio.fail_after(WITHIN_S):
        async with trio.open_nursery() as nursery, unit_of_work(world.pool) as uow:
            await sessions.lock_session(uow.conn, session_id)
            nursery.start_soon(end)
            await someone_waits(world)
            await uow.conn.execute("SET LOCAL lock_timeout = '500ms'")
            await uow.conn.execute(LOCK_PHASE, (session_id,))
