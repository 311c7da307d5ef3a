"""Leases, and whose a charger is (design §7): between processes that sleep, die, and whose clocks differ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import trio

from evpower.cluster.processes import LEASE, RENEW_EVERY_S
from evpower.cluster.rows.processes import (
    SocketEnd,
    forget_dead,
    leave_stations,
    read_leases,
    read_owners,
    take_stations,
)
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ProcessId
from evpower.network.rows.stations import store_presence
from tests.charging.test_lock_order import BLOCKED
from tests.e2e.process import poll
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import STATION
from tests.worlds.fakes import NOON
from tests.worlds.two_processes import A, B, Two, two_processes

WITHIN_S = 20.0
LONG_S = LEASE.total_seconds() * 10


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[Two]:
    async with two_processes(database_url) as two:
        yield two


async def owner(two: Two) -> ProcessId | None:
    async with by_hand(two.pool_b) as conn:
        return (await read_owners(conn, [STATION])).get(STATION)


async def b_takes_the_charger(two: Two) -> None:
    two.at_b.connected.add(STATION)
    async with by_hand(two.pool_b) as conn:
        await take_stations(conn, {STATION: ""}, NOON)


async def test_a_process_that_renews_is_alive_whatever_its_clock_says(two: Two) -> None:
    two.clock_a.advance(-3600)
    for _ in range(10):
        two.advance(RENEW_EVERY_S)
        await two.a.look()
        await two.b.look()
        assert two.link.is_connected(STATION)


async def test_a_dead_process_is_seen_to_be_dead_whatever_its_clock_said(two: Two) -> None:
    two.clock_a.advance(3600)
    await two.a.look()
    await two.b.look()
    assert two.link.is_connected(STATION)
    await two.a_is_silent()
    assert not two.link.is_connected(STATION)
    assert await owner(two) is None


async def test_a_process_that_has_just_come_believes_in_the_others_for_a_whole_lease(two: Two) -> None:
    two.clock_b.advance(LONG_S)
    await two.b.look()
    assert two.link.is_connected(STATION)


async def test_a_process_that_could_not_look_does_not_take_others_for_dead(two: Two) -> None:
    """Both without a database for long: whoever has it back first must not take the other's chargers away."""
    two.advance(LONG_S)
    await two.b.look()
    assert two.link.is_connected(STATION)
    await two.a.look()
    two.advance(RENEW_EVERY_S)
    await two.b.look()
    assert await owner(two) == A


async def test_a_process_that_renewed_just_before_it_would_be_forgotten_is_not(two: Two) -> None:
    dead = {A: NOON + LEASE}
    two.clock_a.advance(RENEW_EVERY_S)
    await two.a.look()
    async with by_hand(two.pool_b) as conn:
        await forget_dead(conn, dead)
        assert A in await read_leases(conn)
    assert await owner(two) == A


async def test_what_a_killed_process_left_is_taken_away_in_the_order_in_which_chargers_are_written(two: Two) -> None:
    """A charger that comes back is being written just then: one of them waits, and nobody loses."""
    async with trio.open_nursery() as nursery:
        with trio.fail_after(WITHIN_S):
            async with unit_of_work(two.pool_b) as uow:
                await take_stations(uow.conn, {STATION: ""}, NOON)
                nursery.start_soon(two.a_is_silent)

                async def somebody_waits() -> bool:
                    async with by_hand(two.pool_a) as conn:
                        return await (await conn.execute(BLOCKED)).fetchone() is not None

                await poll(somebody_waits, 0.01)
    assert await owner(two) == B


async def test_a_process_that_lost_a_charger_cannot_write_its_presence_nor_its_leaving(two: Two) -> None:
    await b_takes_the_charger(two)
    async with by_hand(two.pool_a) as stale:
        await store_presence(stale, {STATION: NOON + timedelta(hours=1)})
        row = await (await stale.execute("SELECT last_heartbeat_at AS at FROM stations")).fetchone()
        assert row is not None
        assert row["at"] == NOON
        await leave_stations(stale, {STATION: SocketEnd(NOON, 1006)})
        assert (await (await stale.execute("SELECT FROM evpower.socket_ends")).fetchall()) == []
    assert await owner(two) == B


async def test_a_socket_whose_charger_went_elsewhere_is_let_go(two: Two) -> None:
    await b_takes_the_charger(two)
    two.a.connected(STATION, B)
    await two.a.look()
    assert two.at_a.connected == set()


async def test_a_socket_that_is_newer_than_the_word_of_another_one_stays(two: Two) -> None:
    await b_takes_the_charger(two)
    two.a.connected(STATION, B)
    async with by_hand(two.pool_a) as conn:
        await take_stations(conn, {STATION: ""}, NOON)
    await two.a.look()
    assert two.at_a.connected == {STATION}


async def test_a_socket_whose_coming_is_being_written_is_judged_once_it_is(two: Two) -> None:
    await b_takes_the_charger(two)
    two.at_a.arriving.add(STATION)
    two.a.connected(STATION, B)
    await two.a.look()
    assert two.at_a.connected == {STATION}
    two.at_a.arriving.clear()
    await two.a.look()
    assert two.at_a.connected == set()


async def test_a_process_that_slept_past_its_lease_takes_back_what_nobody_has_taken(two: Two) -> None:
    await two.a_is_silent()
    assert await owner(two) is None
    await two.a.look()
    assert await owner(two) == A


async def test_a_process_that_slept_past_its_lease_lets_go_of_what_another_has_taken(two: Two) -> None:
    """Although it never heard of it: the rows are read anew."""
    await two.a_is_silent()
    await b_takes_the_charger(two)
    await two.a.look()
    assert two.at_a.connected == set()
    assert await owner(two) == B


async def test_a_process_that_ends_well_is_gone_at_once(two: Two) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(two.a.run)
        nursery.cancel_scope.cancel()
    assert await owner(two) is None
    await two.b.look()
    assert not two.link.is_connected(STATION)
