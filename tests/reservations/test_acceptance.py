"""The table of roadmap/reservations §8; its rows 11 and 13 have files of their own."""

from __future__ import annotations

import pytest
import trio

from evpower.billing.errors import InsufficientBalance
from evpower.errors import Refusal
from evpower.network.spots.errors import ConnectorOccupied
from tests.worlds.charging import CLIENT, STATION
from tests.worlds.reservations import OTHER, ParkingLot

HOLD = ("reservation_hold", -65.0, 235.0)


async def test_1_a_reservation_holds_what_it_can_cost(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = (await lot.reserve()).record
    assert (made.status, made.guaranteed, made.hold_tyiyn) == ("reserved", True, 65_00)
    assert await lot.statement() == [HOLD]
    assert await lot.balance() == 235_00


async def test_2_and_3_what_a_start_releases_pays_for_the_charge(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.say("Reserved")
    lot.clock.advance(7 * 60 + 20)
    started = await lot.order(energy_wh=20_000)
    assert await lot.statement() == [HOLD, ("reservation_release", 58.0, 293.0), ("charge_reserve", -270.0, 23.0)]
    used = (await lot.read(made)).record
    assert (used.status, used.fee_tyiyn, used.session_id) == ("fulfilled", 7_00, started.session.session_id)
    fees = await lot.sql("SELECT sum(amount_tyiyn)::int AS fees FROM evpower.ledger_postings WHERE account = 'fees'")
    assert fees == [{"fees": 7_00}]


async def test_4_it_is_free_to_cancel_within_five_minutes(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(3 * 60)
    ended, was_over = await lot.cancel(made)
    assert (ended.record.status, ended.record.canceled_by, ended.record.fee_tyiyn) == ("canceled", "driver", 0)
    assert await lot.statement() == [HOLD, ("reservation_release", 65.0, 300.0)]
    assert not was_over


async def test_5_later_each_whole_minute_costs_and_a_repeat_shows_the_same(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(9 * 60 + 59)
    ended, _ = await lot.cancel(made)
    lot.clock.advance(60)
    assert await lot.cancel(made) == (ended, True)
    assert ended.record.fee_tyiyn == 9_00
    assert await lot.statement() == [HOLD, ("reservation_release", 56.0, 291.0)]


async def test_6_who_does_not_come_pays_all_that_was_held(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.work(15 * 60 - 1)
    assert (await lot.read(made)).record.status == "reserved"
    await lot.work(1)
    ended = (await lot.read(made)).record
    assert (ended.status, ended.fee_tyiyn) == ("no_show", 65_00)
    assert await lot.statement() == [HOLD]
    assert await lot.balance() == 235_00


async def test_7_nothing_is_written_for_who_has_too_little(lot: ParkingLot) -> None:
    await lot.give(64_99)
    with pytest.raises(InsufficientBalance) as refused:
        await lot.reserve()
    assert refused.value.details["required_amount"] == 65
    assert await lot.sql("SELECT id FROM evpower.reservations") == []
    assert await lot.statement() == []
    assert lot.asked("ReserveNow") == []


async def test_8_what_the_station_refuses_is_released(lot: ParkingLot) -> None:
    await lot.give(300_00)
    lot.link.replies["ReserveNow"] = {"status": "Occupied"}
    with pytest.raises(ConnectorOccupied):
        await lot.reserve()
    assert await lot.statement() == [HOLD, ("reservation_release", 65.0, 300.0)]
    assert await lot.sql("SELECT status, is_blocking FROM evpower.reservations") == [
        {"status": "rejected", "is_blocking": False}
    ]


async def test_9_a_station_that_goes_away_keeps_nothing(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.sql("UPDATE stations SET last_heartbeat_at = %s", lot.clock.now())
    lot.clock.advance(60)
    lot.link.connected.clear()
    await lot.work(240)  # silent for exactly 300 s: still there
    assert (await lot.read(made)).record.status == "reserved"
    await lot.work(1)
    ended = (await lot.read(made)).record
    assert (ended.status, ended.canceled_by, ended.fee_tyiyn) == ("canceled", "system", 0)
    assert await lot.balance() == 300_00


async def test_10_of_two_at_once_one_gets_the_connector(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    refused: list[Refusal] = []

    async def reserve(client: str) -> None:
        try:
            await lot.reserve(client=CLIENT if client == "a" else OTHER)
        except Refusal as refusal:
            refused.append(refusal)

    async with trio.open_nursery() as nursery:
        for client in "ab":
            nursery.start_soon(reserve, client)
    assert [refusal.code for refusal in refused] == ["connector_occupied"]
    assert refused[0].details == {"connector_status": "Reserved", "reserved_from": None}
    assert await lot.held() == 65_00


async def test_12_where_it_costs_nothing_no_money_moves(lot: ParkingLot) -> None:
    await lot.sql("DELETE FROM tariff_rules")
    made = await lot.reserve()
    assert (made.record.status, made.record.hold_tyiyn) == ("reserved", 0)
    await lot.work(15 * 60)
    assert (await lot.read(made)).record.status == "no_show"
    assert await lot.sql("SELECT id FROM evpower.ledger_entries") == []


async def test_others_see_it_reserved_and_not_whose_it_is(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    await lot.reserve()
    page = await lot.app.station_pages.station(STATION)
    first, second = page.station.connectors
    assert (first.ocpp_status, first.status, first.socket_status) == ("Reserved", "occupied", "Occupied")
    assert (second.ocpp_status, second.status) == ("Available", "available")
    with pytest.raises(ConnectorOccupied) as refused:
        await lot.order(energy_wh=1000, client=OTHER)
    assert refused.value.details == {"connector_status": "Reserved", "reserved_from": None}
    assert await lot.statement(OTHER) == []
