"""The power curve and the register, without time or sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.simulator.station.power import TRICKLE, Register, Vehicle, charge, power_w

vehicles = st.builds(
    lambda capacity, soc, power: Vehicle(capacity, capacity * soc, power),
    st.integers(1_000, 120_000),
    st.floats(0, 1),
    st.integers(1_000, 350_000),
)


def test_the_connector_limits_below_the_taper() -> None:
    assert power_w(Vehicle(charge_wh=0.0), limit_w=22_000) == 22_000


def test_the_vehicle_limits_a_strong_connector() -> None:
    assert power_w(Vehicle(charge_wh=0.0, power_w_max=50_000), limit_w=120_000) == 50_000


def test_power_falls_from_80_percent_to_a_trickle_and_ends_at_full() -> None:
    at = [power_w(Vehicle(100_000, 1000.0 * percent, 100_000), 100_000) for percent in (80, 90, 99, 100)]
    assert at[0] == 100_000
    assert at == sorted(at, reverse=True)
    assert at[1] == pytest.approx(100_000 * (1 + TRICKLE) / 2)
    assert at[3] == 0


@given(vehicles, st.floats(0, 150_000), st.floats(0, 50_000))
def test_energy_never_exceeds_the_battery_nor_the_limit(vehicle: Vehicle, limit_w: float, duration_s: float) -> None:
    after, gained_wh = charge(vehicle, limit_w, duration_s)
    assert 0 <= gained_wh <= limit_w * duration_s / 3600 + 1e-3
    assert after.charge_wh <= vehicle.capacity_wh


def test_a_long_charge_fills_the_battery_exactly() -> None:
    after, gained_wh = charge(Vehicle(capacity_wh=10_000, charge_wh=1_000.0), 11_000, 24 * 3600)
    assert after.is_full
    assert gained_wh == pytest.approx(9_000)


@given(st.lists(st.floats(0, 5_000), max_size=50))
def test_a_register_shows_whole_wh_and_loses_none(gains_wh: list[float]) -> None:
    register = Register(500)
    for gained_wh in gains_wh:
        following = register.plus(gained_wh)
        assert following.energy_wh >= register.energy_wh
        register = following
    assert abs(register.energy_wh + register.rest_wh - 500 - sum(gains_wh)) < 1e-3
