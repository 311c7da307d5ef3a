"""Each watt-hour is billed, unbilled, given away or missing, in one of them (field ruling 1.5; money audit A7, A8)."""

from __future__ import annotations

import pytest

from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.identifiers import IdTag, SessionId, WireTransactionId
from evpower.metering.meter_value import Sample
from tests.charging.test_stops import running, stop
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import ONE, STATION, World

NEXT = IdTag("UNKNOWN")


async def unbilled(world: World) -> list[tuple[str | None, int, int | None]]:
    listed = await world.app.parked.unbilled_energy()
    return [(each.session_id, each.unbilled_wh, each.unbilled_tyiyn) for each in listed]


async def missing(world: World) -> list[int]:
    return [each.missing_wh for each in await world.app.parked.missing_energy()]


async def estimated_then_goes_on(world: World) -> tuple[SessionId, WireTransactionId]:
    """Settled at 15 kWh by its last reading; 2 kWh more are reported, and its stop never comes."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(600)
    await world.meter(wire_id, 18_000)
    return session_id, wire_id


async def test_what_is_reported_after_an_estimate_is_unbilled(world: World) -> None:
    """Money audit A7: before the next charge begins, and whether or not one does."""
    session_id, _ = await estimated_then_goes_on(world)
    await world.app.settler.work_due()
    assert await unbilled(world) == [(session_id, 2_000, 27_00)]
    session = await world.session(session_id)
    assert (session.energy_wh, session.cost_tyiyn, await world.balance()) == (15_000, 202_50, 297_50)


async def test_one_watt_hour_that_is_reported_after_an_estimate_is_unbilled(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    await world.meter(wire_id, 16_001)
    await world.app.settler.work_due()
    assert await unbilled(world) == [(session_id, 1, 1)]


async def test_what_costs_nothing_is_unbilled_for_nothing(world: World) -> None:
    await estimated_then_goes_on(world)
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 0")
    await world.app.settler.work_due()
    assert await world.sql("SELECT unbilled_wh, unbilled_tyiyn FROM evpower.session_phases") == [
        {"unbilled_wh": 2_000, "unbilled_tyiyn": 0}
    ]


async def test_a_bill_that_says_all_or_was_corrected_is_not_noted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session_id, wire_id = await running(world)
    await world.app.settler.note_unbilled(session_id)
    await stop(world, session_id)
    await world.app.settler.note_unbilled(session_id)
    world.clock.advance(600)
    await world.end(wire_id, 17_000)
    await world.app.settler.note_unbilled(session_id)
    await world.app.settler.work_due()
    await world.app.settler.note_unbilled(session_id)
    assert not [line for line in caplog.messages if line.startswith("delivered and not billed")]


async def test_what_is_reported_just_before_the_next_charge_is_unbilled_and_not_missing(world: World) -> None:
    """Money audit A7: the settlement worker comes after the next start."""
    session_id, _ = await estimated_then_goes_on(world)
    await world.begin(NEXT, meter_wh=18_000)
    await world.app.settler.work_due()
    assert (await unbilled(world), await missing(world)) == ([(session_id, 2_000, 27_00)], [])
    assert await world.sql("SELECT unbilled_wh FROM evpower.session_phases") == [{"unbilled_wh": 2_000}]


async def test_what_no_reading_shows_after_an_estimate_is_missing(world: World) -> None:
    """Field ruling 1.5."""
    session_id, _ = await running(world)
    await stop(world, session_id)
    await world.begin(NEXT, meter_wh=18_500)
    await world.app.settler.work_due()
    assert (await unbilled(world), await missing(world)) == ([], [2_500])


async def test_the_note_grows_with_the_readings_and_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    session_id, wire_id = await estimated_then_goes_on(world)
    for _ in range(2):
        await world.app.settler.work_due()
    world.clock.advance(600)
    await world.meter(wire_id, 19_000)
    await world.app.settler.work_due()
    assert await unbilled(world) == [(session_id, 3_000, 40_50)]
    noted = [each.getMessage() for each in caplog.records if "delivered and not billed" in each.getMessage()]
    assert [line.partition("energy_wh=")[2] for line in noted] == ["2000", "3000"]


async def test_the_true_stop_bills_what_was_noted(world: World) -> None:
    session_id, wire_id = await estimated_then_goes_on(world)
    await world.app.settler.work_due()
    await world.end(wire_id, 18_000)
    await world.app.settler.work_due()
    assert (await unbilled(world), (await world.session(session_id)).energy_wh) == ([], 17_000)


@pytest.mark.parametrize("meter_stop_wh", [0, 900_000_000, None])
async def test_what_a_stop_shows_whose_register_is_not_believed_is_unbilled(
    world: World, meter_stop_wh: int | None
) -> None:
    """Field ruling 1.2: after an estimate no stop register corrects the bill, but a reading in the stop is believed."""
    session_id, wire_id = await estimated_then_goes_on(world)
    world.clock.advance(600)
    now = world.clock.now()
    sent = TransactionStop(wire_id, meter_stop_wh, now, "Local", None, (Sample(now, 19_000),), b"{}", "StopTransaction")
    await world.app.reports.end_transaction(STATION, sent)
    await world.app.settler.work_due()
    assert (await unbilled(world), (await world.session(session_id)).energy_wh) == (
        [(session_id, 3_000, 40_50)],
        15_000,
    )


async def test_a_charge_given_up_before_it_began_is_unbilled_without_its_stop_too(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    tag = await world.tag_of(session_id)
    await stop(world, session_id)
    wire_id = (await world.begin(tag)).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, 3_000)
    await world.app.settler.work_due()
    assert await unbilled(world) == [(session_id, 2_000, 27_00)]


async def refused(world: World, tag: IdTag, energy_wh: int) -> WireTransactionId:
    """A charge of an hour that the station allowed and we refuse."""
    began = world.clock.now()
    start = TransactionStart(ONE, tag, 0, began, b"{}")
    wire_id = (await world.app.reports.begin_transaction(STATION, start)).wire_transaction_id
    world.clock.advance(3600)
    sent = TransactionStop(wire_id, energy_wh, world.clock.now(), "Local", None, (), b"{}", "StopTransaction")
    await world.app.reports.end_transaction(STATION, sent)
    return wire_id


@pytest.mark.parametrize("verdict", ["Invalid", "Blocked"])
async def test_energy_under_a_refused_verdict_is_unbilled_and_a_warning(
    world: World, caplog: pytest.LogCaptureFixture, verdict: str
) -> None:
    """Money audit A8: a tag of a stale local list; a card whose client has less than it needs."""
    if verdict == "Blocked":
        await world.give(5_00)
        await give_card(world)
    wire_id = await refused(world, IdTag("STALE") if verdict == "Invalid" else CARD, 15_000)
    (listed,) = await world.app.parked.unbilled_energy()
    assert (listed.transaction_id, listed.session_id, listed.verdict) == (wire_id, None, verdict)
    assert (listed.unbilled_wh, listed.unbilled_tyiyn) == (15_000, None)
    assert any("delivered and not billed" in each.getMessage() for each in caplog.records)


async def test_energy_under_a_refused_verdict_is_listed_while_it_flows(world: World) -> None:
    wire_id = (await world.begin(NEXT)).wire_transaction_id
    assert await unbilled(world) == []
    world.clock.advance(600)
    await world.meter(wire_id, 2_500)
    assert await unbilled(world) == [(None, 1_500, None)]


async def test_energy_given_away_is_not_unbilled(world: World) -> None:
    await world.app.free_vend.set(STATION, enabled=True, actor="test")
    await refused(world, NEXT, 15_000)
    assert (await unbilled(world), (await world.app.free_vend.read(STATION)).total.energy_wh) == ([], 15_000)


@pytest.mark.parametrize("how", ["paid", "refused", "given away", "estimated", "lost"])
async def test_energy_is_missing_after_a_charge_however_it_ended(world: World, how: str) -> None:
    """Field ruling 1.5: it ended at 2,000 Wh, and the next one begins at 2,500."""
    if how == "given away":
        await world.app.free_vend.set(STATION, enabled=True, actor="test")
    if how in ("refused", "given away"):
        wire_id = (await world.begin(NEXT)).wire_transaction_id
    else:
        await world.give(500_00)
        session_id = (await world.order(energy_wh=20_000)).session.session_id
        wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, 2_000)
    if how == "estimated":
        await stop(world, session_id)
    elif how != "lost":
        await world.end(wire_id, 2_000)
    await world.begin(NEXT, meter_wh=2_500)
    assert await missing(world) == [500]


async def test_a_stop_that_is_not_believed_leaves_the_last_reading(world: World) -> None:
    """Field ruling 1.5: what lies between is missing, not lost in a register that no station can reach."""
    session_id, wire_id = await running(world)
    await world.end(wire_id, 900_000_000)
    await world.app.settler.work_due()
    await world.begin(NEXT, meter_wh=17_000)
    assert ((await world.session(session_id)).energy_wh, await missing(world)) == (15_000, [1_000])


async def one_charge(world: World, how: str, register_wh: int) -> None:
    """1 kWh in ten minutes, and as much again when it goes on."""
    await world.app.free_vend.set(STATION, enabled=how == "given away", actor="test")
    if how in ("refused", "given away"):
        wire_id = (await world.begin(NEXT, meter_wh=register_wh)).wire_transaction_id
    else:
        await world.say("Available")
        session_id = (await world.order(energy_wh=20_000)).session.session_id
        wire_id = (await world.begin(await world.tag_of(session_id), meter_wh=register_wh)).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, register_wh + 1_000)
    if how in ("estimated", "goes on"):
        await stop(world, session_id)
    if how in ("goes on", "lost"):
        world.clock.advance(600)
        await world.meter(wire_id, register_wh + 2_000)
    if how in ("paid", "refused", "given away"):
        await world.end(wire_id, register_wh + 1_000)
    await world.app.settler.work_due()


async def test_all_that_flowed_is_in_one_place(world: World) -> None:
    """Charges of every kind on a connector whose register only rises, and 300 Wh between each two of them."""
    await world.give(500_00)
    # A charge whose stop was lost keeps its connector until something else begins there.
    kinds = (
        *("paid", "refused", "given away", "estimated", "goes on", "lost"),
        *("refused", "paid", "lost", "given away", "goes on", "paid"),
    )
    register_wh = first_wh = 1_000
    for how in kinds:
        await one_charge(world, how, register_wh)
        last_wh = register_wh + (2_000 if how in ("goes on", "lost") else 1_000)
        register_wh = last_wh + 300
    await world.begin(NEXT, meter_wh=last_wh)
    await world.app.settler.work_due()
    (billed,) = await world.sql("SELECT (sum(energy) * 1000)::int AS wh FROM charging_sessions")
    given_wh = (await world.app.free_vend.read(STATION)).total.energy_wh
    unbilled_wh = sum(each.unbilled_wh for each in await world.app.parked.unbilled_energy())
    shares = (billed["wh"], unbilled_wh, given_wh, sum(await missing(world)))
    assert shares == (10_000, 2_000 + 2_000, 2_000, 11 * 300)
    assert sum(shares) == last_wh - first_wh
