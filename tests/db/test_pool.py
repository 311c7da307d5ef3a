"""The pool: a borrower always gets a clean connection, waiting leaks nothing, and nothing stays open behind it."""

from __future__ import annotations

import psycopg
import pytest
import trio
import trio.testing

from evpower.db.connection import TrioConnection
from evpower.db.listening import Listening
from evpower.db.pool import Pool, open_pool
from tests.db.proxy import open_proxy
from tests.worlds.databases import CLEANER

SOON_S = 5.0


async def backend(pool: Pool) -> int:
    async with pool.connection() as conn:
        return conn.info.backend_pid


def open_connections(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as other:
        row = other.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> %s",
            [CLEANER],
        ).fetchone()
    assert row is not None
    return int(row[0])


async def test_the_most_recently_used_connection_is_lent_first(pool: Pool) -> None:
    async with pool.connection() as one, pool.connection() as two:
        assert one.info.backend_pid != two.info.backend_pid
        last = one.info.backend_pid
    assert await backend(pool) == last


async def test_no_more_connections_than_its_size(database_url: str) -> None:
    async with open_pool(database_url, size=2) as pool:
        async with trio.open_nursery() as many:

            async def use() -> None:
                async with pool.connection() as conn:
                    await conn.execute("SELECT pg_sleep(0.01)")

            for _ in range(10):
                many.start_soon(use)
        assert open_connections(database_url) == 2


async def test_connections_are_opened_by_what_it_was_given(database_url: str) -> None:
    asked: list[str] = []

    async def connect(conninfo: str) -> TrioConnection:
        asked.append(conninfo)
        return await TrioConnection.open(conninfo)

    async with open_pool(database_url, size=2, connect=connect) as pool:
        async with pool.connection(), pool.connection():
            assert asked == [pool.conninfo] * 2
        async with trio.open_nursery() as workers:
            await workers.start(Listening(pool, lambda _: None, lambda: None).run)
            assert asked == [pool.conninfo] * 3
            workers.cancel_scope.cancel()


async def test_every_session_computes_in_utc(pool: Pool) -> None:
    async with pool.connection() as conn:
        assert await (await conn.execute("SHOW timezone")).fetchone() == {"TimeZone": "UTC"}


async def test_a_unit_of_work_of_a_stopped_process_does_not_hold_its_rows_for_ever(pool: Pool) -> None:
    async with pool.connection() as conn:
        cursor = await conn.execute("SHOW idle_in_transaction_session_timeout")
        assert await cursor.fetchone() == {"idle_in_transaction_session_timeout": "30s"}


async def test_the_operators_own_options_are_kept(database_url: str) -> None:
    async with (
        open_pool(f"{database_url} options='-c work_mem=8MB'", size=1) as pool,
        pool.connection() as conn,
    ):
        assert await (await conn.execute("SHOW work_mem")).fetchone() == {"work_mem": "8MB"}
        assert await (await conn.execute("SHOW timezone")).fetchone() == {"TimeZone": "UTC"}


async def test_waiting_for_a_connection_is_cancellable_and_leaks_nothing(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        async with pool.connection() as held:
            pid = held.info.backend_pid
            for _ in range(3):
                with pytest.raises(trio.TooSlowError), trio.fail_after(0.01):
                    async with pool.connection():
                        pytest.fail("there is only one")
        assert [await backend(pool) for _ in range(3)] == [pid] * 3


async def test_who_waits_longest_is_served_first(database_url: str) -> None:
    served: list[int] = []
    async with open_pool(database_url, size=1) as pool, trio.open_nursery() as waiting:

        async def use(number: int) -> None:
            async with pool.connection():
                served.append(number)

        async with pool.connection():
            for number in range(4):
                waiting.start_soon(use, number)
                await trio.testing.wait_all_tasks_blocked()
    assert served == [0, 1, 2, 3]


async def test_a_connection_given_to_a_waiter_that_is_cancelled_meanwhile_is_not_lost(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        async with trio.open_nursery() as waiting:

            async def use() -> None:
                async with pool.connection():
                    await trio.lowlevel.checkpoint()

            async with pool.connection():
                waiting.start_soon(use)
                await trio.testing.wait_all_tasks_blocked()
            waiting.cancel_scope.cancel()
        with trio.fail_after(SOON_S):
            await backend(pool)


async def test_a_transaction_left_open_is_rolled_back_before_the_next_borrower(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        async with pool.connection() as conn:
            await conn.execute("BEGIN READ WRITE")
            await conn.execute("CREATE TABLE forgotten (n int)")
        async with pool.connection() as conn:
            row = await (await conn.execute("SELECT to_regclass('forgotten') AS it")).fetchone()
    assert row == {"it": None}


async def test_a_connection_somebody_still_listens_on_is_replaced(database_url: str) -> None:
    """An abandoned `notifies()` keeps the connection's lock: the next borrower would wait for it for ever."""
    async with open_pool(database_url, size=1) as pool:
        async with pool.connection() as conn:
            await conn.execute("LISTEN news")
            await conn.execute("SELECT pg_notify('news', '')")
            news = conn.notifies()
            await anext(news)
        with trio.fail_after(SOON_S):
            async with pool.connection() as other:
                assert other is not conn
                await other.execute("SELECT 1")
        await news.aclose()


async def test_a_closed_connection_is_replaced(database_url: str) -> None:
    async with open_pool(database_url, size=1) as pool:
        async with pool.connection() as conn:
            pid = conn.info.backend_pid
            conn.close_now()
        with trio.fail_after(SOON_S):
            assert await backend(pool) != pid


async def test_a_server_that_cannot_be_reached_is_waited_for_as_long_as_the_caller_wants() -> None:
    async with open_pool("host=127.0.0.1 port=1 dbname=x", size=1) as pool:
        started = trio.current_time()
        with pytest.raises(trio.TooSlowError), trio.fail_after(0.2):
            async with pool.connection():
                pytest.fail("nobody listens there")
        assert trio.current_time() - started < 1


async def test_a_caller_is_served_when_the_server_comes_back(database_url: str) -> None:
    async with open_proxy(database_url) as proxy, open_pool(proxy.url, size=1) as pool:
        proxy.cut()
        with pytest.raises(trio.TooSlowError), trio.fail_after(0.1):
            await backend(pool)
        proxy.mend()
        with trio.fail_after(SOON_S):
            await backend(pool)


async def test_every_connection_broken_at_once_is_replaced(database_url: str) -> None:
    async with open_proxy(database_url) as proxy, open_pool(proxy.url, size=3) as pool:
        async with pool.connection(), pool.connection(), pool.connection():
            pass
        proxy.cut()
        await trio.testing.wait_all_tasks_blocked(0.01)
        proxy.mend()
        with trio.fail_after(SOON_S):
            async with pool.connection() as one, pool.connection() as two, pool.connection() as three:
                for conn in (one, two, three):
                    await conn.execute("SELECT 1")


async def test_leaving_the_pool_closes_every_connection(database_url: str) -> None:
    async with open_pool(database_url, size=3) as pool, pool.connection() as one, pool.connection() as two:
        kept = [one, two]
    assert all(conn.closed for conn in kept)


async def test_a_connection_that_arrives_while_the_pool_closes_is_closed(database_url: str) -> None:
    arriving, arrive, arrived = trio.Event(), trio.Event(), []

    async def slowly_open(conninfo: str) -> TrioConnection:
        arriving.set()
        with trio.CancelScope(shield=True):
            await arrive.wait()
            conn = await TrioConnection.open(conninfo)
        arrived.append(conn)
        return conn

    async with trio.open_nursery() as tasks:

        async def open_and_close() -> None:
            async with (
                open_pool(database_url, size=1, connect=slowly_open) as pool,
                trio.open_nursery() as waiting,
            ):
                waiting.start_soon(backend, pool)
                await arriving.wait()
                waiting.cancel_scope.cancel()

        tasks.start_soon(open_and_close)
        await arriving.wait()
        await trio.testing.wait_all_tasks_blocked()
        arrive.set()
    assert [conn.closed for conn in arrived] == [True]
