"""What other processes commit is heard on one connection, which says nothing itself while it hears."""

from __future__ import annotations

import trio

from evpower.db.listening import Listening
from evpower.db.pool import Pool
from tests.worlds.by_hand import by_hand

SOON_S = 10.0
LISTENS = "SELECT query FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"


async def test_notifications_are_heard_in_their_order_and_nothing_is_asked_for_them(pool: Pool) -> None:
    send, receive = trio.open_memory_channel[str](10)
    async with trio.open_nursery() as workers:
        await workers.start(Listening(pool, send.send_nowait, lambda: None).run)
        async with by_hand(pool) as conn:
            for number in range(3):
                await conn.execute("SELECT pg_notify('evpower', %s)", (str(number),))
                with trio.fail_after(SOON_S):
                    assert await receive.receive() == str(number)
            said = await (await conn.execute(LISTENS)).fetchall()
        workers.cancel_scope.cancel()
    assert said == [{"query": "LISTEN evpower"}]


async def test_a_lost_connection_is_a_gap_and_the_next_one_hears(pool: Pool) -> None:
    heard, tell = trio.open_memory_channel[str](10)[::-1]
    gaps, gap = trio.open_memory_channel[None](10)[::-1]
    async with trio.open_nursery() as workers:
        await workers.start(Listening(pool, tell.send_nowait, lambda: gap.send_nowait(None)).run)
        with trio.fail_after(SOON_S):
            await gaps.receive()
            async with by_hand(pool) as conn:
                await conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
                await gaps.receive()
                await conn.execute("SELECT pg_notify('evpower', 'again')")
            assert await heard.receive() == "again"
        workers.cancel_scope.cancel()
