"""The ledger is checked once a night, by one process of several, and what is wrong is said loudly (issue H §5)."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import trio

from evpower.billing.books.nightly_check import LEASE, LedgerChecks
from evpower.billing.ledger_check import due_night
from evpower.clock import ClockWatch
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import World

BISHKEK = ZoneInfo("Asia/Bishkek")


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2026, 11, 25, 21, 29, 59, tzinfo=UTC), date(2026, 11, 25)),
        (datetime(2026, 11, 25, 21, 30, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 26, 17, 59, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 26, 18, 1, tzinfo=UTC), date(2026, 11, 26)),
    ],
)
def test_a_night_is_due_from_half_past_three_where_the_operator_is(now: datetime, night: date) -> None:
    assert due_night(now, BISHKEK) == night


async def nights(world: World) -> list[tuple[str, bool]]:
    rows = await world.sql("SELECT night, ended_at FROM evpower.ledger_checks ORDER BY id")
    return [(f"{row['night']}", row["ended_at"] is not None) for row in rows]


async def test_each_night_is_checked_once(world: World) -> None:
    checks = world.app.ledger_checks
    assert [await checks.work_due(), await checks.work_due()] == [True, False]
    world.clock.advance(24 * 3600)
    assert [await checks.work_due(), await checks.work_due()] == [True, False]
    assert await nights(world) == [("2026-11-23", True), ("2026-11-24", True)]


async def test_nights_without_a_server_are_not_made_up_for(world: World) -> None:
    await world.app.ledger_checks.work_due()
    world.clock.advance(10 * 24 * 3600)
    await world.app.ledger_checks.work_due()
    assert await nights(world) == [("2026-11-23", True), ("2026-12-03", True)]


async def test_of_processes_that_look_at_once_one_does_it(world: World) -> None:
    done: list[bool] = []

    async def look() -> None:
        checks = LedgerChecks(world.pool, ClockWatch(world.clock), world.app.billing, BISHKEK)
        done.append(await checks.work_due())

    async with trio.open_nursery() as processes:
        for _ in range(6):
            processes.start_soon(look)
    assert sorted(done) == [False] * 5 + [True]
    assert await nights(world) == [("2026-11-23", True)]


async def test_a_check_that_a_process_died_in_is_done_after_its_lease(world: World) -> None:
    checks = world.app.ledger_checks
    async with by_hand(world.pool) as conn:
        await conn.execute(
            "INSERT INTO evpower.ledger_checks (night, began_at, lease_until) VALUES ('2026-11-23', %s, %s)",
            (world.clock.now(), world.clock.now() + LEASE),
        )
    world.clock.advance(LEASE.total_seconds() - 1)
    assert not await checks.work_due()
    world.clock.advance(1)
    assert await checks.work_due()
    assert await nights(world) == [("2026-11-23", True)]


async def test_while_the_clock_is_in_doubt_no_night_is_over(world: World) -> None:
    await world.app.ledger_checks.work_due()
    world.clock.jump(3 * 24 * 3600)
    assert not await world.app.ledger_checks.work_due()
    world.clock.advance(600)
    assert await world.app.ledger_checks.work_due()


async def test_what_is_wrong_is_an_error_in_the_log_for_each_row_and_kept_without_them(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.give(500_00)
    async with by_hand(world.pool) as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute("UPDATE clients SET balance = balance + 1")
        await world.app.ledger_checks.work_due()
        await conn.execute("UPDATE clients SET balance = balance - 1")
        await conn.execute("SET session_replication_role = DEFAULT")
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "what=clients whose balance is not the sum of their postings" in errors[0]
    assert "client-1" in errors[0]
    last = await world.app.ledger_checks.last_night()
    assert last is not None
    assert last.broken_rows == 1
    assert dict(last.problems) == {"clients whose balance is not the sum of their postings": 1}


async def test_a_check_that_is_asked_for_is_the_last_one_and_no_night(world: World) -> None:
    checks = world.app.ledger_checks
    assert await checks.last_night() is None
    await checks.work_due()
    world.clock.advance(60)
    assert (await checks.check_now()).ok
    last = await checks.last_night()
    assert last is not None
    assert (last.night, last.ended_at) == (date(2026, 11, 23), world.clock.now() - timedelta(seconds=60))
    assert await nights(world) == [("2026-11-23", True), ("None", True)]
    assert not await checks.work_due(), "a person's check is not the night's"
