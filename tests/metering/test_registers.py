"""The gate for registers: what counts, what is doubtful, what a restart is (field-rulings §1)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from evpower.metering.belief import CLOCK_MAX, QUEUED_MAX, energy_max_wh
from evpower.metering.meter_value import MAX_ENERGY_WH, Sample
from evpower.metering.registers import BelievedRegister, Doubt, RegisterReading, StopReading, stopped
from tests.worlds.fakes import NOON

KW_22 = 22_000


def register(start_wh: int = 1_000, **known: object) -> BelievedRegister:
    """A charge that began at noon at a connector of 22 kW."""
    begun = {"start_wh": start_wh, "base_wh": start_wh, "last_wh": start_wh, "started_at": NOON, "received_at": NOON}
    return BelievedRegister(**{"rated_power_w": KW_22, **begun, **known})  # type: ignore[arg-type]  # known by name


def at(minute: float, register_wh: int, by_us: float | None = None) -> RegisterReading:
    """A reading so many minutes after the start by the station's clock, and by ours."""
    ours = minute if by_us is None else by_us
    return RegisterReading(register_wh, NOON + timedelta(minutes=minute), NOON + timedelta(minutes=ours))


def read(charge: BelievedRegister, *readings: RegisterReading) -> tuple[BelievedRegister, list[Doubt | None]]:
    doubts = []
    for reading in readings:
        charge, doubt = charge.read(reading)
        doubts.append(doubt)
    return charge, doubts


def test_a_register_is_believed_to_the_watt_hour_of_what_the_connector_can_deliver() -> None:
    """§1.1"""
    most_wh = energy_max_wh(timedelta(minutes=60), KW_22)
    believed, none = register().read(at(60, 1_000 + most_wh))
    assert (believed.energy_wh, none) == (most_wh, None)
    same, doubt = register().read(at(60, 1_001 + most_wh))
    assert (same, doubt) == (register(), Doubt("reading", 1_001 + most_wh, 1_000 + most_wh))


def test_the_longer_of_both_clocks_counts() -> None:
    """§1.1: a queue is delivered in a second, a station's clock may stand in 1970."""
    for minute, by_us in ((60, 0), (0, 60), (-60, 60)):
        assert register().read(at(minute, 21_000, by_us))[0].energy_wh == 20_000
    assert register().read(at(0, 21_000, 0))[1] is not None


def test_one_wild_reading_leaves_what_was_believed_and_the_next_true_one_counts() -> None:
    """A18: a 22 kW connector, 100 kWh more in half a minute."""
    charge, doubts = read(register(), at(10, 3_000), at(10.5, 103_000), at(11, 3_400))
    assert (charge.energy_wh, [doubt and doubt.kind for doubt in doubts]) == (2_400, [None, "reading", None])


@pytest.mark.parametrize(("start_wh", "bound"), [(0, 1_210), (MAX_ENERGY_WH, MAX_ENERGY_WH)])
def test_a_start_that_is_none_is_replaced_by_the_first_reading(start_wh: int, bound: int) -> None:
    """§1.3: the station never said its register at the start; nor when it could not be read."""
    charge, doubts = read(register(start_wh), at(1, 55_000_000), at(31, 55_010_000))
    assert (charge.energy_wh, doubts) == (10_000, [Doubt("start", 55_000_000, bound), None])


def test_a_start_that_is_one_is_not_replaced() -> None:
    """§1.3 is of a start of 0: above it a wild first reading is only a wild reading."""
    charge, doubts = read(register(1_000), at(1, 55_000_000), at(31, 8_000))
    assert (charge.energy_wh, [doubt and doubt.kind for doubt in doubts]) == (7_000, ["reading", None])


@pytest.mark.parametrize(
    ("start_wh", "beyond_wh", "kept"), [(0, 0, True), (0, 1, False), (1, 1, True), (-100, 1, False)]
)
def test_a_start_of_nothing_is_replaced_by_what_is_beyond_the_connector(
    start_wh: int, beyond_wh: int, kept: bool
) -> None:
    """§1.3: a start of one watt-hour is one, and what rises too far from it is not believed."""
    first = at(60, start_wh + energy_max_wh(timedelta(minutes=60), KW_22) + beyond_wh)
    charge, doubt = register(start_wh).read(first)
    assert charge.base_wh == (start_wh if kept else first.register_wh)
    assert (doubt and doubt.kind) == (None if not beyond_wh else "reading" if kept else "start")


def test_a_first_reading_that_can_be_true_keeps_a_start_of_0() -> None:
    """§1.3: a station that counts each charge from 0; a later lifetime register is not believed."""
    charge, doubts = read(register(0), at(10, 3_500), at(60, 939_000), at(61, 14_000))
    assert (charge.energy_wh, [doubt and doubt.kind for doubt in doubts]) == (14_000, [None, "reading", None])


def test_a_register_that_restarts_lower_opens_a_segment_and_the_segments_are_summed() -> None:
    """§1.4: 20 kWh, then a meter that begins at 300: what it counts from there is added."""
    charge, doubts = read(register(), at(60, 21_000), at(62, 300), at(72, 3_300))
    assert (charge.energy_wh, doubts) == (23_000, [None, Doubt("restart", 300, 21_000), None])


def test_a_register_restarts_several_times() -> None:
    """§1.4"""
    charge, _ = read(register(), at(60, 11_000), at(61, 0), at(80, 5_000), at(81, 100), at(90, 1_100))
    assert charge.energy_wh == 10_000 + 5_000 + 1_000


def test_a_restarted_register_that_passes_the_old_one_goes_on_counting() -> None:
    """§1.4: 2 kWh, then from 0 on to 2.5 kWh and beyond the 3,000 it was at before."""
    charge, _ = read(register(), at(10, 3_000), at(11, 0), at(18, 2_500), at(20, 3_100))
    assert charge.energy_wh == 2_000 + 3_100


def test_one_low_figure_between_true_ones_is_a_slip_and_bills_nothing() -> None:
    """§1.4: one 0, or several, between registers that go on where they were."""
    for slips in ([at(61, 0)], [at(61, 0), at(62, 0)]):
        charge, doubts = read(register(), at(60, 11_000), *slips, at(90, 15_000))
        assert (charge.energy_wh, doubts[-1]) == (14_000, None)


def test_a_register_that_returns_after_it_rose_elsewhere_counts_once() -> None:
    """§1.4: as a new segment 21.2 kWh could not have flowed; as the old one it could."""
    charge, _ = read(register(), at(60, 21_000), at(61, 0), at(62, 100), at(63, 21_300))
    assert charge.energy_wh == 20_300


def test_what_was_measured_before_the_newest_reading_says_nothing() -> None:
    """An older reading that comes late is no restart."""
    charge, doubts = read(register(), at(60, 21_000), at(30, 11_000, 61), at(62, 21_500))
    assert (charge.energy_wh, doubts) == (20_500, [None, None, None])


def test_a_lower_figure_of_the_same_moment_is_no_restart() -> None:
    charge, doubts = read(register(), at(60, 21_000), at(60, 500))
    assert (charge.energy_wh, doubts) == (20_000, [None, None])


def test_a_register_that_returns_to_what_it_was_had_slipped() -> None:
    charge, doubts = read(register(), at(60, 21_000), at(61, 0), at(62, 21_000))
    assert (charge.energy_wh, doubts[-1]) == (20_000, None)


def test_a_register_restarts_with_the_boot_and_not_before_it() -> None:
    """§1.4: what was measured before the boot and is lower came out of a queue with a wrong time or figure."""
    charge, _ = read(register(), at(60, 13_000))
    booted = replace(charge, booted_at=NOON + timedelta(minutes=90))
    same, doubt = booted.read(at(70, 500, 91))
    assert (same.energy_wh, doubt) == (12_000, Doubt("reading", 500, 13_000))
    assert booted.read(at(88, 500, 91))[1] == Doubt("restart", 500, 13_000), "two minutes of another clock are nothing"
    restarted, doubt = booted.read(at(91, 500))
    assert (restarted.read(at(100, 3_000))[0].energy_wh, doubt) == (14_500, Doubt("restart", 500, 13_000))


def test_what_was_measured_in_the_moment_of_the_boot_is_from_before_it() -> None:
    booted = replace(read(register(), at(0, 13_000, 60))[0], booted_at=NOON + timedelta(minutes=60))
    assert booted.read(at(57, 500, 61))[1] == Doubt("reading", 500, 13_000)


def test_what_can_flow_after_a_restart_is_less_what_flowed_before_it() -> None:
    charge, _ = read(register(), at(60, 13_000), at(61, 0))
    most_wh = energy_max_wh(timedelta(minutes=70), KW_22)
    same, doubt = charge.read(at(70, 10**6))
    assert (same.energy_wh, doubt) == (12_000, Doubt("reading", 10**6, most_wh - 12_000))


def test_a_stop_within_belief_is_the_last_register() -> None:
    """§1.1"""
    charge, doubt = read(register(), at(30, 6_000))[0].stop(at(60, 9_000), corrects_estimate=False)
    assert (charge.energy_wh, doubt) == (8_000, None)


@pytest.mark.parametrize("stop_wh", [5_000, 900_000_000, 0])
def test_a_stop_that_is_not_believed_leaves_the_last_reading(stop_wh: int) -> None:
    """§1.2, §1.4: beyond what can have flowed, and below the last believed reading, while the charge lasts."""
    charge, _ = read(register(), at(30, 6_000))
    after, doubt = charge.stop(at(60, stop_wh), corrects_estimate=False)
    assert after == charge
    assert doubt is not None
    assert (doubt.kind, doubt.figure) == ("stop", stop_wh)


def test_a_stop_after_an_estimate_corrects_it_downwards() -> None:
    """A1, A4: the charge was ended by us, and its station now says what it was."""
    charge, doubt = read(register(), at(30, 6_000))[0].stop(at(60, 3_000), corrects_estimate=True)
    assert (charge.energy_wh, doubt) == (2_000, None)


def test_a_stop_after_an_estimate_may_say_that_nothing_flowed() -> None:
    charge, doubt = read(register(), at(30, 6_000))[0].stop(at(60, 1_000), corrects_estimate=True)
    assert (charge.energy_wh, doubt) == (0, None)


def test_a_stop_after_an_estimate_is_no_lower_than_its_segment() -> None:
    """A1 with §1.4"""
    charge, doubt = read(register(), at(30, 6_000))[0].stop(at(60, 500), corrects_estimate=True)
    assert (charge.energy_wh, doubt) == (5_000, Doubt("stop", 500, 6_000))


NEVER_SET = NOON - timedelta(days=20_000)
MOST_OF_A_QUEUE_WH = energy_max_wh(QUEUED_MAX, KW_22)


def stopped_with_its_clock_set(
    energy_wh: int, *readings: RegisterReading, started_at: datetime = NEVER_SET, minute: float = 1
) -> tuple[int, Doubt | None]:
    """What is believed of a charge whose start and stop came out of a queue within a minute of ours."""
    charge, _ = read(register(started_at=started_at), *readings)
    charge, doubt = charge.stop(at(minute, 1_000 + energy_wh, 1), corrects_estimate=False)
    return charge.energy_wh, doubt


def test_a_stop_by_a_clock_that_was_set_in_mid_charge_is_believed_up_to_twelve_hours_and_seen_by_a_person() -> None:
    """A11"""
    energy_wh, doubt = stopped_with_its_clock_set(MOST_OF_A_QUEUE_WH)
    assert (energy_wh, doubt and doubt.kind) == (MOST_OF_A_QUEUE_WH, "clock")


@pytest.mark.parametrize(
    ("energy_wh", "readings", "started_at", "minute"),
    [
        (MOST_OF_A_QUEUE_WH + 1, [], NEVER_SET, 1),
        # Its clock was right when it began, and jumped later; or was off by no more than a clock may be.
        (20_000, [], NOON, 3 * 24 * 60),
        (20_000, [], NOON - CLOCK_MAX, 1),
        # A reading says how much it was until then.
        (20_000, [at(0.5, 1_000)], NEVER_SET, 1),
    ],
)
def test_a_stop_beyond_what_can_have_flowed_is_not_believed_for_another_clock(
    energy_wh: int, readings: list[RegisterReading], started_at: datetime, minute: float
) -> None:
    believed_wh, doubt = stopped_with_its_clock_set(energy_wh, *readings, started_at=started_at, minute=minute)
    assert (believed_wh, doubt and doubt.kind) == (0, "stop")


def test_the_readings_in_a_stop_are_judged_one_by_one() -> None:
    """A2: each by its own time, the stop by its own."""
    samples = [Sample(at(minute, 0)[1], wh) for minute, wh in ((10, 4_000), (20, 10**12), (30, 9_000))]
    stop = StopReading((*samples, Sample(NOON)), 10**12, at(31, 0)[1], at(31, 0)[1])
    charge, doubts = stopped(register(), stop, corrects_estimate=False)
    assert (charge.energy_wh, [doubt.kind for doubt in doubts]) == (8_000, ["reading", "stop"])


@pytest.mark.parametrize("seed", range(200))
def test_whatever_comes_what_is_believed_never_falls_nor_exceeds_the_connector(seed: int) -> None:
    """§1.1, §1.4: any order, loss, reset and nonsense; what did not count is said."""
    chance = random.Random(seed)
    charge = register(chance.choice([0, 1_000, 10**9, MAX_ENERGY_WH]))
    minute, meter = 0.0, charge.start_wh % MAX_ENERGY_WH
    for _ in range(60):
        minute += chance.expovariate(0.2)
        meter += round(chance.uniform(0, 3_000))
        meter = chance.choice([0, meter // 2]) if chance.random() < 0.1 else meter
        shown = chance.choice([meter, 10 * meter, meter // 10, 10**11]) if chance.random() < 0.2 else meter
        measured = minute - chance.choice([0, 0, 0, 30, 10**6])
        before, (charge, doubt) = charge, charge.read(at(measured, shown, minute))
        assert charge.energy_wh >= before.energy_wh
        assert charge.energy_wh <= energy_max_wh(timedelta(minutes=minute), KW_22)
        assert doubt or charge.last_wh == shown or measured <= minute - 30
