"""A station that spoke 1.6 and speaks 2.0.1 makes its own transaction ids: one may equal a number that we gave it once.

An old charge's number is no name of a new one (contract/ocpp201 §1, §3)."""

from __future__ import annotations

import pytest

from evpower.charging.transaction import BegunTransaction
from evpower.identifiers import SessionId, WireTransactionId
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, STATION, TWO, World
from tests.worlds.events import EventWorld

NAMED_APART = "2.0.1:{}"


@pytest.fixture
def charger(world: World) -> EventWorld:
    return EventWorld(world)


async def charge_of_old(world: World) -> tuple[SessionId, BegunTransaction]:
    """A charge of 1.6 that runs."""
    await world.give(1_000_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    return session_id, await world.begin(await world.tag_of(session_id))


async def old_charge(world: World) -> tuple[SessionId, WireTransactionId]:
    """A charge of 1.6 that is over and billed, 135 som."""
    session_id, begun = await charge_of_old(world)
    world.clock.advance(1800)
    await world.end(begun.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    return session_id, begun.wire_transaction_id


async def test_a_new_transaction_under_an_old_charges_number_is_a_charge_of_its_own(
    world: World, charger: EventWorld
) -> None:
    first, number = await old_charge(world)
    second = (await charger.order(energy_wh=20_000)).session.session_id
    tag = await charger.tag_of(second)
    answer = await charger.tell(charger.event(number, "Started", 20_000, id_tag=tag))
    assert answer.verdict is not None
    assert answer.verdict.status == "Accepted"
    assert (await charger.session(second)).phase == "charging"
    charger.clock.advance(600)
    await charger.meter(number, 24_000)
    assert (await charger.session(second)).energy_wh == 4_000
    shown = await charger.app.reports.transaction_event(
        STATION, charger.event(number, "Updated", 25_000), with_cost=True
    )
    assert shown.total_cost_tyiyn is not None
    assert 0 < shown.total_cost_tyiyn < 135_00
    charger.clock.advance(1200)
    await charger.end(number, 30_000)
    await charger.app.settler.work_due()
    bills = [await charger.session(each) for each in (first, second)]
    assert [(each.cost_tyiyn, each.energy_wh, each.estimated) for each in bills] == [(135_00, 10_000, False)] * 2
    assert (await charger.app.billing.balance(CLIENT)).balance_tyiyn == 1_000_00 - 2 * 135_00


async def test_an_update_of_nobody_under_an_old_number_touches_no_bill(world: World, charger: EventWorld) -> None:
    """Its start has not come yet."""
    first, number = await old_charge(world)
    await charger.tell(charger.event(number, "Updated", 15_000, seq_no=1))
    await charger.tell(charger.event(number, "Ended", 16_000, seq_no=2))
    charger.clock.advance(600)
    await charger.app.transactions.apply_overdue()
    await charger.app.settler.work_due()
    assert (await charger.session(first)).cost_tyiyn == 135_00
    charges = await charger.sql(
        "SELECT wire_transaction_id AS id, meter_last_wh FROM evpower.ocpp_transactions ORDER BY id"
    )
    assert sorted(charge["id"] for charge in charges) == sorted([number, NAMED_APART.format(number)])


async def test_a_start_under_the_number_of_a_charge_that_never_ended_is_another(
    world: World, charger: EventWorld
) -> None:
    first, begun = await charge_of_old(world)
    number = begun.wire_transaction_id
    second = (await charger.order(connector=TWO, energy_wh=20_000)).session.session_id
    tag = await charger.tag_of(second)
    await charger.tell(charger.event(number, "Started", 20_000, id_tag=tag, connector_id=TWO))
    charger.clock.advance(600)
    await charger.meter(number, 24_000, connector=TWO)
    assert [(await charger.session(each)).energy_wh for each in (first, second)] == [0, 4_000]


async def test_events_under_the_number_of_a_charge_of_1_6_that_goes_on_are_another_transactions(
    world: World, charger: EventWorld
) -> None:
    """Acceptance 8: a station may change its version while a transaction runs; its ids are of its version."""
    session_id, begun = await charge_of_old(world)
    number = begun.wire_transaction_id
    world.clock.advance(1800)
    await world.meter(number, 11_000)
    await world.boot()  # with 2.0.1
    await charger.tell(charger.event(number, "Updated", 15_000, seq_no=0))
    await charger.tell(charger.event(number, "Ended", 16_000, seq_no=1))
    settled = await world.session(session_id)  # another transaction on its connector proves that it is over
    assert (settled.status, settled.cost_tyiyn, settled.energy_wh) == ("stopped", 135_00, 10_000)
    assert settled.estimated


async def test_a_charge_of_1_6_is_ended_by_the_next_one_of_2_0_1_on_its_connector(
    world: World, charger: EventWorld
) -> None:
    """The station forgot it in its upgrade, passwords and history are the station's all the same."""
    await world.sql("INSERT INTO evpower.station_credentials VALUES (%s, 'kept', now())", STATION)
    first, begun = await charge_of_old(world)
    world.clock.advance(1800)
    await world.meter(begun.wire_transaction_id, 11_000)
    await world.boot()
    await world.sql("UPDATE connectors SET status = 'available', ocpp_status = 'Available'")
    await give_card(charger)
    await charger.begin(CARD, meter_wh=11_000)
    await charger.app.settler.work_due()
    assert (await world.session(first)).cost_tyiyn == 135_00
    stations = await world.sql("SELECT station_id FROM evpower.ocpp_transactions")
    assert [each["station_id"] for each in stations] == [STATION] * 2
    assert await world.sql("SELECT password_hash FROM evpower.station_credentials") == [{"password_hash": "kept"}]


async def test_a_stop_of_1_6_under_a_number_that_the_station_made_itself_is_parked(
    world: World, charger: EventWorld
) -> None:
    """The other way round: the station speaks 1.6 again, while a transaction of its own runs."""
    await charger.give(1_000_00)
    session_id = (await charger.order(energy_wh=20_000)).session.session_id
    number = WireTransactionId("17")
    await charger.tell(charger.event(number, "Started", 1_000, id_tag=await charger.tag_of(session_id)))
    charger.clock.advance(600)
    await world.meter(number, 3_000)
    await world.end(number, 4_000)
    view = await charger.session(session_id)
    assert (view.phase, view.energy_wh) == ("charging", 0)
    assert [row["action"] for row in await world.sql("SELECT action FROM evpower.ocpp_parked")] == ["StopTransaction"]


async def test_a_number_for_1_6_is_none_that_the_station_has_made_itself(world: World, charger: EventWorld) -> None:
    """It speaks 1.6 again."""
    _, number = await old_charge(world)
    taken = [WireTransactionId(str(int(number) + step)) for step in (1, 2)]
    for each in taken:
        await charger.tell(charger.event(each, "Started", 1_000))
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    assert begun.wire_transaction_id == str(int(number) + 3)
    assert (await world.session(session_id)).phase == "charging"


async def test_a_station_that_uses_our_mark_does_not_reach_what_is_marked(world: World, charger: EventWorld) -> None:
    _, number = await old_charge(world)
    second = (await charger.order(energy_wh=20_000)).session.session_id
    await charger.tell(charger.event(number, "Started", 20_000, id_tag=await charger.tag_of(second)))
    await charger.meter(WireTransactionId(NAMED_APART.format(number)), 29_000)
    assert (await charger.session(second)).energy_wh == 0
