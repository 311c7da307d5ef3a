"""Whatever way a register comes in, it is judged by what can have flowed (field-rulings §1, money-audit A2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trio

from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.identifiers import IdTag, SessionId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, ONE, STATION, World


async def started(world: World, balance_tyiyn: int = 5000_00) -> tuple[SessionId, WireTransactionId]:
    """A charge of at most 50 kWh that begins at register 1,000."""
    await world.give(balance_tyiyn)
    session_id = (await world.order(energy_wh=50_000)).session.session_id
    return session_id, (await world.begin(await world.tag_of(session_id))).wire_transaction_id


async def stop(world: World, transaction_id: WireTransactionId, meter_wh: int | None, *samples: Sample) -> None:
    """The station's StopTransaction, with these readings as its transactionData; then its settlement."""
    await world.app.reports.end_transaction(
        STATION,
        TransactionStop(transaction_id, meter_wh, world.clock.now(), "Local", None, samples, b"{}", "StopTransaction"),
    )
    await world.app.settler.work_due()


@pytest.mark.parametrize("meter_wh", [900_000_000, 10**12, None])
async def test_transaction_data_is_believed_no_more_than_other_readings(world: World, meter_wh: int | None) -> None:
    """A2: neither the stop register nor the same figure in transactionData can be true; 2 kWh were read before."""
    session_id, transaction_id = await started(world)
    world.clock.advance(600)
    await world.meter(transaction_id, 3_000)
    world.clock.advance(60)
    await stop(world, transaction_id, meter_wh, Sample(world.clock.now(), meter_wh or 900_000_000))
    session = await world.session(session_id)
    assert (session.phase, session.energy_wh, session.cost_tyiyn, session.debt_tyiyn) == ("settled", 2_000, 27_00, 0)


async def test_believable_transaction_data_counts_beside_what_is_not(world: World) -> None:
    """A2: each reading is judged by its own time."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    samples = [Sample(world.clock.now() - timedelta(minutes=m), wh) for m, wh in ((30, 6_000), (5, 9_000), (2, 10**11))]
    await stop(world, transaction_id, None, *samples)
    assert (await world.session(session_id)).energy_wh == 8_000


@pytest.mark.parametrize(("connector_kw", "station_kw", "most_kw"), [(22, 60, 22), (None, 60, 60), (None, 0, 400)])
async def test_a_reading_is_judged_by_the_power_of_its_connector(
    world: World, connector_kw: float | None, station_kw: float, most_kw: int
) -> None:
    """§1.1: unknown the station's, unknown 400 kW; by what it was when the charge began."""
    await world.rate(connector_kw)
    await world.sql("UPDATE stations SET power_capacity = %s", station_kw)
    session_id, transaction_id = await started(world)
    await world.rate(1)
    world.clock.advance(600)
    most_wh = most_kw * 11 * 720 * 1000 // 36_000
    await world.meter(transaction_id, 1_000 + most_wh + 1)
    assert (await world.session(session_id)).energy_wh == 0
    await world.meter(transaction_id, 1_000 + most_wh)
    assert (await world.session(session_id)).energy_wh == most_wh


async def test_a_stop_register_beyond_the_connector_is_not_billed(world: World) -> None:
    """§1.1: 939 kWh in an hour at 22 kW; 14 kWh were read. The bill is an estimate."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 15_000)
    await stop(world, transaction_id, 939_000)
    session = await world.session(session_id)
    assert (session.phase, session.energy_wh, session.cost_tyiyn, session.estimated) == (
        "settled",
        14_000,
        189_00,
        True,
    )


async def test_a_late_stop_beyond_the_connector_corrects_nothing(world: World) -> None:
    """§1.1: the gate of corrections is the same."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 15_000)
    world.link.connected.clear()
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    await stop(world, transaction_id, 939_000)
    assert (await world.session(session_id)).cost_tyiyn == 189_00
    assert await world.sql("SELECT corrected_at FROM evpower.session_phases") == [{"corrected_at": None}]


async def test_a_parked_stop_beyond_the_connector_is_not_billed(world: World) -> None:
    """§1.1: nor is it when a person gives it to its session."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 15_000)
    payload = b'{"transactionId": 99, "meterStop": 939000, "timestamp": "2026-11-23T07:00:00Z"}'
    await world.app.parked.park(STATION, "StopTransaction", "unknown transaction", payload)
    (parked,) = await world.app.parked.parked(resolved_too=False)
    await world.app.parked.assign(parked.id, session_id, actor="ann", reason="test")
    await world.app.settler.work_due()
    assert (await world.session(session_id)).energy_wh == 14_000


async def test_energy_given_away_is_judged_like_that_of_a_session(world: World) -> None:
    """§1.1: free vend."""
    await world.app.free_vend.set(STATION, enabled=True, actor="ann")
    begun = await world.begin(IdTag("ANYONE"))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 15_000)
    await stop(world, begun.wire_transaction_id, 939_000)
    gifts = await world.app.free_vend.read(STATION)
    assert (gifts.total.energy_wh, gifts.newest[0].energy_wh) == (14_000, 14_000)


async def test_one_wild_reading_ends_no_charge_and_is_not_shown(world: World) -> None:
    """A18: 100 kWh in half a minute at 22 kW, of 50 that were ordered."""
    session_id, transaction_id = await started(world)
    world.clock.advance(600)
    await world.meter(transaction_id, 3_000, power_w=22_000)
    world.clock.advance(30)
    await world.meter(transaction_id, 103_000, power_w=22_000)
    await world.at_rest()
    assert (world.link.stopped, (await world.session(session_id)).energy_wh) == ([], 2_000)
    world.clock.advance(30)
    await world.meter(transaction_id, 3_400, power_w=22_000)
    assert (await world.session(session_id)).energy_wh == 2_400


@pytest.mark.parametrize(("power_w", "shown"), [(27_500, 27_500), (27_501, None), (9_000_000, None)])
async def test_a_power_beyond_the_connector_is_none(world: World, power_w: float, shown: float | None) -> None:
    """§1.1: above 1.25 x the connector's; the one before it is not of now either."""
    session_id, transaction_id = await started(world)
    world.clock.advance(600)
    await world.meter(transaction_id, 3_000, power_w=11_000)
    await world.meter(transaction_id, 3_100, power_w=power_w)
    session = await world.session(session_id)
    assert (session.power_w, session.energy_wh) == (shown, 2_100)


async def test_a_power_beyond_the_connector_plans_no_stop(world: World) -> None:
    """§1.1: 20 Wh are left at 9 MW; the reading at the limit ends the charge, not that power."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    transaction_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(3600)
    await world.meter(transaction_id, 5_980, power_w=9_000_000)
    with trio.move_on_after(0.2):
        await world.link.stop_asked.wait()
    assert world.link.stopped == []


async def test_a_station_that_says_0_at_the_start_is_billed_from_its_first_reading(world: World) -> None:
    """§1.3: meterStart 0, then the lifetime register; 21 kWh flow after the first reading."""
    await world.give(5000_00)
    session_id = (await world.order(energy_wh=50_000)).session.session_id
    transaction_id = (await world.begin(await world.tag_of(session_id), meter_wh=0)).wire_transaction_id
    for minute in range(31):
        world.clock.advance(60)
        await world.meter(transaction_id, 55_000_000 + 300 * minute)
    await stop(world, transaction_id, 55_009_000)
    session = await world.session(session_id)
    assert (session.energy_wh, session.estimated) == (9_000, False)
    assert await doubts(world) == [("start", 1, 55_000_000, 55_000_000)]


async def test_a_register_that_was_reset_in_mid_charge_does_not_shrink_the_bill(world: World) -> None:
    """§1.4, A10: 20 kWh were shown; the meter begins at 0 again and counts 5 more."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 21_000)
    world.clock.advance(60)
    await world.meter(transaction_id, 0)
    assert (await world.session(session_id)).energy_wh == 20_000
    world.clock.advance(900)
    await world.meter(transaction_id, 5_000)
    await stop(world, transaction_id, 5_000)
    session = await world.session(session_id)
    assert (session.energy_wh, session.cost_tyiyn, session.estimated) == (25_000, 337_50, False)
    assert await doubts(world) == [("restart", 1, 0, 0)]


async def test_a_stop_below_the_last_reading_bills_the_last_reading(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """§1.2, §1.4, A11: never below what was believed while the charge ran; the row asks a person."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 21_000)
    await stop(world, transaction_id, 5_000)
    assert (await world.session(session_id)).energy_wh == 20_000
    assert await doubts(world) == [("stop", 1, 5_000, 5_000)]
    assert (
        "station=EVP-001-01, transaction_id=1, session_id=session-1, kind=stop, figure=5000, bound=21000" in caplog.text
    )


async def test_a_register_that_rolls_over_is_a_restart(world: World) -> None:
    """A11: from 999,999.5 kWh over 0 to 19 kWh: what is known to have flowed is billed, and a person sees the rest."""
    await world.give(5000_00)
    session_id = (await world.order(energy_wh=50_000)).session.session_id
    transaction_id = (await world.begin(await world.tag_of(session_id), meter_wh=999_999_000)).wire_transaction_id
    world.clock.advance(60)
    await world.meter(transaction_id, 999_999_500)
    world.clock.advance(3600)
    await world.meter(transaction_id, 19_000)
    await stop(world, transaction_id, 19_000)
    assert (await world.session(session_id)).energy_wh == 500
    assert await doubts(world) == [("restart", 1, 19_000, 19_000)]


@pytest.mark.parametrize(
    ("readings", "meter_stop_wh", "billed_kwh", "kinds"),
    [(12, 36_000, 36, []), (0, 36_000, 36, ["clock"]), (0, 900_000, 0, ["stop"])],
    ids=["readings prove its time", "no reading", "more than twelve hours give"],
)
async def test_a_clock_that_was_set_in_mid_charge_gives_nothing_away(
    world: World, readings: int, meter_stop_wh: int, billed_kwh: int, kinds: list[str]
) -> None:
    """A11, A13: in 1970 while it was offline, right when it stops. Its readings prove how long it took; without them
    it is believed to have been as long as a queued charge can be, and flagged; beyond that a person decides."""
    await world.give(1000_00)
    await give_card(world)
    began = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    start = TransactionStart(ONE, CARD, 0, began, b"{}")
    transaction_id = (await world.app.reports.begin_transaction(STATION, start)).wire_transaction_id
    for number in range(1, readings + 1):
        sample = Sample(began + timedelta(minutes=10 * number), 3_000 * number)
        await world.app.reports.record_meter_values(STATION, MeterReport(ONE, transaction_id, (sample,), b"[]"))
    world.clock.advance(20)
    await stop(world, transaction_id, meter_stop_wh)
    (billed,) = await world.sql("SELECT energy FROM charging_sessions")
    assert (billed["energy"], [kind for kind, *_ in await doubts(world)]) == (billed_kwh, kinds)


async def test_a_flood_of_disbelieved_readings_is_one_row_and_a_line_for_each(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """§1.2: with the count, the first figure and the latest."""
    _, transaction_id = await started(world)
    for n in range(50):
        world.clock.advance(30)
        await world.meter(transaction_id, 900_000_000 + n)
    assert await doubts(world) == [("reading", 50, 900_000_000, 900_000_049)]
    assert sum("kind=reading" in record.message for record in caplog.records) == 50


async def doubts(world: World) -> list[tuple[str, int, int, int]]:
    """Kind, how many figures, the first and the latest of each row."""
    rows = await world.sql("SELECT kind, figures, first_figure, latest_figure FROM evpower.doubts ORDER BY id")
    return [(row["kind"], row["figures"], row["first_figure"], row["latest_figure"]) for row in rows]
