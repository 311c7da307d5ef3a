"""A session's rows without a database: what is billed, and what the doors show of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from evpower.billing.rates import Rates
from evpower.billing.reservation import ChargeTerms, Limit
from evpower.billing.settlement import Usage
from evpower.charging.session import Phase, Session, SessionView, TransactionRecord, view_session
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.metering.registers import Doubt
from tests.worlds.fakes import NOON

MINUTE = timedelta(minutes=1)
#: 10 som a kWh and 2 som a minute; 100 som are held.
TERMS = ChargeTerms(
    Rates(Decimal(10), per_minute=Decimal(2), session_fee=Decimal(1)), 100_00, Limit("energy", 8_000, None)
)
#: It began at noon; its last reading is 3 kWh after ten minutes.
RECORD = TransactionRecord(
    wire_transaction_id=WireTransactionId("1"),
    stopped=False,
    meter_start_wh=1_000,
    meter_base_wh=1_000,
    meter_carried_wh=0,
    meter_last_wh=4_000,
    meter_last_measured_at=NOON + 10 * MINUTE,
    meter_last_received_at=NOON + 10 * MINUTE,
    meter_stop_wh=None,
    started_at=NOON,
    received_at=NOON,
    stopped_at=None,
    stop_received_at=None,
    power_w=20_000,
    current_a=1.0,
    voltage_v=2.0,
    soc_percent=3.0,
    temperature_c=4.0,
    last_sample_at=NOON + 10 * MINUTE,
)
#: The same with its stop: 4 kWh after twenty minutes.
ENDED = replace(
    RECORD,
    stopped=True,
    meter_last_wh=5_000,
    meter_stop_wh=5_000,
    stopped_at=NOON + 20 * MINUTE,
    stop_received_at=NOON + 20 * MINUTE,
)
SESSION = Session(
    id=SessionId("s"),
    client_id=ClientId("c"),
    client_balance_tyiyn=7_00,
    station_id=StationId("ST"),
    connector_id=ConnectorId(1),
    status="started",
    phase="charging",
    start_time=NOON,
    stop_time=None,
    id_tag=IdTag("TAG"),
    terms=TERMS,
    energy_wh=0,
    amount_tyiyn=None,
    refunded_tyiyn=0,
    additional_tyiyn=0,
    debt_tyiyn=0,
    settled_at=None,
    estimated=False,
    corrected_at=None,
    stop_reason=None,
    end_cause=None,
    stop_requested_at=None,
    stop_requested_by=None,
    doubtful=False,
    signed_meter=False,
    reopened_at=None,
    remote_start_id=None,
    record=RECORD,
)
SETTLED = replace(
    SESSION,
    status="stopped",
    phase="settled",
    stop_time=NOON + 21 * MINUTE,
    energy_wh=4_000,
    amount_tyiyn=81_00,
    refunded_tyiyn=19_00,
    settled_at=NOON + 22 * MINUTE,
    record=ENDED,
)


def seen(session: Session, after_minutes: float = 15) -> SessionView:
    return view_session(session, NOON + after_minutes * MINUTE, station_online=True)


# ---------------------------------------------------------------------------------------------------- what is billed
def test_a_charge_without_its_stop_is_billed_to_its_last_reading() -> None:
    assert SESSION.delivered() == Usage(3_000, 10)
    assert SESSION.final_cost_tyiyn() == 30_00 + 20_00 + 1_00


def test_a_charge_with_its_stop_is_billed_to_it() -> None:
    assert SETTLED.delivered() == Usage(4_000, 20)


def test_a_charge_that_never_began_is_billed_nothing() -> None:
    assert replace(SESSION, record=None).delivered() == Usage(0, 0)


def test_the_segments_of_a_register_are_summed_and_one_below_its_base_is_none() -> None:
    assert replace(RECORD, meter_carried_wh=500, meter_base_wh=2_000).energy_wh() == 2_500
    assert replace(RECORD, meter_carried_wh=500, meter_base_wh=4_100).energy_wh() == 500


def test_minutes_in_which_we_held_it_at_nothing_are_not_billed() -> None:
    paused = ((NOON + 2 * MINUTE, NOON + 5 * MINUTE), (NOON + 8 * MINUTE, NOON + 12 * MINUTE))
    record = replace(RECORD, paused=paused)
    assert record.minutes(NOON) == 10 - 3 - 2
    assert record.minutes_so_far(NOON, NOON + 15 * MINUTE) == 15 - 3 - 4
    assert [record.paused_for(NOON + at * MINUTE) for at in (1, 3)] == [0 * MINUTE, MINUTE]
    assert record.paused_for(None) == 7 * MINUTE


@pytest.mark.parametrize("phase", get_args(Phase))
def test_the_minutes_of_a_charge_that_goes_on_are_those_until_now(phase: Phase) -> None:
    goes_on = phase in ("reserved", "starting", "charging", "stopping")
    session = replace(SESSION, phase=phase)
    assert (session.goes_on, session.minutes(NOON + 15.9 * MINUTE)) == (goes_on, 15 if goes_on else 10)


@pytest.mark.parametrize(("queued_for", "billed"), [(30, 20), (2, 18)])
def test_a_charge_whose_start_came_out_of_a_queue_is_billed_the_stations_minutes(queued_for: int, billed: int) -> None:
    """Twenty minutes by the station's clock; a start that comes within two minutes was not queued."""
    record = replace(
        ENDED, received_at=NOON + queued_for * MINUTE, stop_received_at=NOON + max(20, queued_for) * MINUTE
    )
    assert record.minutes(NOON) == billed


def test_a_clock_that_ran_backwards_bills_no_minutes() -> None:
    assert RECORD.minutes_so_far(NOON, NOON - 5 * MINUTE) == 0


def test_a_charge_that_has_not_begun_has_no_minutes() -> None:
    assert replace(SESSION, record=None).minutes(NOON + 15 * MINUTE) == 0


def test_a_stop_register_that_is_the_last_believed_one_is_believed() -> None:
    assert ENDED.stop_is_believed
    assert not replace(ENDED, meter_stop_wh=9_000).stop_is_believed
    assert not RECORD.stop_is_believed


# ---------------------------------------------------------------------------------------------- the station's minutes
def by_clock(minutes: float, *, per_minute: int = 2) -> Doubt | None:
    """Of a charge that lasted twenty minutes by ours, and so long by the station's clock."""
    record = replace(ENDED, stopped_at=NOON + minutes * MINUTE)
    terms = replace(TERMS, rates=replace(TERMS.rates, per_minute=Decimal(per_minute)))
    return replace(SETTLED, record=record, terms=terms).clock_doubt()


@pytest.mark.parametrize("minutes", [0, 20, 22])
def test_minutes_of_another_clock_that_may_be_are_no_doubt(minutes: int) -> None:
    assert by_clock(minutes) is None


@pytest.mark.parametrize(("minutes", "billed"), [(23, 20), (-1, 20), (5 * 24 * 60, 20)])
def test_minutes_of_another_clock_that_cannot_be_are_a_doubt_where_minutes_cost(minutes: int, billed: int) -> None:
    assert by_clock(minutes) == Doubt("clock", minutes, billed)
    assert by_clock(minutes, per_minute=0) is None


def test_a_charge_without_a_reading_has_no_minutes_to_doubt() -> None:
    unread = replace(RECORD, meter_last_measured_at=None, meter_last_received_at=None)
    assert replace(SESSION, record=unread).clock_doubt() is None
    assert replace(SESSION, record=None).clock_doubt() is None


# ------------------------------------------------------------------------------------------------- what the doors show
def test_a_running_charge_shows_what_it_has_and_costs_so_far() -> None:
    view = seen(SESSION)
    assert (view.energy_wh, view.cost_tyiyn, view.duration_minutes) == (3_000, 30_00 + 30_00 + 1_00, 15)
    assert (view.ocpp_status, view.meter_start_wh, view.meter_current_wh) == ("Started", 1_000, 4_000)
    assert (view.power_w, view.current_a, view.voltage_v, view.soc_percent) == (20_000, 1.0, 2.0, 3.0)
    assert (view.temperature_c, view.last_sample_at) == (4.0, NOON + 10 * MINUTE)
    assert (view.limit_type, view.limit_value, view.limit_reached) == ("energy", 8_000, False)
    assert (view.session_fee_tyiyn, view.overshoot_wh, view.suspended_by_site_minutes) == (1_00, 0, 0)


def test_a_finished_charge_shows_its_bill_whatever_its_record_says() -> None:
    view = seen(replace(SETTLED, energy_wh=3_900, amount_tyiyn=80_00), 500)
    assert (view.energy_wh, view.cost_tyiyn, view.duration_minutes) == (3_900, 80_00, 21)
    assert (view.ocpp_status, view.prediction, view.corrected) == ("Stopped", None, False)
    assert seen(replace(SETTLED, corrected_at=NOON)).corrected


def test_a_charge_that_failed_to_begin_costs_nothing_and_has_nothing_of_a_station() -> None:
    failed = replace(SESSION, status="error", phase="released", record=None)
    view = seen(failed)
    assert (view.cost_tyiyn, view.energy_wh, view.wire_transaction_id, view.ocpp_status) == (0, 0, None, None)
    assert (view.power_w, view.soc_percent, view.meter_start_wh, view.last_sample_at) == (None, None, None, None)
    assert (view.overshoot_wh, view.suspended_by_site_minutes) == (None, 0)


def test_a_start_that_waits_for_its_station_shows_no_energy_yet() -> None:
    view = seen(replace(SESSION, phase="starting", record=None))
    assert (view.energy_wh, view.cost_tyiyn) == (0, 0)


def test_an_amount_limit_is_shown_in_tyiyn_and_no_limit_as_none() -> None:
    amount = replace(SESSION, terms=replace(TERMS, limit=Limit("amount", None, 90_00)))
    assert (seen(amount).limit_type, seen(amount).limit_value) == ("amount", 90_00)
    none = replace(SESSION, terms=replace(TERMS, limit=Limit("none", None, None)))
    assert seen(none).limit_value is None


def test_a_charge_beyond_its_limit_says_by_how_much() -> None:
    view = seen(replace(SESSION, record=replace(RECORD, meter_last_wh=9_250), terms=WITHOUT_MINUTES))
    assert (view.limit_reached, view.overshoot_wh) == (True, 250)
    assert view.limit_percentage == 100
    free = replace(TERMS, rates=Rates(Decimal(0)), limit=Limit("none", None, None))
    assert seen(replace(SESSION, terms=free)).overshoot_wh is None


def test_time_before_its_beginning_is_no_duration() -> None:
    assert seen(SESSION, -1).duration_minutes == 0


def test_minutes_at_nothing_are_shown_until_now_and_then_until_its_end() -> None:
    paused = ((NOON + 5 * MINUTE, NOON + 60 * MINUTE),)
    assert seen(replace(SESSION, record=replace(RECORD, paused=paused)), 8).suspended_by_site_minutes == 3
    assert seen(replace(SETTLED, record=replace(ENDED, paused=paused)), 500).suspended_by_site_minutes == 16


WITHOUT_MINUTES = replace(TERMS, rates=Rates(Decimal(10)))


def test_a_running_charge_says_when_it_is_at_its_limit() -> None:
    """5 kWh at 20 kW are fifteen minutes from the last reading, of which two are over."""
    prediction = seen(replace(SESSION, terms=WITHOUT_MINUTES), 12).prediction
    assert prediction is not None
    assert (prediction.minutes_left, prediction.cost_tyiyn) == (13, 80_00)


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSION, phase="stopping"),
        replace(SESSION, record=None),
        replace(SESSION, record=replace(RECORD, stopped=True)),
        replace(SESSION, record=replace(RECORD, power_w=None)),
        replace(SESSION, record=replace(RECORD, meter_last_received_at=None)),
    ],
)
def test_a_charge_of_which_too_little_is_known_or_whose_end_was_asked_for_has_no_end_in_sight(
    session: Session,
) -> None:
    assert seen(replace(session, terms=WITHOUT_MINUTES), 12).prediction is None
