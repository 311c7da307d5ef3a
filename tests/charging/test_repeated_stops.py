"""Stops that are not obeyed, and charges that go on without a session (field rulings 4.1, 4.2; money audit A6)."""

from __future__ import annotations

import pytest

from evpower.identifiers import IdTag, WireTransactionId
from evpower.link.ports import Outcome
from tests.charging.test_stops import running, stop
from tests.worlds.charging import STATION, TWO, World


async def checked(world: World, after_s: float) -> int:
    """How many stops the station was sent when that time has passed and recovery has looked."""
    world.clock.advance(after_s)
    await world.app.recovery.check()
    await world.at_rest()
    return len(world.link.stopped)


async def goes_on(world: World, wire_id: WireTransactionId, register_wh: int) -> None:
    await world.meter(wire_id, register_wh)
    await world.at_rest()


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.TIMED_OUT, Outcome.FAILED])
async def test_a_stop_that_is_not_obeyed_is_asked_again_while_energy_flows(world: World, outcome: Outcome) -> None:
    """Field ruling 4.2, whatever the station answered; each reading that rises brings the repeat that is due."""
    session_id, wire_id = await running(world)
    world.link.outcome = outcome
    await stop(world, session_id)
    assert (await world.session(session_id)).status == "stopped"
    asked = []
    for seconds, register in ((10, 16_100), (19, 16_200), (1, 16_300), (29, 16_400), (1, 16_500)):
        world.clock.advance(seconds)
        await goes_on(world, wire_id, register)
        asked.append(len(world.link.stopped))
    assert asked == [1, 1, 2, 2, 3]


async def test_a_connector_that_says_charging_is_asked_again_without_a_reading(world: World) -> None:
    """Field ruling 4.1."""
    session_id, _ = await running(world)
    await world.say("Charging")
    await stop(world, session_id)
    assert [await checked(world, seconds) for seconds in (29, 1, 29, 1)] == [1, 2, 2, 3]
    await world.say("Finishing")
    assert await checked(world, 60) == 3


async def test_a_station_that_does_not_go_on_is_asked_once(world: World) -> None:
    """Field ruling 4.1: it repeats its register and says no more."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(60)
    await goes_on(world, wire_id, 16_000)
    assert await checked(world, 60) == 1


async def test_a_charge_that_goes_on_after_its_settlement_is_stopped(world: World) -> None:
    """Money audit A6: settled by its last reading after a reboot; then the station takes it up again on its socket."""
    session_id, wire_id = await running(world)
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert (await world.session(session_id)).status == "stopped"
    for minute in range(1, 4):
        world.clock.advance(60)
        await goes_on(world, wire_id, 16_000 + 300 * minute)
    assert world.link.stopped == [(STATION, wire_id)] * 3


async def test_an_unpaid_transaction_that_did_not_answer_is_asked_again(world: World) -> None:
    """Money audit A6: given up before it began."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    tag = await world.tag_of(session_id)
    await stop(world, session_id)
    world.link.outcome = Outcome.TIMED_OUT
    wire_id = (await world.begin(tag)).wire_transaction_id
    await world.at_rest()
    assert world.link.stopped == [(STATION, wire_id)]
    world.clock.advance(30)
    await goes_on(world, wire_id, 1_300)
    assert world.link.stopped == [(STATION, wire_id)] * 2


async def test_a_refused_start_that_delivers_all_the_same_is_stopped(world: World) -> None:
    """Field ruling 4.1: within half a minute a station ends it by itself, as OCPP wants it; then it is asked."""
    wire_id = (await world.begin(IdTag("UNKNOWN"))).wire_transaction_id
    await goes_on(world, wire_id, 1_000)
    assert await checked(world, 29) == 0
    await goes_on(world, wire_id, 1_200)
    assert world.link.stopped == []
    assert await checked(world, 1) == 1


async def test_a_charge_given_away_is_never_asked_to_stop(world: World) -> None:
    await world.app.free_vend.set(STATION, enabled=True, actor="test")
    wire_id = (await world.begin(IdTag("UNKNOWN"))).wire_transaction_id
    await world.say("Charging")
    world.clock.advance(600)
    await goes_on(world, wire_id, 3_000)
    assert await checked(world, 60) == 0
    assert await world.app.parked.charges_without_session() == []


async def test_a_stop_at_a_limit_is_repeated_without_further_readings(world: World) -> None:
    """Field ruling 4.2: while readings come they bring the repeat; a silent station on a live socket is asked too."""
    _, wire_id = await running(world, register_wh=21_000)
    await world.at_rest()
    assert [await checked(world, seconds) for seconds in (29, 1, 29, 1)] == [1, 2, 2, 3]
    assert world.link.stopped == [(STATION, wire_id)] * 3


async def test_a_charge_that_was_not_asked_to_stop_is_not_asked_again(world: World) -> None:
    _, wire_id = await running(world)
    await world.say("Charging")
    assert await checked(world, 600) == 0
    await goes_on(world, wire_id, 16_100)
    assert world.link.stopped == []


async def test_a_stop_waits_for_the_station_to_be_there(world: World) -> None:
    """Field ruling 4.2: on a live socket of this process; what was not sent does not count as asked."""
    session_id, _ = await running(world)
    await world.say("Charging")
    world.link.connected.clear()
    await stop(world, session_id)
    assert await checked(world, 60) == 0
    world.link.connected.add(STATION)
    assert await checked(world, 0) == 1


async def test_a_station_that_reconnects_within_the_time_is_not_asked_twice(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(10)
    await world.app.reports.ready_for_commands(STATION)
    await world.at_rest()
    assert world.link.stopped == [(STATION, wire_id)]


async def test_a_clock_that_was_set_back_does_not_silence_the_repeats(world: World) -> None:
    await world.rate(1_000)  # by no clock has any time gone by
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(-86_400)
    await goes_on(world, wire_id, 16_500)
    assert len(world.link.stopped) == 2


async def test_what_the_station_says_stays_while_it_has_not_reported_the_end(world: World) -> None:
    """Field ruling 4.1: after a settlement without its stop, Charging is no Finishing."""
    session_id, _ = await running(world)
    await world.say("Charging")
    await stop(world, session_id)
    said = "SELECT ocpp_status, status FROM connectors WHERE connector_number = 1"
    assert await world.sql(said) == [{"ocpp_status": "Charging", "status": "occupied"}]


async def test_the_true_stop_ends_the_repeats(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.say("Charging")
    await stop(world, session_id)
    await world.end(wire_id, 16_100)
    assert await checked(world, 60) == 1


async def test_two_processes_ask_once(world: World) -> None:
    """Field ruling 4.2: whichever process repeats, the row says when it was asked last."""
    session_id, _ = await running(world)
    await world.say("Charging")
    await stop(world, session_id)
    world.clock.advance(30)
    for _ in range(2):
        world.app.commands.repeat_stops()
    await world.at_rest()
    assert len(world.link.stopped) == 2


async def test_a_charge_without_a_session_is_listed_counted_and_a_warning(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Field ruling 4.1: nothing silent."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    assert await world.app.parked.charges_without_session() == []
    settled_at = world.clock.now()
    world.clock.advance(60)
    await goes_on(world, wire_id, 16_500)
    world.clock.advance(20)
    await goes_on(world, wire_id, 16_600)
    (listed,) = await world.app.parked.charges_without_session()
    assert (listed.session_id, listed.transaction_id, listed.energy_wh) == (session_id, wire_id, 600)
    assert (listed.unpaid_since, listed.stops_asked, listed.verdict) == (settled_at, 2, "Accepted")
    (warning,) = [each.getMessage() for each in caplog.records if "without a session" in each.getMessage()]
    assert f"station={STATION}" in warning
    assert f"session_id={session_id}" in warning


async def test_a_start_at_another_connector_leaves_it_listed_and_one_at_its_own_ends_it(world: World) -> None:
    session_id, _ = await running(world)
    await stop(world, session_id)
    await world.say("Charging")
    await world.begin(IdTag("OTHER"), connector=TWO)
    assert len(await world.app.parked.charges_without_session()) == 1
    await world.begin(IdTag("OTHER"))
    assert [each.id_tag for each in await world.app.parked.charges_without_session()] == ["OTHER"]


async def test_a_register_that_began_again_still_shows_that_it_delivers(world: World) -> None:
    """Field rulings 1.4 and 4.1: after a restart the register is lower than when the stop was asked."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(60)
    await world.meter(wire_id, 0)
    await goes_on(world, wire_id, 500)
    assert len(world.link.stopped) == 2
