"""Grouped look-ups: many askers are few queries on one connection, and a failed query fails those who asked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import trio
import trio.testing
from psycopg import AsyncConnection

from evpower.charging.rows.due_sessions import to_take_up
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import DatabaseUnavailable
from evpower.identifiers import ConnectorId, StationId
from evpower.network.rows.stations import admissions, mark_silent, store_presence
from evpower.network.station import Admission
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK, ONE, STATION, TWO
from tests.worlds.fakes import NOON

SOON_S = 10.0


class Rows:
    """A query that a test holds up, breaks and counts; it finds the length of each key but the empty one's."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = trio.Event()
        self.broken = False

    async def read(self, conn: AsyncConnection[Any], keys: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(list(keys))
        await self.may_answer.wait()
        await conn.execute("SELECT 1/0" if self.broken else "SELECT 1")
        return {key: len(key) for key in keys if key}


async def test_2000_askers_at_once_are_two_queries_and_leave_the_other_connections_free(database_url: str) -> None:
    """What the reports of a running charge need: their connection, whoever stands in line."""
    rows, found = Rows(), dict[str, int | None]()

    async def ask(key: str) -> None:
        found[key] = await lookups.find(key)

    with trio.fail_after(SOON_S):
        async with open_pool(database_url, size=2) as pool, trio.open_nursery() as workers:
            lookups: Lookups[str, int] = Lookups(pool, rows.read)
            await workers.start(lookups.run)
            async with trio.open_nursery() as askers:
                askers.start_soon(ask, "")
                await trio.testing.wait_all_tasks_blocked()
                for number in range(2000):
                    askers.start_soon(ask, f"{number:05d}")
                await trio.testing.wait_all_tasks_blocked()
                async with by_hand(pool) as conn:
                    await conn.execute("SELECT 1")
                rows.may_answer.set()
            workers.cancel_scope.cancel()
    assert [len(keys) for keys in rows.asked] == [1, 2000]
    assert found.pop("") is None
    assert set(found.values()) == {5}


async def test_a_failed_query_is_unavailable_for_its_askers_and_the_next_is_asked_anew(pool: Pool) -> None:
    rows = Rows()
    rows.may_answer.set()
    rows.broken = True
    lookups = Lookups(pool, rows.read)
    async with trio.open_nursery() as workers:
        await workers.start(lookups.run)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="division"):
                await lookups.find("a")
        rows.broken = False
        assert await lookups.find("a") == 1
        workers.cancel_scope.cancel()


async def test_an_asker_that_leaves_costs_the_others_nothing(pool: Pool) -> None:
    rows = Rows()
    lookups = Lookups(pool, rows.read)
    async with trio.open_nursery() as workers:
        await workers.start(lookups.run)
        with trio.move_on_after(0):
            await lookups.find("gone")
        rows.may_answer.set()
        assert await lookups.find("here") == 4
        workers.cancel_scope.cancel()


async def test_askers_are_told_when_the_reader_has_ended(pool: Pool) -> None:
    rows = Rows()
    lookups = Lookups(pool, rows.read)
    async with trio.open_nursery() as askers, trio.open_nursery() as workers:
        await workers.start(lookups.run)

        async def ask() -> None:
            with pytest.raises(DatabaseUnavailable):
                await lookups.find("a")

        askers.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        workers.cancel_scope.cancel()


async def test_each_identity_finds_its_own_station_by_id_before_serial_number(pool: Pool) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        await conn.execute(
            "INSERT INTO stations (id, serial_number, location_id, connectors_count, status) "
            "VALUES ('EVPCS-001', 'another', 'EVP-LOC-001', 1, 'inactive')"
        )
        found = await admissions(conn, ["EVPCS-001", STATION, "another", "nobody"])
    other = Admission("EVPCS-001", "inactive", None, serial_number="another")
    station = Admission(STATION, "active", None, (ONE, TWO), serial_number="EVPCS-001")
    assert found == {"EVPCS-001": other, STATION: station, "another": other}
    assert found[STATION].connector_ids == (ConnectorId(1), ConnectorId(2))


async def test_nothing_to_take_up_is_nothing_found(pool: Pool) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        assert await to_take_up(conn, [STATION]) == {}


CHARGE = """
INSERT INTO clients (id, name, balance) VALUES ('client-1', 'Айбек', 0);
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, status)
VALUES ('s', 'client-1', 'EVP-001-01', 1, now(), 'started');
INSERT INTO evpower.session_phases (session_id, phase, phase_at) VALUES ('s', 'starting', now());
"""
BEGUN = """
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
                                       meter_last_wh, started_at, received_at, charging_session_id)
VALUES ('EVP-001-01', '1', 1, 'T', 'Accepted', 0, 0, now(), now(), 's')
"""


@pytest.mark.parametrize(
    ("since", "to_begin"),
    [
        ("SELECT", ["s"]),
        (BEGUN, []),
        ("UPDATE evpower.session_phases SET stop_requested_at = now()", []),
        ("UPDATE charging_sessions SET status = 'stopped', settled_at = now()", []),
    ],
    ids=["asked to begin", "has begun", "asked to stop", "is over"],
)
async def test_a_station_that_is_back_has_to_begin_what_has_not_begun(
    pool: Pool, since: str, to_begin: list[str]
) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        await conn.execute(CHARGE)
        await conn.execute(since)
        found = await to_take_up(conn, [STATION])
    assert (found[STATION].to_begin if found else []) == to_begin


async def test_writers_of_many_stations_lock_them_in_one_order(pool: Pool) -> None:
    """A journal, a presence flush and a watch that meet on the same rows: none holds what another waits for."""
    first, second = StationId("S1"), StationId("S2")
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        await conn.execute(
            "INSERT INTO stations (id, serial_number, location_id, connectors_count, is_available) "
            "SELECT id, id, 'EVP-LOC-001', 1, false FROM unnest(ARRAY['S1', 'S2']) id"
        )

    async def write_both(order: list[StationId], at: datetime) -> None:
        async with unit_of_work(pool) as uow:
            await store_presence(uow.conn, dict.fromkeys(order, at))

    with trio.fail_after(SOON_S):
        for minute, order in enumerate(([second, first], [first, second])):
            at = NOON + timedelta(minutes=minute)  # a time that is stored already need not be written, nor locked
            async with trio.open_nursery() as writers, unit_of_work(pool) as uow:
                await store_presence(uow.conn, {first: at})
                writers.start_soon(write_both, order, at)
                await until_one_waits_for_a_lock(pool)
                assert await store_presence(uow.conn, {second: at}) in ([second], [])
    async with by_hand(pool) as conn:
        assert set(await mark_silent(conn, NOON + timedelta(1))) == {STATION, first, second}


async def until_one_waits_for_a_lock(pool: Pool) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with by_hand(pool) as conn:
        while True:
            if await (await conn.execute(waiting)).fetchone():
                return
