"""What starts make of reservations: the holder's, and everybody else's (roadmap/reservations §3, §4; row 13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import trio

from evpower.billing.errors import InsufficientBalance
from evpower.charging.errors import SessionFailed
from evpower.charging.transaction import TransactionStart
from evpower.db.unit_of_work import reading
from evpower.errors import Refusal
from evpower.identifiers import IdTag
from evpower.link.ports import Outcome
from evpower.network.spots.errors import ConnectorOccupied
from evpower.reservations.rows.reservations import no_shows
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World
from tests.worlds.events import EventWorld
from tests.worlds.reservations import OTHER, ParkingLot

MINE, ANOTHERS = IdTag("CARD-1"), IdTag("CARD-2")


async def give_cards(lot: ParkingLot, tyiyn: int = 300_00) -> None:
    """Each client has a card and 300 som, or so much."""
    for client, card in ((CLIENT, MINE), (OTHER, ANOTHERS)):
        await lot.give(tyiyn, client)
        await lot.sql(
            "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)"
            " VALUES (%s, 'Accepted', %s, '2026-11-23')",
            card,
            client,
        )


VERSIONS: dict[str, Callable[[World], World]] = {"1.6": lambda world: world, "2.0.1": EventWorld}


@pytest.mark.parametrize("version", VERSIONS)
async def test_13_a_foreign_card_is_blocked_and_stopped_and_the_reservation_lives(
    lot: ParkingLot, version: str
) -> None:
    await give_cards(lot)
    made, charger = await lot.reserve(), VERSIONS[version](lot)
    begun = await charger.begin(ANOTHERS)
    assert begun.verdict.status == "Blocked"
    lot.clock.advance(30)
    await charger.meter(begun.wire_transaction_id, 1500, power_w=7000)
    with trio.fail_after(5):
        await lot.link.stop_asked.wait()
    assert lot.link.stopped == [(STATION, begun.wire_transaction_id)]
    assert (await lot.read(made)).record.status == "reserved"
    assert await lot.statement(OTHER) == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_holders_card_uses_it_with_its_start_and_not_with_an_authorize(lot: ParkingLot, version: str) -> None:
    await give_cards(lot)
    made = await lot.reserve()
    lot.clock.advance(3 * 60)
    assert (await lot.app.reports.authorize(STATION, MINE)).status == "Accepted"
    assert (await lot.read(made)).record.status == "reserved"
    assert (await VERSIONS[version](lot).begin(MINE)).verdict.status == "Accepted"
    used = (await lot.read(made)).record
    assert (used.status, used.fee_tyiyn) == ("fulfilled", 3_00)
    assert [line[:2] for line in await lot.statement()] == [
        ("reservation_hold", -65.0),
        ("reservation_release", 62.0),
        ("charge_reserve", -200.0),
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_card_whose_money_does_not_reach_leaves_the_reservation_as_it_was(
    lot: ParkingLot, version: str
) -> None:
    """Of 15 held there are 8 after seven minutes, and a start needs 10: it is refused, and its energy is written."""
    await lot.sql("UPDATE tariff_rules SET price = 0 WHERE id = 'P-n'")
    await give_cards(lot, 15_00)
    made, charger = await lot.reserve(), VERSIONS[version](lot)
    lot.clock.advance(7 * 60)
    assert (await lot.app.reports.authorize(STATION, MINE)).status == "Blocked"
    begun = await charger.begin(MINE)
    assert begun.verdict.status == "Blocked"
    assert (await lot.read(made)).record.status == "reserved"
    assert (await lot.held(), lot.app.reservations.ends.ends) == (15_00, {})
    assert await lot.sql("SELECT wire_transaction_id AS id, verdict FROM evpower.ocpp_transactions") == [
        {"id": begun.wire_transaction_id, "verdict": "Blocked"}
    ]


async def test_what_a_card_would_release_counts_when_it_is_presented(lot: ParkingLot) -> None:
    """All the money is held: the station would not begin, and its holder would pay for not coming."""
    await give_cards(lot, 65_00)
    await lot.reserve()
    assert (await lot.app.reports.authorize(STATION, MINE)).status == "Accepted"
    assert (await lot.begin(MINE)).verdict.status == "Accepted"


async def test_what_a_card_would_release_pays_a_debt_before_it_counts(lot: ParkingLot) -> None:
    """Else the station would begin, and its start be refused."""
    await give_cards(lot, 200_00)
    await lot.reserve()
    await owe(lot, 10_000, 20_000)
    assert (await lot.app.reports.authorize(STATION, MINE)).status == "Blocked"
    assert (await lot.begin(MINE)).verdict.status == "Blocked"


async def test_what_is_held_elsewhere_or_for_later_does_not_count(lot: ParkingLot) -> None:
    await give_cards(lot, 65_00)
    await lot.reserve(after_s=3600)
    assert (await lot.app.reports.authorize(STATION, MINE)).status == "Blocked"


@pytest.mark.parametrize(("began_s", "status", "fee"), [(7 * 60 + 20, "fulfilled", 7_00), (-60, "reserved", None)])
async def test_a_start_of_the_holders_card_that_comes_late_uses_it_as_of_its_own_time(
    lot: ParkingLot, began_s: int, status: str, fee: int | None
) -> None:
    """The station was away when he came; what began before he reserved is no use of it."""
    await give_cards(lot)
    made = await lot.reserve()
    began_at = lot.clock.now() + timedelta(seconds=began_s)
    lot.clock.advance(12 * 60)
    start = TransactionStart(ONE, MINE, 1000, began_at, b"{}")
    assert (await lot.app.reports.begin_transaction(STATION, start)).verdict.status == "Accepted"
    used = (await lot.read(made)).record
    assert (used.status, used.fee_tyiyn) == (status, fee)


@pytest.mark.parametrize(
    ("began_s", "fee", "counts"), [(7 * 60 + 20, 7_00, 0), (15 * 60 - 1, 14_00, 0), (15 * 60, 65_00, 1), (-1, 65_00, 1)]
)
async def test_who_came_in_time_has_back_what_was_taken_for_not_coming(
    lot: ParkingLot, began_s: int, fee: int, counts: int
) -> None:
    """The station had no line for a few minutes: its start comes when all that was held has been taken.

    A repeat of that start moves nothing, and the reservation is none of those that block a client.
    """
    await give_cards(lot, 400_00)
    made = await lot.reserve()
    began_at = lot.clock.now() + timedelta(seconds=began_s)
    await lot.work(15 * 60)
    assert (await lot.read(made)).record.fee_tyiyn == 65_00
    lot.clock.advance(600)
    start = TransactionStart(ONE, MINE, 1000, began_at, b"{}")
    for _ in range(2):
        assert (await lot.app.reports.begin_transaction(STATION, start)).verdict.status == "Accepted"
    record = (await lot.read(made)).record
    assert (record.status, record.fee_tyiyn, record.session_id is None) == ("no_show", fee, fee == 65_00)
    returned = [line[1] for line in await lot.statement() if line[0] == "reservation_release"]
    assert returned == ([] if fee == 65_00 else [(65_00 - fee) / 100])
    async with reading(lot.pool) as conn:
        assert len(await no_shows(conn, CLIENT, made.record.created_at)) == counts


async def test_a_late_start_elsewhere_gives_nothing_back(lot: ParkingLot) -> None:
    await give_cards(lot, 400_00)
    made = await lot.reserve()
    began_at = lot.clock.now() + timedelta(minutes=7)
    await lot.work(17 * 60)
    await lot.app.reports.begin_transaction(STATION, TransactionStart(TWO, MINE, 1000, began_at, b"{}"))
    await lot.app.reports.begin_transaction(STATION, TransactionStart(ONE, ANOTHERS, 1000, began_at, b"{}"))
    assert (await lot.read(made)).record.fee_tyiyn == 65_00


async def test_elsewhere_the_holder_begins_an_ordinary_charge(lot: ParkingLot) -> None:
    await give_cards(lot)
    made = await lot.reserve()
    await lot.order(energy_wh=1_000, connector=TWO)
    assert (await lot.read(made)).record.status == "reserved"


async def test_one_of_any_connector_is_used_by_a_phones_start_at_another(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve(connector=None)
    await lot.order(energy_wh=1_000, connector=TWO)
    assert (made.record.connector_id, (await lot.read(made)).record.status) == (ONE, "fulfilled")


async def test_a_refused_start_leaves_the_reservation_as_it_was(lot: ParkingLot) -> None:
    """What it released would have come too late: the unit of work leaves no trace."""
    await lot.give(100_00)
    made = await lot.reserve()
    with pytest.raises(InsufficientBalance):
        await lot.order(energy_wh=20_000)
    assert (await lot.read(made)).record.status == "reserved"
    assert await lot.held() == 65_00


async def test_the_fee_of_a_start_that_the_station_refuses_goes_back_once(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(7 * 60)
    lot.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await lot.order(energy_wh=20_000)
    assert await lot.balance() == 300_00
    used = (await lot.read(made)).record
    assert (used.status, used.returned_at) == ("fulfilled", lot.clock.now())
    assert [line[:2] for line in await lot.statement()][-2:] == [("charge_refund", 270.0), ("reservation_release", 7.0)]
    await lot.work()
    assert lot.asked("CancelReservation") == [{"reservationId": used.wire_id}]


@pytest.mark.parametrize(("status", "balance"), [("Preparing", 293_00), ("Faulted", 300_00)])
async def test_of_a_start_that_is_given_up_the_fee_stays_unless_the_station_is_faulted(
    lot: ParkingLot, status: str, balance: int
) -> None:
    await lot.give(300_00)
    await lot.reserve()
    lot.clock.advance(7 * 60)
    started = await lot.order(energy_wh=20_000)
    await lot.say(status)
    for _ in range(12):
        lot.clock.advance(60)
        await lot.app.recovery.settle_silent()
    assert (await lot.session(started.session.session_id)).status == "error"
    assert await lot.balance() == balance


async def owe(lot: ParkingLot, sold_wh: int, delivered_wh: int) -> None:
    """A charge at the other connector delivers more than it holds, and more than there is."""
    session_id = (await lot.order(energy_wh=sold_wh, connector=TWO)).session.session_id
    await lot.charge(session_id, delivered_wh, connector=TWO)
    assert await lot.balance() == 0


async def test_what_a_reservation_releases_pays_a_debt_first(lot: ParkingLot) -> None:
    """Simulated seed 14280: the rest lay beside the debt until the next top-up."""
    await lot.give(245_00)
    made = await lot.reserve(minutes=60)
    await owe(lot, 10_000, 15_000)
    await lot.cancel(made)
    assert (await lot.statement())[-2:] == [("reservation_release", 70.0, 70.0), ("charge_payment", -67.5, 2.5)]


async def test_a_fee_that_goes_back_pays_a_debt_first(lot: ParkingLot) -> None:
    await lot.give(500_00)
    await lot.reserve()
    lot.clock.advance(7 * 60)
    await lot.order(energy_wh=20_000)
    await owe(lot, 10_000, 60_000)
    await lot.say("Faulted")
    for _ in range(12):
        lot.clock.advance(60)
        await lot.app.recovery.settle_silent()
    assert [line[:2] for line in await lot.statement()][-4:] == [
        ("charge_refund", 270.0),
        ("charge_payment", -270.0),
        ("reservation_release", 7.0),
        ("charge_payment", -7.0),
    ]


async def test_the_loser_of_a_race_with_the_end_begins_an_ordinary_charge(lot: ParkingLot) -> None:
    """Expiry was first: the start finds an ended reservation, and pays for itself alone."""
    await lot.give(400_00)
    made = await lot.reserve()
    await lot.work(15 * 60)
    await lot.order(energy_wh=20_000)
    assert (await lot.read(made)).record.status == "no_show"
    assert await lot.balance() == 400_00 - 65_00 - 270_00


async def test_a_start_that_is_before_the_end_is_noted_uses_it(lot: ParkingLot) -> None:
    await lot.give(400_00)
    made = await lot.reserve()
    lot.clock.advance(15 * 60 + 1)
    await lot.order(energy_wh=20_000)
    used = (await lot.read(made)).record
    assert (used.status, used.fee_tyiyn) == ("fulfilled", 15_00)


async def test_giving_up_what_is_over_is_no_way_around_its_fee(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(15 * 60)
    ended, _ = await lot.cancel(made)
    assert (ended.record.status, ended.record.fee_tyiyn) == ("no_show", 65_00)


async def test_giving_up_what_is_over_is_free_where_the_station_was_away(lot: ParkingLot) -> None:
    """Whoever is first, the driver or the worker: nobody could have begun there."""
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.sql("UPDATE stations SET last_heartbeat_at = %s", lot.clock.now())
    lot.link.connected.clear()
    lot.clock.advance(15 * 60)
    ended, was_over = await lot.cancel(made)
    assert (ended.record.status, ended.record.canceled_by, ended.record.fee_tyiyn) == ("canceled", "system", 0)
    assert not was_over


async def test_a_start_and_a_reservation_of_one_connector_at_once(lot: ParkingLot) -> None:
    """One of them gets it, whichever is first."""
    await give_cards(lot)
    won: list[str] = []

    async def reserve() -> None:
        try:
            await lot.reserve()
            won.append("reservation")
        except ConnectorOccupied:
            pass

    async def start() -> None:
        try:
            await lot.order(energy_wh=1_000, client=OTHER)
            won.append("start")
        except ConnectorOccupied:
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reserve)
        nursery.start_soon(start)
    assert len(won) == 1


@pytest.mark.parametrize(("times", "refused"), [(2, False), (3, True)])
async def test_three_that_were_not_used_end_it_for_a_week(lot: ParkingLot, times: int, refused: bool) -> None:
    await lot.give(1000_00)
    for _ in range(times):
        await lot.reserve(minutes=5)
        await lot.work(5 * 60)
    if refused:
        with pytest.raises(Refusal) as blocked:
            await lot.reserve()
        assert (blocked.value.code, blocked.value.details["reason"]) == ("charging_limit_exceeded", "no_show_block")
        lot.clock.advance(7 * 86_400)
    assert (await lot.reserve()).record.status == "reserved"


async def test_a_client_has_one_at_a_time_and_blocked_clients_none(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.reserve()
    with pytest.raises(Refusal) as refused:
        await lot.reserve(connector=TWO)
    assert refused.value.details["reason"] == "too_many_reservations"
    await lot.give(300_00, OTHER)
    await lot.sql("UPDATE clients SET status = 'blocked' WHERE id = %s", OTHER)
    with pytest.raises(Refusal) as blocked:
        await lot.reserve(connector=TWO, client=OTHER)
    assert blocked.value.code == "client_blocked"


@pytest.mark.parametrize("names_it", [True, False])
async def test_a_station_of_2_0_1_names_the_reservation_that_its_driver_used(lot: ParkingLot, names_it: bool) -> None:
    """After the number of the start, before EVSE and token (contract ocpp201 §3): this token is one we do not know."""
    await give_cards(lot)
    made = await lot.reserve()
    ordered = await lot.order(energy_wh=5_000)
    charger = EventWorld(lot)
    facts = {"reservation_id": made.record.wire_id} if names_it else {}
    event = charger.event(charger.new_id(), "Started", 1_000, id_tag=IdTag("READ-BY-THE-CAR"), **facts)
    answer = await charger.tell(event)
    assert answer.verdict is not None
    assert answer.verdict.status == ("Accepted" if names_it else "Invalid")
    assert (await lot.session(ordered.session.session_id)).phase == ("charging" if names_it else "starting")


async def test_the_number_of_the_start_goes_before_that_of_a_reservation(lot: ParkingLot) -> None:
    await give_cards(lot)
    made = await lot.reserve()
    kept = await lot.order(energy_wh=5_000)
    other = await lot.order(energy_wh=5_000, client=OTHER, connector=TWO)
    charger = EventWorld(lot)
    number = lot.link.start_ids[-1]
    facts = {"reservation_id": made.record.wire_id, "remote_start_id": number, "connector_id": TWO}
    await charger.tell(charger.event(charger.new_id(), "Started", 1_000, **facts))
    phases = [(await lot.session(each.session.session_id)).phase for each in (kept, other)]
    assert phases == ["starting", "charging"]
