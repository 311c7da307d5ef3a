"""Transactions of OCPP 2.0.1: each event once, by its number, and billed from the first token with a register
(contract/ocpp201 §3 and §8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.charging.session import SessionView
from evpower.identifiers import IdTag, SessionId
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, ONE, STATION, World
from tests.worlds.events import EventWorld


@pytest.fixture
def charger(world: World) -> EventWorld:
    return EventWorld(world)


async def ordered(charger: EventWorld, energy_wh: int | None = 20_000) -> tuple[SessionId, IdTag]:
    await charger.give(500_00)
    session_id = (await charger.order(energy_wh=energy_wh)).session.session_id
    return session_id, await charger.tag_of(session_id)


async def bill(charger: EventWorld, session_id: SessionId) -> SessionView:
    await charger.app.settler.work_due()
    return await charger.session(session_id)


async def test_an_update_overtaken_by_its_successor_and_an_end_five_times_are_one_bill(charger: EventWorld) -> None:
    """Acceptance 2."""
    session_id, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    await charger.tell(charger.event(wire_id, "Updated", 6_000, seq_no=1))
    late = charger.event(wire_id, "Updated", 8_000, seq_no=2)
    charger.clock.advance(600)
    await charger.tell(charger.event(wire_id, "Updated", 9_000, seq_no=3))
    await charger.tell(late)
    end = charger.event(wire_id, "Ended", 11_000, seq_no=4)
    answers = [await charger.tell(end) for _ in range(5)]
    assert len({repr(answer) for answer in answers}) == 1
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00
    assert await charger.sql("SELECT count(*) AS n FROM evpower.ocpp_transactions") == [{"n": 1}]
    assert await charger.kept_numbers() == [0, 1, 2, 3, 4]
    assert await charger.statement() == [("charge_reserve", -270, 230), ("charge_refund", 135, 365)]


async def test_an_end_before_its_predecessors_waits_for_them(charger: EventWorld) -> None:
    session_id, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    before = charger.event(wire_id, "Updated", 9_000, seq_no=1)
    await charger.tell(charger.event(wire_id, "Ended", 11_000, seq_no=2))
    assert (await bill(charger, session_id)).status == "started"
    await charger.tell(before)
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00


async def test_ten_minutes_after_an_end_it_is_billed_without_what_is_missing(charger: EventWorld) -> None:
    session_id, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    missing = charger.event(wire_id, "Updated", 9_000, seq_no=1)
    await charger.tell(charger.event(wire_id, "Ended", 11_000, seq_no=2))
    charger.clock.advance(599)
    await charger.app.transactions.apply_overdue()
    assert (await bill(charger, session_id)).status == "started"
    charger.clock.advance(1)
    await charger.app.transactions.apply_overdue()
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00
    await charger.tell(missing)  # evidence
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00


async def test_an_offline_charge_in_one_burst_is_one_session_by_the_chargers_times(charger: EventWorld) -> None:
    """Acceptance 3: a card's, delivered three hours later."""
    await charger.give(500_00)
    await give_card(charger)
    wire_id = charger.new_id()
    began = charger.clock.now()
    charger.clock.advance(1800)
    ended = charger.clock.now()
    charger.clock.advance(3 * 3600)
    start = charger.event(wire_id, "Started", 1_000, id_tag=CARD, occurred_at=began, offline=True)
    middle = charger.event(wire_id, "Updated", 5_000, occurred_at=began + timedelta(minutes=15), offline=True)
    end = charger.event(wire_id, "Ended", 11_000, occurred_at=ended, offline=True)
    for event in (start, middle, end):
        await charger.tell(event)
    await charger.app.settler.work_due()
    (session,) = await charger.sql("SELECT id, start_time, amount FROM charging_sessions")
    (charge,) = await charger.sql("SELECT started_at, stopped_at, offline, ocpp_version FROM evpower.ocpp_transactions")
    assert (session["start_time"], float(session["amount"])) == (began, 135.0)
    assert charge == {"started_at": began, "stopped_at": ended, "offline": True, "ocpp_version": "2.0.1"}


async def test_cable_first_is_billed_from_the_tokens_register(charger: EventWorld) -> None:
    """Acceptance 4: the token comes two minutes later."""
    session_id, tag = await ordered(charger)
    wire_id = charger.new_id()
    await charger.tell(charger.event(wire_id, "Started", 1_000, charging_state="EVConnected"))
    assert (await charger.session(session_id)).phase != "charging"
    charger.clock.advance(120)
    answer = await charger.tell(charger.event(wire_id, "Updated", 1_500, id_tag=tag))
    assert answer.verdict is not None
    assert answer.verdict.status == "Accepted"
    view = await charger.session(session_id)
    assert (view.phase, view.meter_start_wh, view.energy_wh) == ("charging", 1_500, 0)
    charger.clock.advance(1800)
    await charger.end(wire_id, 11_500)
    settled = await bill(charger, session_id)
    assert (settled.cost_tyiyn, settled.energy_wh) == (135_00, 10_000)


async def test_a_token_without_a_register_waits_for_the_first_one(charger: EventWorld) -> None:
    session_id, tag = await ordered(charger)
    wire_id = charger.new_id()
    await charger.tell(charger.event(wire_id, "Started", id_tag=tag))
    assert (await charger.session(session_id)).wire_transaction_id is None
    charger.clock.advance(30)
    await charger.meter(wire_id, 2_000)
    view = await charger.session(session_id)
    assert (view.phase, view.meter_start_wh) == ("charging", 2_000)


async def test_a_transaction_of_another_token_finds_the_session_by_the_number_of_its_start(
    charger: EventWorld,
) -> None:
    session_id, _ = await ordered(charger)
    (number,) = charger.link.start_ids
    await charger.tell(charger.event(charger.new_id(), "Started", 1_000, remote_start_id=number))
    assert (await charger.session(session_id)).phase == "charging"


async def test_energy_of_a_transaction_without_a_token_is_listed_and_billed_to_nobody(charger: EventWorld) -> None:
    wire_id = charger.new_id()
    await charger.tell(charger.event(wire_id, "Started", 1_000))
    charger.clock.advance(1800)
    await charger.meter(wire_id, 4_000)
    await charger.end(wire_id, 5_000)
    (charge,) = await charger.sql("SELECT verdict, meter_start_wh, meter_last_wh FROM evpower.ocpp_transactions")
    assert charge == {"verdict": "Invalid", "meter_start_wh": 1_000, "meter_last_wh": 5_000}
    assert await charger.sql("SELECT id FROM charging_sessions") == []


async def test_a_refused_token_is_stopped_and_another_one_begins(charger: EventWorld) -> None:
    session_id, tag = await ordered(charger)
    wire_id = charger.new_id()
    answer = await charger.tell(charger.event(wire_id, "Started", 1_000, id_tag=IdTag("STRANGER"), connector_id=ONE))
    assert answer.verdict is not None
    assert answer.verdict.status == "Invalid"
    await charger.at_rest()
    assert charger.link.stopped == [(STATION, wire_id)]
    answer = await charger.tell(charger.event(wire_id, "Updated", 1_100, id_tag=tag))
    assert answer.verdict is not None
    assert answer.verdict.status == "Accepted"
    assert (await charger.session(session_id)).meter_start_wh == 1_100


async def test_an_event_of_a_settled_session_is_answered_and_moves_no_money(charger: EventWorld) -> None:
    """Acceptance 9."""
    session_id, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    await charger.end(wire_id, 11_000)
    before = await bill(charger, session_id)
    await charger.tell(charger.event(wire_id, "Updated", 15_000))
    await charger.tell(charger.event(wire_id, "Ended", 16_000))
    assert (await bill(charger, session_id)).cost_tyiyn == before.cost_tyiyn
    assert await charger.kept_numbers() == [0, 1, 2, 3]
    assert (await charger.app.billing.balance(CLIENT)).debt_tyiyn == 0


async def test_an_end_that_is_lost_is_billed_by_the_last_reading_and_corrected_when_it_comes(
    charger: EventWorld,
) -> None:
    session_id, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    await charger.meter(wire_id, 9_000)
    assert await charger.app.reports.unended_transactions(STATION) == [wire_id]
    await charger.app.reports.transaction_lost(STATION, wire_id)
    view = await bill(charger, session_id)
    assert (view.estimated, view.cost_tyiyn) == (True, 108_00)
    assert await charger.app.reports.unended_transactions(STATION) == []
    await charger.end(wire_id, 11_000)
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00


async def test_a_limit_stops_a_transaction_of_events(charger: EventWorld) -> None:
    _, tag = await ordered(charger, energy_wh=10_000)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(1800)
    await charger.meter(wire_id, 11_000)
    await charger.at_rest()
    assert charger.link.stopped == [(STATION, wire_id)]


async def test_a_first_event_with_another_number_is_the_first(charger: EventWorld) -> None:
    """Some stations count on from transaction to transaction."""
    session_id, tag = await ordered(charger)
    wire_id = charger.new_id()
    await charger.tell(charger.event(wire_id, "Started", 1_000, id_tag=tag, seq_no=7))
    charger.clock.advance(1800)
    await charger.tell(charger.event(wire_id, "Ended", 11_000, seq_no=8))
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00


async def test_a_start_that_comes_after_its_end_is_billed(charger: EventWorld) -> None:
    """The end was passed over ten minutes; its beginning names who pays."""
    session_id, tag = await ordered(charger)
    wire_id = charger.new_id()
    start = charger.event(wire_id, "Started", 1_000, id_tag=tag)
    charger.clock.advance(1800)
    await charger.tell(charger.event(wire_id, "Ended", 11_000))
    charger.clock.advance(600)
    await charger.app.transactions.apply_overdue()
    await charger.tell(start)
    assert (await bill(charger, session_id)).cost_tyiyn == 135_00


async def test_another_event_under_a_number_that_is_taken_is_kept_for_a_person(charger: EventWorld) -> None:
    _, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(60)
    await charger.tell(charger.event(wire_id, "Ended", 2_000, seq_no=0))
    (parked,) = await charger.sql("SELECT action, reason FROM evpower.ocpp_parked")
    assert parked == {"action": "TransactionEvent", "reason": "another event under this seqNo"}


async def test_a_reading_in_its_order_that_is_repeated_is_kept_once(charger: EventWorld) -> None:
    """Its row of readings is the event; what is queued in front of it is repeated with it."""
    _, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(60)
    readings = [charger.event(wire_id, "Updated", register_wh, offline=True) for register_wh in (1_500, 1_600)]
    for event in (*readings, *readings):
        await charger.tell(event)
    assert await charger.sql("SELECT seq_no, energy_wh, offline FROM evpower.ocpp_meter_values ORDER BY seq_no") == [
        {"seq_no": 1, "energy_wh": 1_500, "offline": True},
        {"seq_no": 2, "energy_wh": 1_600, "offline": True},
        {"seq_no": None, "energy_wh": 1_000, "offline": None},  # of the start, which has a row of its own
    ]
    assert await charger.kept_numbers() == [0, 1, 2]
    assert await charger.sql("SELECT FROM evpower.ocpp_parked") == []


async def test_another_event_under_the_number_of_a_reading_is_kept_for_a_person(charger: EventWorld) -> None:
    _, tag = await ordered(charger)
    wire_id = (await charger.begin(tag)).wire_transaction_id
    charger.clock.advance(60)
    await charger.meter(wire_id, 1_500)
    charger.clock.advance(60)
    await charger.tell(charger.event(wire_id, "Updated", 1_700, seq_no=1))
    (parked,) = await charger.sql("SELECT action, reason FROM evpower.ocpp_parked")
    assert parked == {"action": "TransactionEvent", "reason": "another event under this seqNo"}
    assert await charger.kept_numbers() == [0, 1]


async def test_a_station_that_is_upgraded_between_two_charges_is_the_same_station(
    world: World, charger: EventWorld
) -> None:
    """Acceptance 8."""
    first, tag = await ordered(charger)
    begun = await world.begin(tag)  # with 1.6
    world.clock.advance(1800)
    await world.end(begun.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    second = (await charger.order(energy_wh=20_000)).session.session_id
    await charger.charge(second, 10_000)
    figures = [await charger.session(each) for each in (first, second)]
    assert [(each.cost_tyiyn, each.station_id, each.estimated) for each in figures] == [(135_00, STATION, False)] * 2
    versions = await charger.sql("SELECT ocpp_version AS version FROM evpower.ocpp_transactions ORDER BY id")
    assert [each["version"] for each in versions] == ["1.6", "2.0.1"]
