"""How fast a vehicle takes energy: full power up to 80 % of charge, then a taper down to a trickle.

Pure: vehicles are values, time is a number of seconds, and the register counts whole Wh and carries the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TAPER_FROM = 0.8  # share of the battery
TRICKLE = 0.05  # share of full power at 100 %
STEP_S = 5.0  # the taper is followed in steps of at most this


@dataclass(frozen=True, slots=True)
class Vehicle:
    """The car at the connector: `charge_wh` of `capacity_wh` are in the battery."""

    capacity_wh: int = 60_000
    charge_wh: float = 12_000.0
    power_w_max: int = 150_000

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        return self.charge_wh / self.capacity_wh

    @property
    def is_full(self) -> bool:
        return self.charge_wh >= self.capacity_wh


def power_w(vehicle: Vehicle, limit_w: float) -> float:
    """The power it draws now when the connector may give `limit_w`."""
    if vehicle.is_full:
        return 0.0
    wanted_w = float(vehicle.power_w_max)
    if vehicle.soc > TAPER_FROM:
        wanted_w *= 1 - (1 - TRICKLE) * (vehicle.soc - TAPER_FROM) / (1 - TAPER_FROM)
    return max(0.0, min(wanted_w, limit_w))


def charge(vehicle: Vehicle, limit_w: float, duration_s: float) -> tuple[Vehicle, float]:
    """The vehicle after charging for `duration_s`, and the energy in Wh that went in."""
    start_wh = vehicle.charge_wh
    while duration_s > 0 and (power := power_w(vehicle, limit_w)) > 0:
        step_s = min(duration_s, STEP_S)
        gained_wh = min(power * step_s / 3600, vehicle.capacity_wh - vehicle.charge_wh)
        vehicle = replace(vehicle, charge_wh=vehicle.charge_wh + gained_wh)
        duration_s -= step_s
    if vehicle.capacity_wh - vehicle.charge_wh < 1e-6:
        vehicle = replace(vehicle, charge_wh=float(vehicle.capacity_wh))
    return vehicle, vehicle.charge_wh - start_wh


@dataclass(frozen=True, slots=True)
class Register:
    """An energy meter: it never goes back, and shows whole Wh."""

    energy_wh: int = 0
    rest_wh: float = 0.0

    def plus(self, gained_wh: float) -> Register:
        """The register after more energy; the fraction of a Wh is kept for later."""
        total = self.rest_wh + gained_wh
        whole = int(total + 1e-9)
        return Register(self.energy_wh + whole, max(0.0, total - whole))
