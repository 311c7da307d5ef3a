"""Smart-charging §6: the energy at the moment when a rate begins, between the readings around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evpower.metering.boundaries import Boundary, DeliveredBy, boundaries_of, boundaries_stored
from evpower.metering.registers import BelievedRegister, Doubt, RegisterReading

BEGAN = datetime(2026, 11, 23, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ELEVEN = BEGAN + timedelta(hours=1)
REGISTER = BelievedRegister(1_000, BEGAN, BEGAN, 22_000, base_wh=1_000, last_wh=1_000, boundaries=(Boundary(ELEVEN),))


def reading(
    register_wh: int, minutes: float, *, heard: float | None = None, clock: timedelta = timedelta()
) -> RegisterReading:
    """A register so long after the start, heard as late, by a station whose clock is off by this."""
    measured_at = BEGAN + minutes * MINUTE
    return RegisterReading(register_wh, measured_at + clock, measured_at if heard is None else BEGAN + heard * MINUTE)


def after(*readings: RegisterReading, of: BelievedRegister = REGISTER) -> BelievedRegister:
    for each in readings:
        of, _ = of.read(each)
    return of


def test_the_energy_at_a_boundary_is_linear_between_the_readings_around_it() -> None:
    """A quarter of the way from 4 to 5 kWh."""
    register = after(reading(2_000, 10), reading(5_000, 59.5), reading(6_000, 61.5))
    (boundary,) = register.boundaries
    assert boundary.energy_wh == 4_250
    assert boundary.before == DeliveredBy(BEGAN + 59.5 * MINUTE, 4_000)
    assert boundary.after == DeliveredBy(BEGAN + 61.5 * MINUTE, 5_000)


@pytest.mark.parametrize(("rise_wh", "energy_wh"), [(1, 1), (3, 2), (0, 0)])
def test_half_a_watt_hour_is_rounded_up(rise_wh: int, energy_wh: int) -> None:
    register = after(reading(1_000, 59), reading(1_000 + rise_wh, 61))
    assert register.boundaries[0].energy_wh == energy_wh


def test_a_reading_at_the_boundary_is_its_energy() -> None:
    register = after(reading(2_000, 50), reading(5_300, 60))
    assert register.boundaries[0].energy_wh == 4_300
    assert after(reading(9_000, 61), of=register).boundaries == register.boundaries


def test_nothing_is_known_before_a_reading_has_come_after_it() -> None:
    assert after(reading(2_000, 59.9)).boundaries == (Boundary(ELEVEN),)


def test_what_is_not_believed_says_nothing_of_a_boundary() -> None:
    """A jump to 900 kWh at eleven; the next reading counts from the one before it."""
    register = after(reading(2_000, 58), reading(900_000, 60), reading(3_000, 62))
    assert register.boundaries[0].energy_wh == 1_500


def test_the_start_and_the_stop_are_readings() -> None:
    """A charge without any between them: half of it before eleven."""
    register, _ = REGISTER.stop(reading(11_000, 120), corrects_estimate=False)
    assert register.boundaries[0].energy_wh == 5_000


def test_a_charge_that_begins_after_a_boundary_has_nothing_before_it() -> None:
    began = replace(REGISTER, boundaries=(Boundary(BEGAN - MINUTE), Boundary(BEGAN), Boundary(ELEVEN)))
    assert [each.energy_wh for each in after(reading(2_000, 10), of=began).boundaries] == [0, 0, None]


def test_two_boundaries_may_pass_between_two_readings() -> None:
    register = replace(REGISTER, boundaries=(Boundary(ELEVEN), Boundary(ELEVEN + 30 * MINUTE)))
    found = after(reading(1_000, 30), reading(2_000, 130), of=register).boundaries
    assert [each.energy_wh for each in found] == [300, 600]


def test_a_reading_that_comes_late_narrows_what_is_around_it() -> None:
    """Out of a queue after one of now: it was measured at 59 minutes, with all but 0.1 kWh before eleven."""
    register = after(reading(2_000, 30), reading(6_000, 90), reading(5_900, 59, heard=90))
    assert register.boundaries[0].before == DeliveredBy(BEGAN + 59 * MINUTE, 4_900)
    narrowed = after(reading(5_950, 70, heard=91), of=register)
    assert narrowed.boundaries[0].after == DeliveredBy(BEGAN + 70 * MINUTE, 4_950)
    assert (narrowed.energy_wh, narrowed.boundaries[0].energy_wh) == (5_000, 4_905)


@pytest.mark.parametrize(
    "late", [reading(1_500, 59, heard=90), reading(6_100, 59, heard=90), reading(5_000, 95, heard=90)]
)
def test_a_late_reading_that_contradicts_those_around_narrows_nothing(late: RegisterReading) -> None:
    register = after(reading(2_000, 30), reading(6_000, 90))
    assert after(late, of=register).boundaries == register.boundaries


def test_a_station_whose_clock_is_off_is_off_at_its_start_too() -> None:
    """Two days behind, and beyond a queue's longest: what it measures is placed by how far into the charge it was."""
    off = -timedelta(days=60)
    began = replace(REGISTER, started_at=BEGAN + off)
    register = after(reading(2_000, 30, clock=off), reading(4_000, 90, clock=off), of=began)
    assert register.boundaries[0].energy_wh == 2_000


def test_a_charge_out_of_a_queue_is_placed_by_the_stations_clock() -> None:
    """Its start, its readings and its stop come five hours later."""
    late = replace(REGISTER, received_at=BEGAN + timedelta(hours=5))
    register = after(reading(2_000, 30, heard=300), of=late)
    register, _ = register.stop(reading(4_000, 90, heard=300), corrects_estimate=False)
    assert register.boundaries[0].energy_wh == 2_000


def test_a_register_that_began_again_goes_on_from_what_was_delivered() -> None:
    register = after(reading(5_000, 55), reading(0, 58), reading(400, 62))
    assert register.boundaries[0].energy_wh == 4_200


def test_readings_that_are_far_apart_make_a_guess_that_is_flagged() -> None:
    register, doubt = after(reading(2_000, 50)).read(reading(3_000, 65))
    assert (doubt, register.boundaries[0].is_estimated) == (None, False)
    register, doubt = after(reading(2_000, 50)).read(reading(3_000, 65.1))
    assert (doubt, register.boundaries[0].is_estimated) == (Doubt("boundary", 906, 900), True)
    assert register.read(reading(3_500, 90))[1] is None, "it is said once"


def test_far_apart_readings_of_the_same_register_guess_nothing() -> None:
    register, doubt = after(reading(2_000, 10)).read(reading(2_000, 90))
    assert (doubt, register.boundaries[0].energy_wh) == (None, 1_000)


def test_a_stop_a_day_late_is_a_guess_too() -> None:
    register, doubt = after(reading(2_000, 10)).stop(reading(9_000, 90, heard=2_000), corrects_estimate=True)
    assert doubt == Doubt("boundary", 80 * 60, 900)
    assert register.boundaries[0].energy_wh == 1_000 + 7_000 * 50 // 80


def test_the_word_of_a_person_passes_a_boundary_like_a_stop() -> None:
    said = after(reading(2_000, 50)).as_said(reading(5_000, 70))
    assert (said.energy_wh, said.boundaries[0].energy_wh) == (4_000, 2_500)


def test_what_is_stored_is_read_again() -> None:
    register = after(reading(2_000, 59), reading(3_000, 61))
    boundaries = (*register.boundaries, Boundary(ELEVEN + MINUTE))
    stored = boundaries_stored(boundaries)
    assert boundaries_of(stored) == boundaries
    assert (boundaries_stored(()), boundaries_of(None)) == (None, ())
