"""Outages with their cause, and hours computed from rows, over PostgreSQL (operator-pages §4, §10.6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.availability.records import SeenAvailability
from evpower.availability.service import KEPT_FOR, forget_hours
from evpower.charging.errors import SessionFailed
from evpower.clock import midnight
from evpower.cluster.connections import SocketEnd, leave_stations
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import EvPowerError, StationNotFound
from evpower.identifiers import ClientId, StationId
from evpower.link.ports import Outcome
from tests.worlds.charging import CLIENT, STATION, World


async def heard(world: World, *, available: bool = True) -> None:
    """As presence writes it: heard of now, or silent since it was heard of last."""
    if available:
        await world.sql(
            "UPDATE stations SET last_heartbeat_at = %s, is_available = true WHERE id = %s", world.clock.now(), STATION
        )
    else:
        await world.sql("UPDATE stations SET is_available = false WHERE id = %s", STATION)


async def silent_for(world: World, minutes: float) -> None:
    await heard(world)
    world.clock.advance(minutes * 60)
    await heard(world, available=False)


async def seen(world: World) -> SeenAvailability:
    return await world.app.availability.seen(STATION)


async def hours(world: World) -> list[tuple[int, int, int, int, int, int]]:
    rows = await world.sql("SELECT * FROM evpower.station_hours ORDER BY hour")
    return [
        (each["offline_s"], each["asked"], each["reached"], each["charges"], each["energy_wh"], each["revenue_tyiyn"])
        for each in rows
    ]


async def test_a_silence_is_an_outage_until_it_is_heard_of_again(world: World) -> None:
    await silent_for(world, 30)
    began_at = world.clock.now() - timedelta(minutes=30)
    (open_one,) = (await seen(world)).outages
    assert (open_one.began_at, open_one.ended_at, open_one.cause) == (began_at, None, "socket")
    await heard(world)
    (ended,) = (await seen(world)).outages
    assert ended.ended_at == world.clock.now()


async def connect(world: World) -> None:
    """Its socket is in a process."""
    now = world.clock.now()
    await world.sql(
        "INSERT INTO evpower.processes (process_id, lease_until, started_at) VALUES ('p', %s, %s)", now, now
    )
    await world.sql("INSERT INTO evpower.charger_connections VALUES (%s, 'p', %s)", STATION, now)


async def disconnect(world: World, close_code: int) -> None:
    """As the journal of that process writes it."""
    async with unit_of_work(world.pool) as uow:
        await uow.conn.execute("SELECT set_config('evpower.process_id', 'p', true)")
        await leave_stations(uow.conn, {STATION: SocketEnd(world.clock.now(), close_code)})


@pytest.mark.parametrize(("returns", "code"), [(False, 1006), (True, None)])
async def test_an_outage_has_the_close_code_of_the_socket_that_ended_with_it(
    world: World, returns: bool, code: int | None
) -> None:
    """Not that of a socket after which the station was heard again: that one's process was killed, and wrote none."""
    await connect(world)
    await heard(world)
    await disconnect(world, 1006)
    world.clock.advance(60)
    if returns:
        await heard(world)
    world.clock.advance(600)
    await heard(world, available=False)
    assert [(each.cause, each.close_code) for each in (await seen(world)).outages] == [("socket", code)]


async def test_an_open_socket_that_is_given_up_while_its_station_is_away_gives_the_outage_its_code(
    world: World,
) -> None:
    await connect(world)
    await silent_for(world, 10)
    await disconnect(world, 1006)
    assert [(each.cause, each.close_code) for each in (await seen(world)).outages] == [("silence", 1006)]


async def test_a_silence_with_its_socket_open_is_told_apart(world: World) -> None:
    await connect(world)
    await silent_for(world, 10)
    assert [each.cause for each in (await seen(world)).outages] == ["silence"]


@pytest.mark.parametrize("boots_first", [True, False])
async def test_a_station_that_comes_back_by_a_boot_was_down(world: World, boots_first: bool) -> None:
    await silent_for(world, 10)
    if boots_first:
        await world.boot()
    await heard(world)
    if not boots_first:
        await world.boot()
    assert [each.cause for each in (await seen(world)).outages] == ["boot"]


async def test_a_boot_long_after_an_outage_was_not_its_cause(world: World) -> None:
    await silent_for(world, 10)
    await heard(world)
    world.clock.advance(120)
    await world.boot()
    assert [each.cause for each in (await seen(world)).outages] == ["socket"]


async def test_uptime_is_of_the_days_that_the_station_is_known(world: World) -> None:
    now = world.clock.now()
    await world.sql("UPDATE stations SET created_at = %s, last_heartbeat_at = %s", now - timedelta(days=90), now)
    await silent_for(world, 60)
    whole = await seen(world)
    assert len(whole.days) == 30
    since = midnight(world.clock.now(), world.app.availability._zone) - timedelta(days=29)
    assert whole.uptime == pytest.approx(1 - timedelta(hours=1) / (world.clock.now() - since))
    assert [each.uptime for each in whole.days[:-1]] == [1.0] * 29


async def test_one_that_was_never_heard_of_has_no_uptime_and_one_that_is_not_there_is_refused(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    assert await seen(world) == SeenAvailability(STATION, None, (), ())
    with pytest.raises(StationNotFound):
        await world.app.availability.seen(StationId("OTHER"))


async def test_hours_are_what_the_rows_say_and_doing_it_again_changes_nothing(world: World) -> None:
    """One charge of 1 kWh; one start that the station refused; one client without money, which is no failure."""
    await world.give(1_000_00)
    started = await world.order(energy_wh=1_000)
    await world.charge(started.session.session_id, 1_000)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await world.order(energy_wh=1_000)
    with pytest.raises(EvPowerError):
        await world.order(energy_wh=1_000, client=ClientId("poor"))
    await world.app.availability.work()
    assert await hours(world) == [(0, 2, 1, 1, 1000, 1350)]
    written = await world.sql("SELECT *, xmin FROM evpower.station_hours")
    await world.app.availability.work()
    assert await world.sql("SELECT *, xmin FROM evpower.station_hours") == written


async def test_a_correction_of_a_bill_reaches_its_hour(world: World) -> None:
    await world.give(1_000_00)
    started = await world.order(energy_wh=1_000)
    await world.charge(started.session.session_id, 1_000)
    await world.app.availability.work()
    world.clock.advance(5 * 3600)
    await world.sql("UPDATE charging_sessions SET amount = 10, energy = 0.9")
    await world.app.availability.work()
    assert (await hours(world))[0][4:] == (900, 1000)
    await world.sql("UPDATE charging_sessions SET amount = 13.50, energy = 1")


async def test_an_outage_takes_its_part_of_every_hour_it_is_in(world: World) -> None:
    """From 12:00 to 13:30 and still away."""
    await silent_for(world, 90)
    await world.app.availability.work()
    assert [row[0] for row in await hours(world)] == [3600, 1800]
    now = await world.app.availability.network_hours(2)
    assert [each.uptime for each in now] == [0, 0]
    await heard(world)
    world.clock.advance(1800)
    await world.app.availability.work()
    assert [row[0] for row in await hours(world)] == [3600, 1800]


async def test_the_networks_hours_have_what_was_topped_up_and_quiet_ones_too(world: World) -> None:
    await heard(world)
    await world.give(1_000_00, CLIENT)
    await world.sql("UPDATE stations SET created_at = %s", world.clock.now() - timedelta(days=2))
    found = await world.app.availability.network_hours(24)
    assert len(found) == 24
    assert {each.uptime for each in found[:-1]} == {1.0}
    assert sum(each.asked + each.charges + each.topped_up_tyiyn for each in found) == 0


async def test_what_is_old_is_forgotten_and_an_open_outage_is_not(world: World) -> None:
    await silent_for(world, 30)
    await world.app.availability.work()
    await forget_hours(world.pool, world.clock.now() + KEPT_FOR + timedelta(days=1))
    assert await hours(world) == []
    assert len((await seen(world)).outages) == 1
