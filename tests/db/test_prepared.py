"""Prepared statements, which go with their transaction's BEGIN: what holds of others holds of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import trio
from psycopg import errors, pq

from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import reading, unit_of_work
from tests.db.test_connection import numbers, terminate
from tests.worlds.by_hand import by_hand

HAMMER_S = 1.0
SOON_S = 5.0
#: Twice, so that the second is the prepared one.
TWICE = range(2)
PUT = "INSERT INTO box VALUES (%(n)s)"
SLEEP = "SELECT pg_sleep(%(s)s)"
SEEN = "SELECT %(n)s::int AS n"


async def prepared_at_once(conninfo: str) -> TrioConnection:
    """A connection that prepares each statement the first time."""
    connection = await TrioConnection.open(conninfo)
    connection.prepare_threshold = 0
    return connection


@pytest.fixture
async def box(database_url: str) -> AsyncIterator[Pool]:
    """A pool of such connections, each of which has prepared its statements, and a table of numbers."""
    async with open_pool(database_url, size=4, connect=prepared_at_once) as pool:
        async with by_hand(pool) as conn:
            await conn.execute("CREATE TABLE box (n int PRIMARY KEY)")
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(_prepare, pool, -number)
        async with by_hand(pool) as conn:
            await conn.execute("DELETE FROM box")
        yield pool


async def _prepare(pool: Pool, number: int) -> None:
    async with unit_of_work(pool) as uow:
        await uow.conn.execute(PUT, {"n": number - 10})
        await uow.conn.execute(SEEN, {"n": number})
        await uow.conn.execute(SLEEP, {"s": 0.05})  # so that each has a connection of its own


async def is_healthy(pool: Pool) -> bool:
    async with unit_of_work(pool) as uow:
        return await (await uow.conn.execute(SEEN, {"n": 7})).fetchone() == {"n": 7}


async def test_values_are_what_psycopg_makes_of_them(box: Pool) -> None:
    given = {"at": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), "d": Decimal("1.50"), "t": ["a", "ö"], "none": None}
    query = "SELECT %(at)s::timestamptz AS at, %(d)s::numeric AS d, %(t)s::text[] AS t, %(none)s::int AS none"
    async with reading(box) as conn:
        for _ in TWICE:
            assert await (await conn.execute(query, given)).fetchone() == given


async def test_each_way_of_reading_gives_each_row_once(box: Pool) -> None:
    """Also of an answer so long that it is read in parts."""
    query = "SELECT n FROM generate_series(1, %(most)s) n"
    async with reading(box) as conn:
        for most in (1000, 1000, 5, 5, 5):
            cursor = await conn.execute(query, {"most": most})
            assert cursor.rowcount == most
            first, second = await cursor.fetchone(), await cursor.fetchmany(2)
            others = [row async for row in await conn.execute(query, {"most": 3})]
            rows = [first, *second, *await cursor.fetchall()]
            assert [row["n"] for row in rows if row] == list(range(1, most + 1))
            assert ([row["n"] for row in others], await cursor.fetchone()) == ([1, 2, 3], None)


async def test_a_statement_without_rows_says_how_many_it_changed(box: Pool) -> None:
    async with unit_of_work(box) as uow:
        for number in (1, 2):
            assert (await uow.conn.execute(PUT, {"n": number})).rowcount == 1
        cursor = await uow.conn.execute("DELETE FROM box WHERE n > %(n)s", {"n": 5})
        cursor = await uow.conn.execute("DELETE FROM box WHERE n > %(n)s", {"n": 0})
    assert cursor.rowcount == 2
    with pytest.raises(errors.ProgrammingError):
        await cursor.fetchone()


async def test_a_unit_without_statements_does_not_begin(box: Pool) -> None:
    async with unit_of_work(box) as uow:
        async with uow.part():
            pass
        assert uow.conn.info.transaction_status == pq.TransactionStatus.IDLE
    assert await is_healthy(box)


async def test_the_first_statement_of_a_unit_is_inside_it(box: Pool) -> None:
    with pytest.raises(KeyError):
        async with unit_of_work(box) as uow:
            await uow.conn.execute(PUT, {"n": 1})
            raise KeyError
    assert await numbers(box) == set()


async def test_a_first_statement_that_fails_is_its_own_error_and_the_connection_survives(box: Pool) -> None:
    async with by_hand(box) as conn:
        await conn.execute(PUT, {"n": 1})
    for _ in TWICE:
        with pytest.raises(errors.UniqueViolation):
            async with unit_of_work(box) as uow:
                connection = uow.conn
                await uow.conn.execute(PUT, {"n": 1})
    assert not connection.closed
    assert await is_healthy(box)


async def test_an_error_swallowed_inside_a_unit_is_not_reported_as_a_commit(box: Pool) -> None:
    with pytest.raises(errors.InFailedSqlTransaction):
        async with unit_of_work(box) as uow:
            await uow.conn.execute(PUT, {"n": 1})
            with pytest.raises(errors.UniqueViolation):
                await uow.conn.execute(PUT, {"n": 1})
    assert await numbers(box) == set()


async def test_a_part_that_fails_undoes_only_itself(box: Pool) -> None:
    """Be it the first thing of its unit, or after another part, by its own error or by PostgreSQL's."""
    async with unit_of_work(box) as uow:
        with pytest.raises(KeyError):
            async with uow.part():
                raise KeyError
        with pytest.raises(KeyError):
            async with uow.part():
                await uow.conn.execute(PUT, {"n": 1})
                raise KeyError
        async with uow.part():
            await uow.conn.execute(PUT, {"n": 2})
        with pytest.raises(errors.UniqueViolation):
            async with uow.part():
                await uow.conn.execute(PUT, {"n": 3})
                async with uow.part():
                    await uow.conn.execute(PUT, {"n": 2})
        await uow.conn.execute(PUT, {"n": 4})
    assert await numbers(box) == {2, 4}
    assert await is_healthy(box)


async def test_what_is_sent_later_is_done_before_what_follows_and_before_the_commit(box: Pool) -> None:
    async with unit_of_work(box) as uow:
        await uow.conn.later(PUT, {"n": 1})
        assert await (await uow.conn.execute("SELECT n FROM box")).fetchall() == [{"n": 1}]
        await uow.conn.later(PUT, {"n": 2})
    async with unit_of_work(box) as uow:
        await uow.conn.later(PUT, {"n": 3})
    assert await numbers(box) == {1, 2, 3}


async def test_what_is_sent_later_and_fails_is_an_error_of_the_unit_and_leaves_no_trace(box: Pool) -> None:
    told: list[str] = []
    with pytest.raises(errors.UniqueViolation):
        async with unit_of_work(box) as uow:
            connection = uow.conn
            uow.after_commit(lambda: told.append("committed"))
            for number in (1, 2, 1, 3):
                await uow.conn.later(PUT, {"n": number})
    assert (told, await numbers(box)) == ([], set())
    assert not connection.closed
    with pytest.raises(KeyError):
        async with unit_of_work(box) as uow:
            await uow.conn.later(PUT, {"n": 1})
            raise KeyError
    assert await numbers(box) == set()
    assert await is_healthy(box)


async def test_a_part_has_its_own_errors_of_what_is_sent_later_and_no_others(box: Pool) -> None:
    async with unit_of_work(box) as uow:
        await uow.conn.execute(PUT, {"n": 1})
        with pytest.raises(errors.UniqueViolation):
            async with uow.part():
                await uow.conn.later(PUT, {"n": 2})
                await uow.conn.later(PUT, {"n": 1})
        async with uow.part():
            await uow.conn.later(PUT, {"n": 3})
    assert await numbers(box) == {1, 3}
    inside = False
    with pytest.raises(errors.UniqueViolation):
        async with unit_of_work(box) as uow:
            await uow.conn.later(PUT, {"n": 1})
            async with uow.part():
                inside = True
    assert not inside


async def test_a_rollback_leaves_statements_prepared(box: Pool) -> None:
    with pytest.raises(KeyError):
        async with unit_of_work(box) as uow:
            await uow.conn.execute(PUT, {"n": 1})
            before = dict(uow.conn._prepared._names)
            raise KeyError
    assert before
    async with box.connection() as conn:
        assert conn._prepared._names == before


async def test_a_unit_cancelled_in_its_first_statement_leaves_no_trace(box: Pool) -> None:
    with trio.fail_after(SOON_S), trio.move_on_after(0.05) as scope:
        async with unit_of_work(box) as uow:
            connection = uow.conn
            await uow.conn.execute(SLEEP, {"s": 60.0})
    assert scope.cancelled_caught
    assert not connection.closed
    assert await is_healthy(box)


async def test_a_backend_terminated_in_the_first_statement_is_an_error_and_then_replaced(
    box: Pool, database_url: str
) -> None:
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as both:
            with pytest.raises(errors.AdminShutdown):
                async with unit_of_work(box) as uow:
                    pid = uow.conn.info.backend_pid
                    both.start_soon(terminate, database_url, pid, "SELECT pg_sleep%")
                    await uow.conn.execute(SLEEP, {"s": 60.0})
        assert await is_healthy(box)


async def test_what_is_reported_ok_is_committed_under_a_hail_of_cancellations(box: Pool) -> None:
    dice = random.Random(7)
    reported: set[int] = set()
    tried = 0

    async def worker() -> None:
        nonlocal tried
        while trio.current_time() < end:
            tried += 1
            number = tried
            with trio.move_on_after(dice.choice((0, 0.0005, 0.001, 0.002, 0.004, 0.01, 1))):
                async with unit_of_work(box) as uow:
                    async with uow.part():
                        await uow.conn.execute(PUT, {"n": number})
                    await uow.conn.later(PUT, {"n": -number})
                    await uow.conn.execute(SLEEP, {"s": dice.choice((0.0, 0.0, 0.001, 0.003))})
                    uow.after_commit(lambda number=number: reported.add(number))  # type: ignore[misc]

    end = trio.current_time() + HAMMER_S
    async with trio.open_nursery() as workers:
        for _ in range(6):  # more than the pool has connections
            workers.start_soon(worker)
    assert 0 < len(reported) < tried
    assert await numbers(box) == reported | {-number for number in reported}
    async with trio.open_nursery() as all_at_once:
        for _ in range(4):
            all_at_once.start_soon(is_healthy, box)
