"""What is overdue, and since when (billing-rules §3; ocpp-behaviour §5.5)."""

from __future__ import annotations

from tests.charging.test_stops import running
from tests.worlds.charging import World


async def test_a_stop_is_overdue_after_twice_its_wait_not_before(world: World) -> None:
    """Until then another process may be in conversation with the charger; the wait is 0.05 s here."""
    session_id, _ = await running(world)
    await world.sql("UPDATE evpower.session_phases SET phase = 'stopping', stop_requested_at = %s", world.clock.now())
    world.clock.advance(0.1)
    await world.app.recovery.check()
    assert (world.link.stopped, (await world.session(session_id)).phase) == ([], "stopping")
    world.clock.advance(0.001)
    await world.app.recovery.check()
    assert (await world.session(session_id)).phase == "settled"


async def test_a_reading_taken_at_the_reboot_is_no_sign_of_life_after_it(world: World) -> None:
    session_id, _ = await running(world)
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert (await world.session(session_id)).stop_reason == "PowerLoss"


async def test_a_charger_that_rebooted_before_its_first_reading_is_not_waited_for(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert ((await world.session(session_id)).stop_reason, await world.balance()) == ("PowerLoss", 500_00)


async def test_a_stop_of_a_charge_that_has_not_begun_is_finished_too(world: World) -> None:
    """The request was committed, the process died before it gave the money back."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.sql("UPDATE evpower.session_phases SET stop_requested_at = %s", world.clock.now())
    world.clock.advance(1)
    await world.app.recovery.check()
    assert ((await world.session(session_id)).phase, await world.balance()) == ("released", 500_00)
