"""The curve of a charge as the points of an SVG: drawn by the server, so that it is there without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.history.curve import Curve

WIDTH, HEIGHT = 1000, 200


@dataclass(frozen=True)
class DrawnCurve:
    """Lines of energy and power over the time of the charge; the limit's height, when it has one and it is in sight."""

    energy: str
    power: str
    limit_y: int | None
    energy_max_wh: int
    power_max_w: int
    minutes: int


def draw_curve(curve: Curve | None, limit_wh: int | None) -> DrawnCurve | None:
    """None without at least two points."""
    if curve is None or len(curve.points) < 2:
        return None
    duration_s = max(1, curve.points[-1].t_s)
    energy_max = max(1, limit_wh or 0, *(point.energy_wh for point in curve.points))
    power_max = max(1, *(point.power_w for point in curve.points))
    energy = " ".join(_at(point.t_s / duration_s, point.energy_wh / energy_max) for point in curve.points)
    power = " ".join(_at(point.t_s / duration_s, point.power_w / power_max) for point in curve.points)
    limit_y = None if limit_wh is None else round(HEIGHT * (1 - limit_wh / energy_max))
    return DrawnCurve(energy, power, limit_y, energy_max, power_max, duration_s // 60)


def _at(across: float, up: float) -> str:
    return f"{across * WIDTH:.0f},{HEIGHT * (1 - up):.0f}"
