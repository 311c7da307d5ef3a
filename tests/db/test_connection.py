"""psycopg on trio: whatever is cancelled, cut or frozen, what was reported ok is committed and nothing else is."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
import trio
import trio.testing
from psycopg import errors

from evpower.db import connection as driver
from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import reading, unit_of_work
from tests.db.proxy import Proxy, open_proxy
from tests.worlds.by_hand import by_hand

HAMMER_S = 3.0
SOON_S = 5.0


@pytest.fixture
async def box(pool: Pool) -> Pool:
    """The pool, and a table of numbers to write to."""
    async with by_hand(pool) as conn:
        await conn.execute("CREATE TABLE box (n int PRIMARY KEY)")
    return pool


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    async with open_proxy(database_url) as proxy:
        yield proxy


async def numbers(pool: Pool) -> set[int]:
    async with by_hand(pool) as conn:
        return {row["n"] for row in await (await conn.execute("SELECT n FROM box")).fetchall()}


async def is_healthy(pool: Pool) -> bool:
    async with unit_of_work(pool) as uow:
        row = await (await uow.conn.execute("SELECT 1 AS one")).fetchone()
    return row == {"one": 1}


async def terminate(url: str, pid: int, when: str = "%") -> None:
    """End a backend, once it runs a query like `when`."""

    def kill() -> None:
        with psycopg.connect(url, autocommit=True) as other:
            state = "SELECT FROM pg_stat_activity WHERE pid = %s AND query LIKE %s"
            while other.execute(state, (pid, when)).fetchone() is None:
                time.sleep(0.002)
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    await trio.to_thread.run_sync(kill)


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
                    await uow.conn.execute("INSERT INTO box VALUES (%s)", (number,))
                    await uow.conn.execute("SELECT pg_sleep(%s)", (dice.choice((0, 0, 0.001, 0.003)),))
                    uow.after_commit(lambda number=number: reported.add(number))  # type: ignore[misc]

    end = trio.current_time() + HAMMER_S
    async with trio.open_nursery() as workers:
        for _ in range(12):  # more than the pool has connections
            workers.start_soon(worker)
    assert 0 < len(reported) < tried
    assert await numbers(box) == reported
    async with trio.open_nursery() as all_at_once:
        for _ in range(8):
            all_at_once.start_soon(is_healthy, box)


async def test_a_unit_cancelled_in_the_middle_leaves_no_trace_and_a_healthy_pool(box: Pool) -> None:
    with trio.move_on_after(0.05) as scope:
        async with unit_of_work(box) as uow:
            await uow.conn.execute("INSERT INTO box VALUES (1)")
            await uow.conn.execute("SELECT pg_sleep(60)")
    assert scope.cancelled_caught
    assert await numbers(box) == set()
    assert await is_healthy(box)


async def test_a_cancelled_query_is_cancelled_on_the_server_and_the_connection_survives(box: Pool) -> None:
    async with by_hand(box) as conn:
        with trio.fail_after(SOON_S):
            with trio.move_on_after(0.05):
                await conn.execute("SELECT pg_sleep(60)")
            assert await (await conn.execute("SELECT 1 AS one")).fetchone() == {"one": 1}


async def test_a_cancelled_copy_in_stores_nothing(box: Pool) -> None:
    with trio.move_on_after(0.05):
        async with by_hand(box) as conn, conn.cursor() as cursor, cursor.copy("COPY box FROM STDIN") as copy:
            for number in range(10**9):
                await copy.write(f"{number}\n")
                await trio.lowlevel.checkpoint()
    assert await numbers(box) == set()
    assert await is_healthy(box)


async def test_a_cancelled_copy_out_leaves_a_healthy_pool(box: Pool) -> None:
    with trio.fail_after(SOON_S), trio.move_on_after(0.05):
        query = "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT"
        async with reading(box) as conn, conn.cursor() as cursor, cursor.copy(query) as copy:
            data = await copy.read()
            while data:
                data = await copy.read()
    assert await is_healthy(box)


async def test_an_error_swallowed_inside_a_unit_is_not_reported_as_a_commit(box: Pool) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK."""
    told: list[str] = []
    with pytest.raises(errors.InFailedSqlTransaction):
        async with unit_of_work(box) as uow:
            uow.after_commit(lambda: told.append("committed"))
            await uow.conn.execute("INSERT INTO box VALUES (1)")
            with pytest.raises(errors.UniqueViolation):
                await uow.conn.execute("INSERT INTO box VALUES (1)")
    assert (told, await numbers(box)) == ([], set())
    assert await is_healthy(box)


async def test_a_time_out_swallowed_inside_a_unit_is_not_reported_as_a_commit(box: Pool) -> None:
    with pytest.raises(errors.InFailedSqlTransaction):
        async with unit_of_work(box) as uow:
            await uow.conn.execute("INSERT INTO box VALUES (1)")
            with trio.move_on_after(0.05):
                await uow.conn.execute("SELECT pg_sleep(60)")
    assert await numbers(box) == set()


async def test_a_connection_lost_and_ignored_inside_a_unit_is_not_reported_as_a_commit(
    box: Pool, database_url: str
) -> None:
    told: list[str] = []
    with pytest.raises(errors.OperationalError, match="lost"):
        async with unit_of_work(box) as uow:
            uow.after_commit(lambda: told.append("committed"))
            await uow.conn.execute("INSERT INTO box VALUES (1)")
            await terminate(database_url, uow.conn.info.backend_pid)
            with pytest.raises(errors.AdminShutdown):
                await uow.conn.execute("SELECT 1")
    assert (told, await numbers(box)) == ([], set())


async def test_a_savepoint_inside_a_unit_undoes_only_itself(box: Pool) -> None:
    async with unit_of_work(box) as uow:
        await uow.conn.execute("INSERT INTO box VALUES (1)")
        with pytest.raises(errors.UniqueViolation):
            async with uow.conn.transaction():
                await uow.conn.execute("INSERT INTO box VALUES (1)")
        await uow.conn.execute("INSERT INTO box VALUES (2)")
    assert await numbers(box) == {1, 2}


async def test_a_constraint_checked_at_commit_is_an_error_of_the_unit(box: Pool) -> None:
    told: list[str] = []
    async with by_hand(box) as conn:
        await conn.execute("ALTER TABLE box ADD CONSTRAINT late UNIQUE (n) DEFERRABLE INITIALLY DEFERRED")
        await conn.execute("ALTER TABLE box DROP CONSTRAINT box_pkey")
    with pytest.raises(errors.UniqueViolation):
        async with unit_of_work(box) as uow:
            uow.after_commit(lambda: told.append("committed"))
            await uow.conn.execute("INSERT INTO box VALUES (1), (1)")
    assert told == []
    assert await is_healthy(box)


async def test_a_commit_that_began_is_not_interrupted(box: Pool) -> None:
    told: list[str] = []
    with trio.CancelScope() as scope:
        async with unit_of_work(box) as uow:
            uow.after_commit(lambda: told.append("committed"))
            await uow.conn.execute("INSERT INTO box VALUES (1)")
            scope.cancel()
    assert (told, await numbers(box)) == (["committed"], {1})


async def test_callbacks_run_in_order_after_the_commit(box: Pool, database_url: str) -> None:
    seen: list[tuple[str, int]] = []

    def look(name: str) -> Callable[[], object]:
        def count() -> None:
            with psycopg.connect(database_url) as other:
                row = other.execute("SELECT count(*) FROM box").fetchone()
            assert row is not None
            seen.append((name, row[0]))

        return count

    async with unit_of_work(box) as uow:
        uow.after_commit(look("first"))
        await uow.conn.execute("INSERT INTO box VALUES (1)")
        uow.after_commit(look("second"))
        assert seen == []
    assert seen == [("first", 1), ("second", 1)]


async def test_a_callback_that_fails_does_not_make_the_commit_look_failed(
    box: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fail() -> None:
        raise RuntimeError("on purpose")

    async with unit_of_work(box) as uow:
        await uow.conn.execute("INSERT INTO box VALUES (1)")
        uow.after_commit(fail)
        uow.after_commit(lambda: told.append("committed"))
    assert (told, await numbers(box)) == (["committed"], {1})
    assert "on purpose" in caplog.text


async def _fails(pool: Pool) -> None:
    raise RuntimeError("on purpose")


async def _is_cancelled(pool: Pool) -> None:
    await trio.sleep_forever()


@pytest.mark.parametrize("end", [_fails, _is_cancelled])
async def test_callbacks_never_run_after_a_rollback(box: Pool, end: Callable[[Pool], Awaitable[None]]) -> None:
    told: list[str] = []
    try:
        with trio.move_on_after(0.02):
            async with unit_of_work(box) as uow:
                uow.after_commit(lambda: told.append("committed"))
                await end(box)
    except RuntimeError:
        pass
    assert told == []


async def test_a_backend_terminated_while_idle_is_replaced_unnoticed(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        async with by_hand(pool) as conn:
            pid = conn.info.backend_pid
        await terminate(database_url, pid)
        assert await is_healthy(pool)


async def test_a_backend_terminated_in_mid_query_is_an_error_and_then_replaced(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        with trio.fail_after(SOON_S):
            async with trio.open_nursery() as both:
                async with by_hand(pool) as conn:
                    pid = conn.info.backend_pid  # of the only one
                both.start_soon(terminate, database_url, pid, "SELECT pg_sleep%")
                with pytest.raises(errors.AdminShutdown):
                    async with unit_of_work(pool) as uow:
                        await uow.conn.execute("SELECT pg_sleep(60)")
            assert await is_healthy(pool)


async def test_a_frozen_server_does_not_hold_a_caller_beyond_the_bound(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "CANCEL_WITHIN_S", 0.1)
    async with open_pool(proxy.url, size=1) as pool:
        with trio.fail_after(2):
            async with by_hand(pool) as conn:
                proxy.freeze()
                with trio.move_on_after(0.05):
                    await conn.execute("SELECT 1")
                assert conn.closed
        proxy.thaw()
        assert await is_healthy(pool)


async def test_a_commit_that_is_never_answered_is_an_error(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "CANCEL_WITHIN_S", 0.1)
    monkeypatch.setattr(driver, "COMMIT_WITHIN_S", 0.1)
    told: list[str] = []
    async with open_pool(proxy.url, size=1) as pool:
        with trio.fail_after(2), pytest.raises(errors.OperationalError, match="outcome is unknown"):
            async with unit_of_work(pool) as uow:
                uow.after_commit(lambda: told.append("committed"))
                await uow.conn.execute("SELECT 1")
                proxy.freeze()
        proxy.thaw()
        assert await is_healthy(pool)
    assert told == []


async def test_a_frozen_server_does_not_hold_a_rollback_beyond_the_bound(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "CANCEL_WITHIN_S", 0.1)
    monkeypatch.setattr(driver, "COMMIT_WITHIN_S", 0.1)
    async with open_pool(proxy.url, size=1) as pool:
        with trio.fail_after(2), pytest.raises(RuntimeError, match="on purpose"):
            async with unit_of_work(pool) as uow:
                await uow.conn.execute("SELECT 1")
                proxy.freeze()
                raise RuntimeError("on purpose")
        proxy.thaw()
        assert await is_healthy(pool)


async def test_notifications_reach_a_listener(pool: Pool, database_url: str) -> None:
    heard: list[str] = []
    listener = await TrioConnection.open(database_url)
    await listener.execute("LISTEN news")
    async with unit_of_work(pool) as uow:
        for number in range(20):
            await uow.conn.execute("SELECT pg_notify('news', %s)", (str(number),))
    with trio.fail_after(SOON_S):
        async for notify in listener.notifies(stop_after=20):
            heard.append(notify.payload)  # noqa: PERF401 - the loop is what is tested
    await listener.close()
    assert heard == [str(number) for number in range(20)]


async def test_waiting_for_notifications_is_cancellable_and_loses_nothing(pool: Pool, database_url: str) -> None:
    listener = await TrioConnection.open(database_url)
    await listener.execute("LISTEN news")
    with trio.move_on_after(0.02):
        async for _ in listener.notifies():
            pass
    async with by_hand(pool) as conn:
        await conn.execute("SELECT pg_notify('news', 'still here')")
    with trio.fail_after(SOON_S):
        heard = [notify.payload async for notify in listener.notifies(stop_after=1)]
    await listener.close()
    assert heard == ["still here"]


async def test_closing_wakes_whoever_waits_on_the_socket(database_url: str) -> None:
    conn = await TrioConnection.open(database_url)
    async with trio.open_nursery() as both:

        async def wait() -> None:
            with pytest.raises(errors.OperationalError):
                await conn.execute("SELECT pg_sleep(60)")

        both.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked(0.01)
        conn.close_now()


async def test_tasks_that_share_a_connection_take_turns(database_url: str) -> None:
    conn = await TrioConnection.open(database_url)
    answers: list[int] = []

    async def ask(number: int) -> None:
        row = await (await conn.execute("SELECT %s::int AS n FROM pg_sleep(0.002)", (number,))).fetchone()
        assert row is not None
        answers.append(row["n"])

    async with trio.open_nursery() as all_at_once:
        for number in range(5):
            all_at_once.start_soon(ask, number)
    conn.close_now()
    assert sorted(answers) == [0, 1, 2, 3, 4]


async def test_a_long_answer_lets_other_tasks_run(database_url: str) -> None:
    """A generator that never blocks still yields to the loop."""
    conn = await TrioConnection.open(database_url)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.sleep(0.001)

    async with trio.open_nursery() as both:
        both.start_soon(count)
        await conn.execute("SELECT n, repeat('x', 200) FROM generate_series(1, 100000) AS n")
        both.cancel_scope.cancel()
    conn.close_now()
    assert turns > 5


async def test_a_copy_row_by_row_lets_other_tasks_run_and_can_be_cancelled(box: Pool) -> None:
    """Most rows go into libpq's buffer and wait for nothing: without a pause no deadline could ever strike."""
    with trio.fail_after(SOON_S), trio.move_on_after(0.1) as scope:
        async with by_hand(box) as conn, conn.cursor() as cursor, cursor.copy("COPY box FROM STDIN") as copy:
            for number in range(10**9):
                await copy.write_row((number,))
    assert scope.cancelled_caught
    assert await numbers(box) == set()


async def test_nobody_listening_is_an_error_at_once() -> None:
    with trio.fail_after(SOON_S), pytest.raises(errors.OperationalError):
        await TrioConnection.open("host=127.0.0.1 port=1 dbname=x")


async def test_an_unknown_host_is_an_error() -> None:
    with trio.fail_after(SOON_S), pytest.raises(errors.OperationalError):
        await TrioConnection.open("host=/nowhere dbname=x")


async def test_connecting_to_a_silent_server_is_cancellable(proxy: Proxy) -> None:
    proxy.freeze()
    with pytest.raises(trio.TooSlowError), trio.fail_after(0.05):
        await TrioConnection.open(proxy.url)


async def test_connect_timeout_bounds_a_silent_server(proxy: Proxy) -> None:
    proxy.freeze()
    with trio.fail_after(SOON_S), pytest.raises(errors.ConnectionTimeout):
        await TrioConnection.open(f"{proxy.url} connect_timeout=2")
