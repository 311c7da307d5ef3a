"""A session that is final has closed its transaction for every reader, whatever its station says (field ruling 4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.errors import InvalidRequest
from evpower.identifiers import WireTransactionId
from tests.charging.test_stops import running, stop
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import ONE, STATION, TWO, World


async def card_is_settled_by_estimate(world: World) -> WireTransactionId:
    """The station went dark in mid-charge for good, and twelve hours have passed."""
    await world.give(500_00)
    await give_card(world)
    wire_id = (await world.begin(CARD)).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, 2_000)
    world.clock.advance(13 * 3600)
    world.link.connected.clear()
    await world.app.recovery.check()
    return wire_id


async def test_a_card_whose_charge_is_settled_may_charge_elsewhere(world: World) -> None:
    """Money audit A14, case 05 from the field: ConcurrentTx is a charge that goes on."""
    await card_is_settled_by_estimate(world)
    assert (await world.begin(CARD, connector=TWO)).verdict.status == "Accepted"
    assert (await world.begin(CARD, connector=ONE)).verdict.status == "ConcurrentTx"


async def test_a_charge_given_up_before_it_began_does_not_lock_its_tag(world: World) -> None:
    await world.give(500_00)
    await give_card(world)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    await world.sql("UPDATE charging_sessions SET id_tag = %s", CARD)
    await stop(world, session_id)
    assert (await world.begin(CARD)).verdict.status == "Accepted"
    assert (await world.begin(CARD, connector=TWO)).verdict.status == "Accepted"


async def test_the_phone_sees_a_transaction_that_is_over(world: World) -> None:
    session_id, _ = await running(world)
    assert (await world.session(session_id)).ocpp_status == "Started"
    await stop(world, session_id)
    assert (await world.session(session_id)).ocpp_status == "Stopped"


async def test_the_connector_is_free_for_the_next_driver(world: World) -> None:
    """Case 19 from the field: the station says Available, and its stop was lost."""
    session_id, _ = await running(world)
    await world.say("Available")
    await stop(world, session_id)
    await world.say("Available")
    assert (await world.order(energy_wh=1_000)).session.status == "started"


async def profile_for(world: World, wire_id: WireTransactionId) -> None:
    profile: dict[str, Any] = {
        "chargingProfileId": 7,
        "transactionId": int(wire_id),
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]},
    }
    await world.app.operations.profiles.set(STATION, ONE, profile)


async def test_a_charging_profile_is_for_a_charge_that_goes_on(world: World) -> None:
    session_id, wire_id = await running(world)
    await profile_for(world, wire_id)
    await stop(world, session_id)
    with pytest.raises(InvalidRequest):
        await profile_for(world, wire_id)


async def test_the_true_stop_of_a_closed_transaction_is_taken_all_the_same(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    await world.end(wire_id, 16_500)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).energy_wh == 15_500
