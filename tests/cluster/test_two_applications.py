"""Two whole applications on one database: what both find is done once, and each hears of the other's work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
import trio
import trio.testing

from evpower.billing.rows.ledger import check_ledger
from evpower.charging.limits import PlannedStop
from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.db.pool import open_pool
from evpower.db.unit_of_work import unit_of_work
from evpower.events import Event, GapInEvents, SessionSettled
from evpower.identifiers import ConnectorId, IdTag, ProcessId, SessionId, StationId
from evpower.link.commands import LimitDraw
from evpower.link.ports import CommandResult, Outcome
from evpower.network.status import StatusReport
from evpower.server.app import build_app
from evpower.settings.config import Config
from tests.charging.test_lock_order import BLOCKED
from tests.e2e.process import poll
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, NETWORK, ONE, STATION, World, impatient
from tests.worlds.fakes import CountingIds, FakeLink, SetClock
from tests.worlds.two_processes import hears

WITHIN_S = 20.0
STATIONS = [StationId(f"EVP-TWO-{number}") for number in range(6)]
MORE_STATIONS = """
INSERT INTO stations (id, serial_number, location_id, connectors_count, is_available, last_heartbeat_at)
SELECT 'EVP-TWO-' || n, 'TWO-' || n, 'EVP-LOC-001', 1, true, '2026-11-23 06:00:00+00' FROM generate_series(0, 5) n;
INSERT INTO connectors (id, station_id, connector_number, power_kw, status, ocpp_status)
SELECT id || '-1', id, 1, 22, 'available', 'Available' FROM stations WHERE id LIKE 'EVP-TWO-%';
"""


class Street(FakeLink):
    """Chargers that take each start once and refuse its repeat."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__(clock)
        #: Those whose socket is in another process: they can be asked all the same.
        self.elsewhere: set[StationId] = set()

    def last_seen_at(self, station_id: StationId) -> datetime | None:
        return None if station_id in self.elsewhere else super().last_seen_at(station_id)

    async def remote_start(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None = None,
        limit: LimitDraw | None = None,
    ) -> CommandResult:
        result = await super().remote_start(station_id, connector_id, id_tag, remote_start_id, limit)
        return result if self.started.count(self.started[-1]) == 1 else CommandResult(Outcome.REJECTED)


@dataclass
class Both:
    """The charger is at A."""

    a: World
    b: World
    street: Street


@asynccontextmanager
async def two_worlds(url: str, config: Config) -> AsyncIterator[Both]:
    """Both with one clock and one street of chargers; B hears what A commits. Leaving them checks the ledger."""
    clock, ids = SetClock(), CountingIds()
    street = Street(clock)
    street.connected.update([STATION, *STATIONS])
    async with open_pool(url, process_id=ProcessId("a")) as pool_a, open_pool(url, process_id=ProcessId("b")) as pool_b:
        async with by_hand(pool_a) as conn:
            await conn.execute(NETWORK)
            await conn.execute(MORE_STATIONS)
        async with trio.open_nursery() as workers:
            worlds = []
            for pool in (pool_a, pool_b):
                app = build_app(config, pool, street, clock, ids, workers)
                await workers.start(app.journal.run)
                await workers.start(app.lookups.run)
                await workers.start(app.limits.run)
                worlds.append(World(app, pool, clock, street))
            yield Both(worlds[0], worlds[1], street)
            workers.cancel_scope.cancel()
        async with by_hand(pool_a) as conn:
            checked = await check_ledger(conn)
    assert checked.ok, checked.problems


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Both]:
    """Chargers are asked, and not waited for."""
    async with two_worlds(database_url, impatient()) as both:
        yield both


@pytest.fixture
async def patient(database_url: str) -> AsyncIterator[Both]:
    """A stop waits for ever, so whoever has not heard of its end is seen."""
    config = Config()
    async with two_worlds(database_url, replace(config, charging=replace(config.charging, stop_wait_s=3600))) as both:
        yield both


async def reserved(world: World) -> list[SessionId]:
    """A charge reserved at each station."""
    await world.give(1000_00)
    return [(await world.order(energy_wh=5_000, station=each)).session.session_id for each in STATIONS]


async def begun(world: World) -> tuple[SessionId, TransactionStop]:
    """A charge that runs, and how its charger will report its end: 5 kWh."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    transaction = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    stop = TransactionStop(
        transaction.wire_transaction_id, 6_000, world.clock.now(), "Remote", None, (), b"{}", "StopTransaction"
    )
    return session_id, stop


@contextmanager
def finals(*worlds: World) -> Iterator[list[SessionId]]:
    """The sessions each of them makes final from now on."""
    made_final: list[SessionId] = []

    def note(event: Event) -> None:
        if isinstance(event, SessionSettled):
            made_final.append(event.session_id)

    for world in worlds:
        world.app.bus.listen(note)
    yield made_final


async def test_what_two_settlement_workers_find_is_settled_once(both: Both) -> None:
    sessions, begun = await reserved(both.a), []
    for station, session_id in zip(STATIONS, sessions, strict=True):
        start = TransactionStart(ONE, await both.a.tag_of(session_id), 1000, both.a.clock.now(), b"{}")
        begun.append(await both.a.app.reports.begin_transaction(station, start))
    both.a.clock.advance(600)
    for station, transaction in zip(STATIONS, begun, strict=True):
        stop = TransactionStop(
            transaction.wire_transaction_id, 3_000, both.a.clock.now(), "Local", None, (), b"{}", "StopTransaction"
        )
        await both.a.app.reports.end_transaction(station, stop)
    with finals(both.a, both.b) as made_final:
        async with trio.open_nursery() as nursery:
            for world in (both.a, both.b):
                nursery.start_soon(world.app.settler.work_due)
    assert sorted(made_final) == sorted(sessions)
    assert await both.b.balance() == 1000_00 - len(sessions) * 27_00


async def test_what_two_recovery_workers_find_is_refunded_once(both: Both) -> None:
    sessions = await reserved(both.a)
    both.a.clock.advance(3600)
    with finals(both.a, both.b) as made_final:
        async with trio.open_nursery() as nursery:
            for world in (both.a, both.b):
                nursery.start_soon(world.app.recovery.check)
    assert sorted(made_final) == sorted(sessions)
    assert await both.b.balance() == 1000_00


async def test_a_charge_that_runs_too_long_is_stopped_by_one_of_two_recovery_workers(both: Both) -> None:
    session_id, _ = await begun(both.a)
    both.a.clock.advance(13 * 3600)
    async with trio.open_nursery() as nursery:
        for world in (both.a, both.b):
            nursery.start_soon(world.app.recovery.check)
    assert len(both.a.link.stopped) == 1
    assert (await both.b.session(session_id)).status == "stopped"


async def test_a_start_asked_for_by_two_at_once_is_not_refunded_because_the_second_was_refused(both: Both) -> None:
    """The phone's process asks as the charger's own takes it up; the charger begins by the first."""
    both.a.link.connected.discard(STATION)
    await both.b.give(500_00)
    session_id = (await both.b.order(energy_wh=5_000)).session.session_id
    both.a.link.connected.add(STATION)
    with trio.fail_after(WITHIN_S):
        async with unit_of_work(both.a.pool) as uow:  # until both have seen that nobody has asked
            await uow.conn.execute("SELECT FROM evpower.session_phases WHERE session_id = %s FOR UPDATE", (session_id,))
            asked = [world.app.commands.start(session_id) for world in (both.a, both.b)]
            await poll(lambda: two_wait(both.a), 0.01)
        for conversation in asked:
            await conversation.done.wait()
    assert (await both.b.session(session_id)).status == "started"


@pytest.mark.parametrize("went", [True, False])
async def test_a_limit_stop_is_left_to_the_process_where_the_charger_is(both: Both, went: bool) -> None:
    """It was planned by readings from before the charger went there; its power may have dropped since."""
    session_id, stop = await begun(both.a)
    if went:
        both.street.elsewhere.add(STATION)
    both.a.app.commands.stop_at_limit(PlannedStop(0.0, session_id, STATION, stop.wire_transaction_id))
    await both.a.at_rest()
    assert both.street.stopped == ([] if went else [(STATION, stop.wire_transaction_id)])


@asynccontextmanager
async def stopped_in_b_settled_in_a(both: Both, session_id: SessionId, stop: TransactionStop) -> AsyncIterator[None]:
    """A phone waits for its stop in B while A settles; at the end of the block, until it has its answer."""

    async def ask() -> None:
        await both.b.app.charging.stop_session(session_id, caller=CLIENT, actor="client")

    with trio.fail_after(WITHIN_S):
        async with trio.open_nursery() as asking:
            asking.start_soon(ask)
            await both.b.link.stop_asked.wait()
            await both.a.app.reports.end_transaction(STATION, stop)
            await both.a.app.settler.work_due()
            yield


async def test_a_stop_in_one_process_hears_that_the_other_has_settled(patient: Both, nursery: trio.Nursery) -> None:
    await hears(patient.b, nursery)
    session_id, stop = await begun(patient.a)
    async with stopped_in_b_settled_in_a(patient, session_id, stop):
        pass
    settled = await patient.b.session(session_id)
    assert (settled.energy_wh, settled.estimated) == (5_000, False)
    nursery.cancel_scope.cancel()


async def test_a_stop_whose_settlement_was_told_in_a_gap_looks_for_it_after_the_gap(patient: Both) -> None:
    session_id, stop = await begun(patient.a)
    async with stopped_in_b_settled_in_a(patient, session_id, stop):
        await trio.testing.wait_all_tasks_blocked(0.01)
        patient.b.app.bus.publish(GapInEvents())
    assert not (await patient.b.session(session_id)).estimated


async def test_a_second_stop_that_the_charger_refuses_waits_for_what_the_first_brings(
    patient: Both, nursery: trio.Nursery
) -> None:
    """A phone that asks again gets to another process, which does not know that the charger is stopping already."""
    await hears(patient.b, nursery)
    session_id, stop = await begun(patient.a)
    street = patient.a.link
    with trio.fail_after(WITHIN_S):
        async with trio.open_nursery() as asking:

            async def ask(world: World) -> None:
                await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")

            asking.start_soon(ask, patient.a)
            await street.stop_asked.wait()
            street.outcome, street.stop_asked = Outcome.REJECTED, trio.Event()
            asking.start_soon(ask, patient.b)
            await street.stop_asked.wait()
            await trio.testing.wait_all_tasks_blocked(0.01)
            await patient.a.app.reports.end_transaction(STATION, stop)
            await patient.a.app.settler.work_due()
    assert not (await patient.b.session(session_id)).estimated
    nursery.cancel_scope.cancel()


async def test_a_change_of_availability_asked_in_one_process_is_done_when_the_other_hears_the_status(
    both: Both,
) -> None:
    at = both.a.clock.now
    await both.a.app.reports.connector_status(STATION, StatusReport(ONE, "Charging", "NoError", at()))
    both.b.link.replies["ChangeAvailability"] = {"status": "Scheduled"}
    await both.b.app.operations.perform(STATION, "change-availability", {"operative": False, "connector_id": 1})
    both.a.clock.advance(60)
    await both.a.app.reports.connector_status(STATION, StatusReport(ONE, "Unavailable", "NoError", at()))
    assert await both.a.sql("SELECT state FROM evpower.ocpp_availability") == [{"state": "Done"}]


async def test_a_stations_new_price_is_shown_by_the_other_process_at_once(both: Both, nursery: trio.Nursery) -> None:
    await hears(both.b, nursery)
    assert not await shows_rate(both.b, 21)
    await both.a.sql("UPDATE stations SET price_per_kwh = 21 WHERE id = %s", STATION)
    with trio.fail_after(WITHIN_S):
        await poll(lambda: shows_rate(both.b, 21))
    nursery.cancel_scope.cancel()


async def two_wait(world: World) -> bool:
    """Whether two units of work wait for another one's row."""
    return len(await world.sql(BLOCKED)) == 2


async def shows_rate(world: World, rate: float) -> bool:
    location = await world.app.locations.location("EVP-LOC-001")
    return next(each.rate_per_kwh for each in location.stations if each.id == STATION) == rate
