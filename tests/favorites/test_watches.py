"""Watches (contract/roadmap/history-favorites-push §2): one notice when a connector is free, whatever made it so."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio

from evpower.billing.errors import ClientDeleted
from evpower.clock import ClockWatch
from evpower.db.unit_of_work import UnitOfWork
from evpower.errors import ConnectorNotFound, InvalidRequest
from evpower.favorites.errors import NoSuchLocation, TooManyWatches
from evpower.favorites.watches import LONGEST, WATCHES_MOST, ConnectorFree, Watches
from evpower.identifiers import ClientId
from tests.favorites.test_service import CLOSED, HOME, LOCATION
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World

OTHER = ClientId("client-2")


class Waiting:
    """A world whose connectors are both taken; notices are kept in a table, as an outbox keeps them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failure: Exception | None = None
        self.watches = self.process()

    def process(self) -> Watches:
        """One more process on the same database, or the same one after a restart."""
        clock = self.world.clock
        watch = ClockWatch(clock, clock.steady_s)
        return Watches(self.world.pool, watch, self.world.app.locations, self.notify)

    async def notify(self, uow: UnitOfWork, free: ConnectorFree) -> None:
        await uow.conn.execute(
            "INSERT INTO kept_notices VALUES (%s, %s, %s, %s)",
            (free.watch_id, free.client_id, free.station_id, free.connector_id),
        )
        if self.failure is not None:
            raise self.failure

    async def notices(self) -> list[tuple[str, int]]:
        """Whom there were notices for, and of which connector."""
        rows = await self.world.sql("SELECT client_id, connector_id FROM kept_notices ORDER BY watch_id")
        return [(row["client_id"], row["connector_id"]) for row in rows]

    async def left(self) -> int:
        return len(await self.world.sql("SELECT id FROM evpower.favorite_watches"))


@pytest.fixture
async def waiting(world: World) -> Waiting:
    await world.sql(
        "CREATE TABLE kept_notices (watch_id bigint UNIQUE, client_id text, station_id text, connector_id int)"
    )
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.sql("UPDATE connectors SET connector_type = 'CCS2' WHERE connector_number = 2")
    for connector in (ONE, TWO):
        await world.say("Charging", connector=connector)
    return Waiting(world)


async def test_there_is_one_notice_when_a_connector_is_free(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME)
    await waiting.watches.look()
    assert await waiting.notices() == []
    for _ in range(2):
        await waiting.world.say("Available", connector=TWO)
        await waiting.watches.look()
        await waiting.world.say("Charging", connector=TWO)
        await waiting.watches.look()
    assert (await waiting.notices(), await waiting.left()) == ([(CLIENT, TWO)], 0)


async def test_a_plugged_connector_is_not_free(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME)
    for status in ("Preparing", "Finishing", "SuspendedEV", "Reserved", "Unavailable", "Faulted"):
        await waiting.world.say(status)
        await waiting.watches.look()
    assert await waiting.notices() == []


async def test_one_that_is_free_already_counts(waiting: Waiting) -> None:
    """It may have become free after the driver looked."""
    await waiting.world.say("Available")
    await waiting.watches.start(CLIENT, HOME)
    await waiting.watches.look()
    assert await waiting.notices() == [(CLIENT, ONE)]


async def test_the_type_must_match_however_it_is_written(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME, " ccs2 ")
    await waiting.world.say("Available", connector=ONE)
    await waiting.watches.look()
    assert await waiting.notices() == []
    await waiting.world.say("Available", connector=TWO)
    await waiting.watches.look()
    assert await waiting.notices() == [(CLIENT, TWO)]


async def test_a_running_charge_keeps_its_connector_whatever_the_station_says(waiting: Waiting) -> None:
    world = waiting.world
    await world.say("Available")
    await world.give(500_00)
    started = await world.order(energy_wh=1_000)
    await world.say("Available")
    await waiting.watches.start(OTHER, HOME)
    await waiting.watches.look()
    assert await waiting.notices() == []
    await world.charge(started.session.session_id, 500)
    await world.say("Available")
    await waiting.watches.look()
    assert await waiting.notices() == [(OTHER, ONE)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE stations SET status = 'maintenance'",
        "UPDATE stations SET status = 'inactive'",
        "UPDATE locations SET status = 'inactive'",
        "UPDATE connectors SET is_enabled = false",
    ],
)
async def test_where_nobody_can_charge_nothing_is_free(waiting: Waiting, change: str) -> None:
    """And once an administrator, or the station, takes that back, it is."""
    world = waiting.world
    await waiting.watches.start(CLIENT, HOME)
    await world.say("Available")
    await world.sql(change)
    await waiting.watches.look()
    assert await waiting.notices() == []
    await world.sql("UPDATE stations SET status = 'active', last_heartbeat_at = %s", world.clock.now())
    await world.sql("UPDATE locations SET status = 'active'")
    await world.sql("UPDATE connectors SET is_enabled = true")
    await waiting.watches.look()
    assert await waiting.notices() == [(CLIENT, ONE)]


async def test_a_silent_station_has_nothing_free_until_it_is_back(waiting: Waiting) -> None:
    world = waiting.world
    await waiting.watches.start(CLIENT, HOME)
    await world.say("Available")
    world.link.connected.discard(STATION)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now() - timedelta(seconds=301))
    await waiting.watches.look()
    assert await waiting.notices() == []
    world.link.connected.add(STATION)
    await waiting.watches.look()
    assert await waiting.notices() == [(CLIENT, ONE)]


async def test_everybody_who_waits_is_notified(waiting: Waiting) -> None:
    """First come, first served: it is no reservation."""
    for client in (CLIENT, OTHER):
        await waiting.watches.start(client, HOME)
    await waiting.world.say("Available")
    await waiting.watches.look()
    assert await waiting.notices() == [(CLIENT, ONE), (OTHER, ONE)]


async def test_of_several_processes_one_notifies(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME)
    await waiting.world.say("Available")
    async with trio.open_nursery() as processes:
        for _ in range(4):
            processes.start_soon(waiting.process().look)
    assert await waiting.notices() == [(CLIENT, ONE)]


async def test_what_a_process_that_died_has_not_committed_the_next_one_does(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME)
    await waiting.world.say("Available")
    waiting.failure = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        await waiting.watches.look()
    assert (await waiting.notices(), await waiting.left()) == ([], 1)
    waiting.failure = None
    for _ in range(2):
        await waiting.process().look()
    assert await waiting.notices() == [(CLIENT, ONE)]


async def test_after_its_time_there_is_no_notice(waiting: Waiting) -> None:
    world = waiting.world
    until = await waiting.watches.start(CLIENT, HOME, until=world.clock.now() + timedelta(minutes=10))
    assert until == world.clock.now() + timedelta(minutes=10)
    world.clock.advance(600)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.say("Available")
    await waiting.watches.look()
    assert (await waiting.notices(), await waiting.left()) == ([], 0)


async def test_without_a_time_it_is_twelve_hours(waiting: Waiting) -> None:
    assert (
        await waiting.watches.start(CLIENT, HOME)
        == waiting.world.clock.now() + LONGEST
        == (waiting.world.clock.now() + timedelta(hours=12))
    )


@pytest.mark.parametrize("seconds", [-1, 0, 12 * 3600 + 1])
async def test_a_time_that_is_over_or_too_late_is_refused(waiting: Waiting, seconds: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await waiting.watches.start(CLIENT, HOME, until=waiting.world.clock.now() + timedelta(seconds=seconds))
    assert refused.value.fields[0][0] == "until"
    assert await waiting.left() == 0


async def test_another_one_at_the_same_location_takes_the_first_ones_place(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME, "GBT")
    await waiting.watches.start(CLIENT, HOME, "CCS2")
    await waiting.world.say("Available", connector=ONE)
    await waiting.watches.look()
    assert (await waiting.notices(), await waiting.left()) == ([], 1)


async def test_five_locations_at_most(waiting: Waiting) -> None:
    world = waiting.world
    await world.give(1)
    await world.sql(
        "INSERT INTO evpower.favorite_watches (client_id, location_id, created_at, until) "
        "SELECT id, 'other-' || n, %s, %s FROM clients, generate_series(1, %s) n",
        world.clock.now(),
        world.clock.now() + timedelta(hours=1),
        WATCHES_MOST,
    )
    with pytest.raises(TooManyWatches) as refused:
        await waiting.watches.start(CLIENT, HOME)
    assert (refused.value.code, refused.value.details["reason"]) == ("invalid_request", "too_many_watches")
    await waiting.watches.stop(CLIENT, "other-1")
    await waiting.watches.start(CLIENT, HOME)
    await waiting.watches.start(CLIENT, HOME)
    assert await waiting.left() == WATCHES_MOST
    world.clock.advance(3600)
    await waiting.watches.start(CLIENT, HOME)


async def test_what_is_not_shown_and_a_type_that_is_not_there_are_refused(waiting: Waiting) -> None:
    await waiting.world.sql(LOCATION, CLOSED, "Ош базар", "inactive")
    for location in (CLOSED, "EVP-LOC-404"):
        with pytest.raises(NoSuchLocation):
            await waiting.watches.start(CLIENT, location)
    with pytest.raises(ConnectorNotFound):
        await waiting.watches.start(CLIENT, HOME, "CHAdeMO")
    assert await waiting.left() == 0


async def test_who_stops_waiting_hears_nothing_and_others_do(waiting: Waiting) -> None:
    for client in (CLIENT, OTHER):
        await waiting.watches.start(client, HOME)
    for _ in range(2):
        await waiting.watches.stop(CLIENT, HOME)
    await waiting.world.say("Available")
    await waiting.watches.look()
    assert await waiting.notices() == [(OTHER, ONE)]


async def test_an_account_that_ends_waits_for_nothing_new(waiting: Waiting) -> None:
    await waiting.world.app.accounts.request_deletion(CLIENT, "client")
    with pytest.raises(ClientDeleted):
        await waiting.watches.start(CLIENT, HOME)


async def test_a_wall_clock_in_doubt_ends_no_watch(waiting: Waiting) -> None:
    await waiting.watches.start(CLIENT, HOME)
    await waiting.watches.look()
    waiting.world.clock.jump(13 * 3600)
    await waiting.watches.look()
    assert await waiting.left() == 1


async def test_many_locations_are_read_at_once(waiting: Waiting) -> None:
    world = waiting.world
    await world.give(1)
    await world.sql(
        "INSERT INTO evpower.favorite_watches (client_id, location_id, created_at, until) "
        "SELECT %s, 'other-' || n, %s, %s FROM generate_series(1, 20) n",
        CLIENT,
        world.clock.now(),
        world.clock.now() + timedelta(hours=1),
    )
    await waiting.watches.start(OTHER, HOME)
    await world.say("Available")
    await waiting.watches.look()
    assert await waiting.notices() == [(OTHER, ONE)]
    assert (await world.sql("SELECT station_id FROM kept_notices"))[0]["station_id"] == STATION


async def test_what_became_of_watches_is_counted(waiting: Waiting) -> None:
    """A second end of what nobody waits for is none; a notice that was undone is none."""
    watches = waiting.watches
    await watches.start(CLIENT, HOME)
    for _ in range(2):
        await watches.stop(CLIENT, HOME)
    await watches.start(CLIENT, HOME)
    waiting.world.clock.advance(LONGEST.total_seconds())
    await watches.look()
    await watches.start(CLIENT, HOME)
    await waiting.world.say("Available")
    waiting.failure = RuntimeError("killed before the commit")
    with pytest.raises(RuntimeError):
        await watches.look()
    assert watches.steps == {"made": 3, "ended": 1, "over": 1}
    waiting.failure = None
    for _ in range(2):
        await watches.look()
    assert watches.steps == {"made": 3, "ended": 1, "over": 1, "notified": 1}
