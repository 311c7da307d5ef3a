"""Smart-charging §6: a plan whose charges are billed by the rate of each hour, over the whole application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evpower.administration.records import ChargeRecord, Page
from evpower.administration.rows.charges import ChargeFilter
from evpower.billing.rates import ScheduledRate
from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.history.bill_evidence import BillEvidence, Evidence
from evpower.history.documents import Documents
from evpower.http.phones.shapes import started_body, status_body
from evpower.identifiers import SessionId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from evpower.settings.config import Config
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, ONE, STATION, World

PLAN = """
INSERT INTO tariff_plans (id, name, billing_mode) VALUES ('P', 'day and night', 'segments');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, time_start, time_end)
VALUES ('N', 'P', 'night', 'per_kwh', 9, '23:00', '07:00');
UPDATE stations SET tariff_plan_id = 'P'
"""
#: 22:00 in Bishkek; no rule of the plan holds, so it is 13.5 until 23:00.
EVENING = datetime(2026, 11, 23, 16, tzinfo=UTC)
ELEVEN = EVENING + timedelta(hours=1)
SEVEN = ELEVEN + timedelta(hours=8)
SCHEDULE = [
    {"from": "2026-11-23T16:00:00.000000Z", "rate_per_kwh": 13.5},
    {"from": "2026-11-23T17:00:00.000000Z", "rate_per_kwh": 9},
    {"from": "2026-11-24T01:00:00.000000Z", "rate_per_kwh": 13.5},
]


@pytest.fixture
async def evening(world: World) -> World:
    """Ten o'clock, a plan that is cheaper from eleven on, a client with 500 som."""
    await world.sql(PLAN)
    world.clock.time = EVENING
    await world.give(500_00)
    return world


async def charge_over_eleven(world: World, session_id: SessionId) -> WireTransactionId:
    """4.29 kWh half a minute before eleven, 4.31 half a minute after it, 5.4 at the end."""
    begun = await world.begin(await world.tag_of(session_id))
    for minutes, register_wh in ((59.5, 5_290), (60.5, 5_310)):
        world.clock.time = EVENING + timedelta(minutes=minutes)
        await world.meter(begun.wire_transaction_id, register_wh, power_w=1_200)
    world.clock.time = EVENING + timedelta(minutes=80)
    await world.end(begun.wire_transaction_id, 6_400)
    return begun.wire_transaction_id


async def bill(world: World, session_id: SessionId) -> BillEvidence:
    """What is due is done, and what the bill is recomputed from."""
    await world.app.settler.work_due()
    return await Evidence(world.pool).of(CLIENT, session_id)


def soon(planned_at: datetime | None) -> datetime | None:
    """To the minute: the test's own time goes on while the world's is set."""
    return planned_at and (planned_at + timedelta(seconds=30)).replace(second=0, microsecond=0)


def documents(world: World) -> Documents:
    return Documents(world.pool, Config().billing.timezone)


async def listed(world: World) -> ChargeRecord:
    """The one charge, as operators' lists have it."""
    (record,) = (await world.app.charge_views.charges(ChargeFilter(), Page(10, 0))).records
    return record


async def test_acceptance_8_each_hour_is_billed_at_its_own_rate_and_shown_by_all(evening: World) -> None:
    """4.3 kWh at 13.5 and 1.1 at 9: the session, the ledger, the receipt, the evidence and the lists say 67.95."""
    session_id = (await evening.order()).session.session_id
    await charge_over_eleven(evening, session_id)
    evidence = await bill(evening, session_id)
    assert (await evening.session(session_id)).cost_tyiyn == 67_95
    assert (evidence.recomputed_tyiyn, evidence.sold_tyiyn, evidence.equal) == (67_95, 67_95, True)
    (change, *later) = evidence.rate_changes
    assert (change.at, later) == ((ELEVEN, 4_300), [])
    assert change.before == (EVENING + timedelta(minutes=59.5), 4_290)
    assert change.after == (EVENING + timedelta(minutes=60.5), 4_310)
    (receipt,) = await documents(evening).receipts(CLIENT, session_id)
    texts = [line["text"] for line in receipt.content["lines"]]
    assert texts == ["4,3 кВт⋅ч × 13,5 = 58,05", "1,1 кВт⋅ч × 9 = 9,90"]
    assert receipt.content["rate_boundaries"][0]["energy_kwh"] == 4.3
    assert receipt.content["amount"] == 67.95
    assert len(await documents(evening).receipt_pdf(CLIENT, session_id)) > 1000
    assert (await listed(evening)).cost_tyiyn == 67_95


async def test_the_schedule_of_the_next_twelve_hours_is_frozen_with_the_start(evening: World) -> None:
    """In the answer, its replay, the status and the pricing history; what a plan says later is for later starts."""
    started = await evening.order()
    session_id = started.session.session_id
    assert started_body(started)["rate_schedule"] == SCHEDULE
    await evening.sql("UPDATE tariff_rules SET price = 99; UPDATE tariff_plans SET billing_mode = 'snapshot'")
    assert started_body(await evening.app.charging.started_view(session_id))["rate_schedule"] == SCHEDULE
    body = status_body(await evening.session(session_id))
    assert body["rate_schedule"] == body["session"]["rate_schedule"] == SCHEDULE
    (history,) = await evening.sql("SELECT rate_schedule FROM pricing_history")
    assert [each["rate_per_kwh"] for each in history["rate_schedule"]] == [13.5, 9, 13.5]
    await charge_over_eleven(evening, session_id)
    assert (await bill(evening, session_id)).recomputed_tyiyn == 67_95


async def test_a_charge_that_keeps_its_price_has_no_schedule_anywhere(evening: World) -> None:
    await evening.sql("UPDATE tariff_plans SET billing_mode = 'snapshot'")
    started = await evening.order()
    session_id = started.session.session_id
    assert "rate_schedule" not in started_body(started) | status_body(await evening.session(session_id))
    await charge_over_eleven(evening, session_id)
    evidence = await bill(evening, session_id)
    assert (evidence.recomputed_tyiyn, evidence.rate_changes) == (72_90, ())
    (receipt,) = await documents(evening).receipts(CLIENT, session_id)
    assert "rate_boundaries" not in receipt.content


@pytest.mark.parametrize(
    ("energy_wh", "reserved_tyiyn"),
    [(22_000, 198_00), (176_000, 1584_00), (176_001, 2376_01)],
)
async def test_a_hold_is_at_the_highest_rate_that_can_be_reached(
    evening: World, energy_wh: int, reserved_tyiyn: int
) -> None:
    """At eleven, 22 kW: seven o'clock, and 13.5 again, is 176 kWh away."""
    await evening.give(5000_00, key="more")
    evening.clock.time = ELEVEN
    started = await evening.order(energy_wh=energy_wh)
    assert started.session.reserved_tyiyn == reserved_tyiyn


async def test_the_stop_is_planned_at_the_rate_that_will_hold(evening: World) -> None:
    """54 som: 2 kWh at 13.5 by eleven, and then 3 kWh at 9, which is an hour and a half at 2 kW; at 13.5 it would be
    one."""
    started = await evening.order(amount_tyiyn=54_00)
    session_id = started.session.session_id
    begun = await evening.begin(await evening.tag_of(session_id))
    evening.clock.time = ELEVEN - timedelta(minutes=30)
    await evening.meter(begun.wire_transaction_id, 2_000, power_w=2_000)
    assert soon(evening.app.limits.planned_at(session_id)) == ELEVEN + timedelta(hours=1.5)
    prediction = (await evening.session(session_id)).prediction
    assert prediction is not None
    assert (prediction.minutes_left, prediction.cost_tyiyn) == (120, 54_00)
    evening.clock.time = ELEVEN + timedelta(minutes=30)
    await evening.meter(begun.wire_transaction_id, 4_000, power_w=2_000)
    assert soon(evening.app.limits.planned_at(session_id)) == ELEVEN + timedelta(hours=1.5)


async def test_what_is_shown_while_it_charges_is_what_the_readings_make(evening: World) -> None:
    session_id = (await evening.order()).session.session_id
    begun = await evening.begin(await evening.tag_of(session_id))
    for minutes, register_wh, cost_tyiyn in ((59, 5_300, 58_05), (61, 5_300, 58_05), (70, 6_400, 67_95)):
        evening.clock.time = EVENING + timedelta(minutes=minutes)
        await evening.meter(begun.wire_transaction_id, register_wh)
        assert (await evening.session(session_id)).cost_tyiyn == cost_tyiyn
    assert (await listed(evening)).cost_tyiyn == 67_95


async def test_a_stop_days_late_is_corrected_by_the_stations_own_time(evening: World) -> None:
    """Ended by its last reading at ten past ten; two days later the stop of half past eleven comes: linear between the
    two, 1 + 5 kWh at 13.5 and 3 at 9, and a person sees that it is a guess."""
    session_id = (await evening.order()).session.session_id
    begun = await evening.begin(await evening.tag_of(session_id))
    evening.clock.time = EVENING + timedelta(minutes=10)
    await evening.meter(begun.wire_transaction_id, 2_000)
    evening.link.connected.clear()
    await evening.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    assert (await evening.session(session_id)).cost_tyiyn == 13_50
    evening.clock.time = EVENING + timedelta(days=2)
    stop = TransactionStop(
        begun.wire_transaction_id, 10_000, EVENING + timedelta(minutes=90), "Local", None, (), b"{}", "StopTransaction"
    )
    await evening.app.reports.end_transaction(STATION, stop)
    evidence = await bill(evening, session_id)
    assert evidence.charge.amount_tyiyn == 13_50, "a day later nothing more is taken"
    (doubt,) = await evening.sql("SELECT kind, latest_figure, bound FROM evpower.doubts")
    assert doubt == {"kind": "boundary", "latest_figure": 80 * 60, "bound": 900}
    (unbilled,) = await evening.sql("SELECT unbilled_wh, unbilled_tyiyn FROM evpower.session_phases")
    assert unbilled == {"unbilled_wh": 8_000, "unbilled_tyiyn": 5_000 * 1350 // 1000 + 3_000 * 9 // 10}


async def test_a_charge_out_of_a_queue_has_the_rates_of_its_own_hours(evening: World) -> None:
    """A card at ten, all of it delivered the next noon: priced by its own start, divided by its own readings."""
    await give_card(evening)
    evening.clock.time = EVENING + timedelta(hours=14)
    start = TransactionStart(ONE, CARD, 1_000, EVENING, b"{}")
    begun = await evening.app.reports.begin_transaction(STATION, start)
    queued = [(59.5, 5_290), (60.5, 5_310)]
    samples = tuple(Sample(EVENING + timedelta(minutes=at), wh) for at, wh in queued)
    await evening.app.reports.record_meter_values(STATION, MeterReport(ONE, begun.wire_transaction_id, samples, b"[]"))
    stop = TransactionStop(
        begun.wire_transaction_id, 6_400, EVENING + timedelta(minutes=80), "Local", None, (), b"{}", "StopTransaction"
    )
    await evening.app.reports.end_transaction(STATION, stop)
    (row,) = await evening.sql("SELECT id FROM charging_sessions")
    assert (await bill(evening, SessionId(row["id"]))).recomputed_tyiyn == 67_95


async def test_readings_in_the_stop_divide_it_too(evening: World) -> None:
    session_id = (await evening.order()).session.session_id
    begun = await evening.begin(await evening.tag_of(session_id))
    evening.clock.time = EVENING + timedelta(minutes=80)
    samples = tuple(Sample(EVENING + timedelta(minutes=at), wh) for at, wh in ((59.5, 5_290), (60.5, 5_310)))
    stop = TransactionStop(
        begun.wire_transaction_id, 6_400, evening.clock.now(), "Local", None, samples, b"{}", "StopTransaction"
    )
    await evening.app.reports.end_transaction(STATION, stop)
    assert (await bill(evening, session_id)).recomputed_tyiyn == 67_95


async def test_a_late_reading_after_the_bill_changes_neither_bill_nor_evidence(evening: World) -> None:
    """Billed by its last reading of a quarter past eleven; then one comes out of a queue that narrows what was around
    eleven. The receipt's own steps are what the bill is recomputed by, until the stop corrects it."""
    session_id = (await evening.order()).session.session_id
    begun = await evening.begin(await evening.tag_of(session_id))
    for minutes, register_wh in ((45, 3_000), (75, 5_000)):
        evening.clock.time = EVENING + timedelta(minutes=minutes)
        await evening.meter(begun.wire_transaction_id, register_wh)
    evening.link.connected.clear()
    await evening.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    billed_tyiyn = 3_000 * 1350 // 1000 + 1_000 * 9 // 10
    assert (await evening.session(session_id)).cost_tyiyn == billed_tyiyn
    late = Sample(EVENING + timedelta(minutes=59), 3_200)
    await evening.app.reports.record_meter_values(STATION, MeterReport(ONE, begun.wire_transaction_id, (late,), b"[]"))
    assert (await bill(evening, session_id)).equal
    await evening.end(begun.wire_transaction_id, 5_000)
    evidence = await bill(evening, session_id)
    assert [part.energy_wh for part in evidence.parts] == [2_313, 1_687]
    assert (evidence.recomputed_tyiyn, evidence.equal) == (46_41, True)


async def test_a_clients_plan_and_discount_move_with_the_hours(evening: World) -> None:
    """A tenth less of each; a fixed rate is one for all hours."""
    await evening.sql(
        "INSERT INTO client_tariffs (id, client_id, tariff_plan_id, discount_percent, valid_from)"
        " VALUES ('T', %s, 'P', 10, %s)",
        CLIENT,
        EVENING - timedelta(days=1),
    )
    started = await evening.order()
    assert started.session.rate_schedule == (
        ScheduledRate(EVENING, Decimal("12.15")),
        ScheduledRate(ELEVEN, Decimal("8.1")),
        ScheduledRate(SEVEN, Decimal("12.15")),
    )


@pytest.mark.parametrize(
    "own",
    [
        "UPDATE stations SET price_per_kwh = 11",
        "INSERT INTO client_tariffs (id, client_id, fixed_rate_per_kwh, valid_from)"
        " VALUES ('T', 'client-1', 7, '2026-01-01')",
    ],
)
async def test_a_price_of_its_own_is_one_for_all_hours(evening: World, own: str) -> None:
    await evening.sql(own)
    assert (await evening.order()).session.rate_schedule == ()
