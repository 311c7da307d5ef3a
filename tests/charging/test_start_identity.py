"""Which start is a repeat, and which one is a charge of its own (field rulings 2.1 and 2.2; duty 21)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trio

from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.tags.cards import read_id_tag
from tests.charging.test_lock_order import BLOCKED
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import ONE, STATION, TWO, World

PHONE = IdTag("+996555123456")
NEVER_SET = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def start(
    world: World, tag: IdTag, at: datetime, *, register_wh: int = 0, connector: ConnectorId = ONE
) -> BegunTransaction:
    """The charger reports a start with a time of its own."""
    return await world.app.reports.begin_transaction(STATION, TransactionStart(connector, tag, register_wh, at, b"{}"))


async def report(world: World, at: datetime, begun: list[BegunTransaction]) -> None:
    """The same card's start, by one of the station's sockets."""
    begun.append(await start(world, CARD, at))


async def stop(world: World, wire_id: WireTransactionId, register_wh: int, at: datetime) -> None:
    """The charger reports the end with a time of its own, and it is settled."""
    report = TransactionStop(wire_id, register_wh, at, "Local", None, (), b"{}", "StopTransaction")
    await world.app.reports.end_transaction(STATION, report)
    await world.app.settler.work_due()


async def amounts(world: World) -> list[float | None]:
    return [row["amount"] for row in await world.sql("SELECT amount FROM charging_sessions ORDER BY created_at, id")]


async def test_a_start_repeated_with_a_new_timestamp_is_the_same_charge_which_goes_on(world: World) -> None:
    """Field ruling 2.1: the answer to the first was lost, and this charger stamps each attempt anew."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    tag = await world.tag_of(session_id)
    first = await world.begin(tag)
    world.clock.advance(7)
    again = await world.begin(tag)
    assert (again, (await world.session(session_id)).phase) == (first, "charging")
    world.clock.advance(3600)
    await world.end(again.wire_transaction_id, 16_000)
    await world.app.settler.work_due()
    assert await world.balance() == 297_50
    assert [row["flags"] for row in await world.sql("SELECT flags FROM evpower.ocpp_transactions")] == [
        ["start_repeated"]
    ]


async def test_a_cards_start_repeated_with_a_new_timestamp_is_paid_once(world: World) -> None:
    """Field ruling 2.1, duty 27: the tag in any writing, with readings in between."""
    await world.give(500_00)
    await give_card(world)
    first = await world.begin(CARD)
    world.clock.advance(600)
    await world.meter(first.wire_transaction_id, 3_000)
    again = await world.begin(IdTag(CARD.lower()))
    assert again.wire_transaction_id == first.wire_transaction_id
    world.clock.advance(3000)
    await world.end(first.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    assert (await amounts(world), await world.balance()) == ([135], 365_00)


async def test_a_start_with_another_register_is_another_charge(world: World) -> None:
    """Field ruling 2.1 wants all three equal: energy that flowed in between makes a charge of its own."""
    await world.give(500_00)
    await give_card(world)
    first = await world.begin(CARD)
    world.clock.advance(600)
    again = await world.begin(CARD, meter_wh=2_000)
    assert (again.wire_transaction_id != first.wire_transaction_id, again.verdict.status) == (True, "Accepted")


async def test_a_refused_start_with_a_new_timestamp_is_asked_anew(world: World) -> None:
    """Field ruling 2.1 is about the running charge: a driver who has topped up meanwhile is not refused for ever."""
    await world.give(9_99)
    await give_card(world)
    assert (await world.begin(CARD)).verdict.status == "Blocked"
    await world.give(500_00, key="topped up")
    world.clock.advance(60)
    assert (await world.begin(CARD)).verdict.status == "Accepted"


async def test_a_start_with_the_words_of_an_ended_one_is_another_charge(world: World) -> None:
    """Field ruling 2.2: no battery clock and a register for each charge; the phone's tag is the same each time."""
    await world.give(5000_00)
    await world.sql("UPDATE clients SET phone = %s", PHONE)
    for _ in range(2):
        session_id = (await world.order(energy_wh=20_000)).session.session_id
        begun = await start(world, await world.tag_of(session_id), NEVER_SET)
        world.clock.advance(3600)
        await stop(world, begun.wire_transaction_id, 5_000, NEVER_SET + HOUR)
        await world.say("Available")
        world.clock.advance(3600)
        await world.app.recovery.check()
    assert await amounts(world) == [67.5, 67.5]


async def test_a_start_with_the_words_of_a_charge_that_was_settled_without_its_stop_is_another_one(
    world: World,
) -> None:
    """Field ruling 2.2: stopped by the operator while the charger was away, whose transaction therefore still runs."""
    await world.give(5000_00)
    await world.sql("UPDATE clients SET phone = %s", PHONE)
    first = (await world.order(energy_wh=20_000)).session.session_id
    lost = await start(world, PHONE, NEVER_SET)
    await world.app.charging.stop_session(first, caller=None, actor="operator")
    await world.say("Available")
    second = (await world.order(energy_wh=20_000)).session.session_id
    begun = await start(world, PHONE, NEVER_SET)
    assert begun.wire_transaction_id != lost.wire_transaction_id
    assert (await world.session(second)).wire_transaction_id == begun.wire_transaction_id


async def test_a_cards_queued_start_leaves_alone_what_its_client_reserved_since(world: World) -> None:
    """Field ruling 2.2: a reservation that was made after a card's charge began is not that charge's own."""
    await world.give(5000_00)
    await give_card(world)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await start(world, CARD, world.clock.now() - HOUR, connector=TWO)
    assert begun.verdict.status == "Accepted"
    assert (await world.session(session_id)).phase == "starting"


async def test_a_replayed_start_does_not_use_a_reservation_at_another_connector(world: World) -> None:
    """Field ruling 2.2: its own reservation is the one of its connector."""
    await world.give(5000_00)
    await world.sql("UPDATE clients SET phone = %s", PHONE)
    await world.order(energy_wh=1_000)
    first = await start(world, PHONE, NEVER_SET)
    await stop(world, first.wire_transaction_id, 500, NEVER_SET + HOUR)
    await world.say("Available")
    elsewhere = (await world.order(energy_wh=1_000, connector=TWO)).session.session_id
    assert (await start(world, PHONE, NEVER_SET)).wire_transaction_id == first.wire_transaction_id
    assert (await world.session(elsewhere)).phase == "starting"


async def test_one_start_on_two_sockets_of_a_station_is_one_charge(world: World) -> None:
    """Duty 21: the charger's old socket is not yet known to be dead when it repeats the start on its new one."""
    await world.give(500_00)
    await give_card(world)
    begun: list[BegunTransaction] = []
    async with trio.open_nursery() as sockets:
        for seconds in range(4):
            sockets.start_soon(report, world, world.clock.now() + timedelta(seconds=seconds), begun)
    assert len({each.wire_transaction_id for each in begun}) == 1
    assert len(await world.sql("SELECT id FROM evpower.ocpp_transactions")) == 1
    assert await world.statement() == [("charge_reserve", -200, 300)]


async def test_a_start_that_is_begun_on_the_other_socket_meanwhile_is_not_ended_as_an_older_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Duty 21: one is asked whether it is a repeat; before it looks for what still runs, the other one has begun."""
    await world.give(500_00)
    await give_card(world)
    begun: list[BegunTransaction] = []
    async with trio.open_nursery() as sockets:

        async def read_once_the_other_began(*arguments: Any) -> Any:
            monkeypatch.setattr("evpower.charging.beginnings.read_id_tag", read_id_tag)
            sockets.start_soon(report, world, world.clock.now(), begun)
            while not (begun or await world.sql(BLOCKED)):  # noqa: ASYNC110 - PostgreSQL has no event
                await trio.sleep(0.01)
            return await read_id_tag(*arguments)

        monkeypatch.setattr("evpower.charging.beginnings.read_id_tag", read_once_the_other_began)
        sockets.start_soon(report, world, world.clock.now() + timedelta(seconds=1), begun)
    assert len({each.wire_transaction_id for each in begun}) == 1
    assert await world.statement() == [("charge_reserve", -200, 300)]
