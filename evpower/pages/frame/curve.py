"""The curve of a charge as the points of an SVG: drawn by the server, so that it is there without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.history.curve import Curve, CurvePoint

WIDTH, HEIGHT = 1000, 200


@dataclass(frozen=True)
class CurveMarks:
    """What is marked beside the lines: the limit, readings not believed, and when its stop was planned for."""

    limit_wh: int | None = None
    disbelieved: Sequence[CurvePoint] = ()
    stop_s: int | None = None


@dataclass(frozen=True)
class DrawnCurve:
    """Lines of energy, power and state of charge over the time of the charge; heights and places of what is marked."""

    energy: str
    power: str
    soc: str
    limit_y: int | None
    stop_x: int | None
    #: Readings that were not believed.
    hollow: tuple[str, ...]
    energy_max_wh: int
    power_max_w: int
    minutes: int


def draw_curve(curve: Curve | None, marks: CurveMarks) -> DrawnCurve | None:
    """None without at least two points. A reading beyond everything believed is drawn at the edge."""
    if curve is None or len(curve.points) < 2:
        return None
    duration_s = max(1, curve.points[-1].t_s, marks.stop_s or 0)
    energy_max = max(1, marks.limit_wh or 0, *(point.energy_wh for point in curve.points))
    power_max = max(1, *(point.power_w for point in curve.points))
    soc = [(point.t_s, point.soc_percent) for point in curve.points if point.soc_percent is not None]
    return DrawnCurve(
        energy=" ".join(_at(point.t_s / duration_s, point.energy_wh / energy_max) for point in curve.points),
        power=" ".join(_at(point.t_s / duration_s, point.power_w / power_max) for point in curve.points),
        soc=" ".join(_at(t_s / duration_s, percent / 100) for t_s, percent in soc) if len(soc) > 1 else "",
        limit_y=None if marks.limit_wh is None else round(HEIGHT * (1 - marks.limit_wh / energy_max)),
        stop_x=None if marks.stop_s is None else round(WIDTH * marks.stop_s / duration_s),
        hollow=tuple(
            _at(min(1, each.t_s / duration_s), min(1, each.energy_wh / energy_max)).replace(",", " ")
            for each in marks.disbelieved
        ),
        energy_max_wh=energy_max,
        power_max_w=power_max,
        minutes=duration_s // 60,
    )


def _at(across: float, up: float) -> str:
    return f"{across * WIDTH:.0f},{HEIGHT * (1 - up):.0f}"
