"""What a curve makes of readings: believed registers, the highest power, the time in which energy rose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from evpower.history.curve import Curve, MeteredCharge, ReadingsBucket, draw, mean_power_w
from evpower.metering.registers import BelievedRegister
from tests.worlds.fakes import NOON

REGISTER = BelievedRegister(1_000, NOON, NOON, 22_000, base_wh=1_000, last_wh=1_000)


def bucket(t_s: int, register_wh: int | None, power_w: float | None = None, soc: float | None = None) -> ReadingsBucket:
    at = NOON + timedelta(seconds=t_s)
    return ReadingsBucket(t_s, power_w, register_wh, soc, at, at)


def drawn(*buckets: ReadingsBucket, until_s: int = 600, energy_wh: int = 2_000) -> Curve:
    return draw(MeteredCharge(REGISTER, buckets, until_s, energy_wh))


def test_a_charge_without_readings_is_its_end_at_its_mean_power() -> None:
    curve = drawn()
    assert [(each.t_s, each.energy_wh, each.power_w) for each in curve.points] == [(600, 2_000, 12_000)]
    assert (curve.rising_s, curve.max_power_w) == (600, 12_000)


def test_a_register_that_is_not_believed_does_not_rise() -> None:
    curve = drawn(bucket(60, 900_000_000), bucket(120, 1_300))
    assert [each.energy_wh for each in curve.points] == [0, 300, 2_000]


def test_energy_does_not_pass_what_was_billed() -> None:
    assert [each.energy_wh for each in drawn(bucket(300, 3_500), energy_wh=2_000).points] == [2_000, 2_000]


def test_a_power_the_connector_cannot_give_is_replaced_by_the_registers() -> None:
    assert [each.power_w for each in drawn(bucket(60, 1_200, power_w=900_000)).points] == [12_000, 12_000]


def test_a_negative_power_is_none() -> None:
    assert drawn(bucket(60, 1_000, power_w=-5_000)).points[0].power_w == 0


def test_the_car_that_is_full_makes_no_lower_average() -> None:
    curve = drawn(bucket(60, 1_000), bucket(120, 1_000), bucket(300, 3_000), until_s=7_200)
    assert curve.rising_s == 180
    assert mean_power_w(2_000, timedelta(seconds=180)) == 40_000


def test_below_a_minute_there_is_no_average() -> None:
    assert mean_power_w(2_000, timedelta(seconds=59)) is None
    assert mean_power_w(2_000, timedelta(seconds=60)) == 120_000


def test_the_state_of_charge_goes_on_to_the_end() -> None:
    assert [each.soc_percent for each in drawn(bucket(60, 1_200, soc=40.4)).points] == [40, 40]


def test_what_was_measured_in_the_last_second_is_the_end() -> None:
    assert [each.t_s for each in drawn(bucket(60, 1_200), bucket(600, 3_000)).points] == [60, 600]


def test_a_register_that_restarts_lower_goes_on_from_its_segment() -> None:
    restarted = replace(REGISTER, base_wh=500_000, last_wh=500_000, start_wh=500_000)
    curve = draw(MeteredCharge(restarted, [bucket(60, 500_300), bucket(120, 10), bucket(180, 310)], 600, 2_000))
    assert [each.energy_wh for each in curve.points] == [300, 300, 600, 2_000]
