"""The curve of a charge: at most 120 points of power, energy and state of charge over time.

Energy is what the gate of `metering` believes of the registers, and ends with what was billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.metering.belief import power_max_w
from evpower.metering.registers import BelievedRegister, RegisterReading

MOST_POINTS = 120
#: The end of the charge is a point of its own.
MOST_BUCKETS = MOST_POINTS - 1


@dataclass(frozen=True)
class ReadingsBucket:
    """The readings of one stretch of a charge: the highest power, the last register and state of charge."""

    #: When the last of them was measured, since the start.
    t_s: int
    power_w: float | None
    register_wh: int | None
    soc_percent: float | None
    measured_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class CurvePoint:
    """What is known of a moment, `t_s` after the start."""

    t_s: int
    power_w: int
    energy_wh: int
    soc_percent: int | None = None


@dataclass(frozen=True)
class Curve:
    """Points by time; `rising_s`: from the register where energy began to rise to the last one that rose."""

    points: tuple[CurvePoint, ...]
    rising_s: int
    max_power_w: int | None

    @property
    def soc_percents(self) -> tuple[int | None, int | None]:
        """The first and the last state of charge that is known."""
        known = [point.soc_percent for point in self.points if point.soc_percent is not None]
        return (known[0], known[-1]) if known else (None, None)


@dataclass(frozen=True)
class MeteredCharge:
    """What a curve is drawn from: the register as it began, the readings by time, and where it ended."""

    register: BelievedRegister
    buckets: Sequence[ReadingsBucket]
    #: How long it lasted.
    until_s: int
    #: What was billed.
    energy_wh: int
    #: There are values that its meter signed.
    signed: bool = False


def draw(charge: MeteredCharge) -> Curve:
    """The curve; a charge without readings has its end alone."""
    points = _points(charge)
    end = CurvePoint(charge.until_s, 0, charge.energy_wh, points[-1].soc_percent if points else None)
    if points and points[-1].energy_wh < end.energy_wh:
        end = CurvePoint(end.t_s, _mean_power_w(points[-1], end), end.energy_wh, end.soc_percent)
    elif not points and end.energy_wh:
        end = CurvePoint(end.t_s, _mean_power_w(CurvePoint(0, 0, 0), end), end.energy_wh)
    # What was measured in the last second is the end.
    drawn = (*(point for point in points if point.t_s < end.t_s), end)
    return Curve(drawn, _rising_s(drawn), max((point.power_w for point in drawn if point.power_w), default=None))


def _points(charge: MeteredCharge) -> list[CurvePoint]:
    register, before = charge.register, CurvePoint(0, 0, 0)
    points: list[CurvePoint] = []
    for bucket in charge.buckets:
        if bucket.register_wh is not None:
            reading = RegisterReading(bucket.register_wh, bucket.measured_at, bucket.received_at)
            register, _ = register.read(reading)
        soc = None if bucket.soc_percent is None else round(bucket.soc_percent)
        point = CurvePoint(bucket.t_s, 0, max(before.energy_wh, min(register.energy_wh, charge.energy_wh)), soc)
        power_w = _believed_power_w(bucket.power_w, register.rated_power_w)
        power_w = _mean_power_w(before, point) if power_w is None else power_w
        before = CurvePoint(point.t_s, power_w, point.energy_wh, soc)
        points.append(before)
    return points


def disbelieved(charge: MeteredCharge) -> tuple[CurvePoint, ...]:
    """Readings whose register was not believed, at what they would have made of the energy."""
    register, found = charge.register, list[CurvePoint]()
    for bucket in charge.buckets:
        if bucket.register_wh is None:
            continue
        reading = RegisterReading(bucket.register_wh, bucket.measured_at, bucket.received_at)
        base_wh = register.base_wh
        register, doubt = register.read(reading)
        if doubt is not None:
            found.append(CurvePoint(bucket.t_s, 0, max(0, bucket.register_wh - base_wh)))
    return tuple(found)


def _believed_power_w(power_w: float | None, rated_power_w: int | None) -> int | None:
    believed = power_w is not None and 0 <= power_w <= power_max_w(rated_power_w)
    return round(power_w) if believed and power_w is not None else None


def _mean_power_w(before: CurvePoint, after: CurvePoint) -> int:
    """Between two points, for stations that report no power."""
    time_s = after.t_s - before.t_s
    return 0 if time_s <= 0 else round((after.energy_wh - before.energy_wh) * 3600 / time_s)


def _rising_s(points: Sequence[CurvePoint]) -> int:
    began_s = ended_s = None
    before = CurvePoint(0, 0, 0)
    for point in points:
        if point.energy_wh > before.energy_wh:
            began_s = before.t_s if began_s is None else began_s
            ended_s = point.t_s
        before = point
    return 0 if began_s is None or ended_s is None else ended_s - began_s


def mean_power_w(energy_wh: int, rising: timedelta) -> int | None:
    """The average power while energy rose; None below a minute, where it says nothing."""
    if rising < timedelta(minutes=1):
        return None
    return round(energy_wh * 3600 / rising.total_seconds())
