"""A group's last hours as an SVG: what each connector was granted, one above the other, beneath the limit (ADR 54)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from evpower.power.service import GrantedTime, PowerMoment
from evpower.power.site import OutletId

WIDTH, HEIGHT = 1000, 240
#: Moments come once a minute; where none came for longer, nothing was known, and no line is drawn.
GAP = timedelta(seconds=150)
#: A band that is this high has room for its name.
NAMED_FROM = 14
#: Of all bands together; of many connectors the steps are wider, so that the picture stays below 100 KB.
STEPS_MOST = 6_000
HUES_APART = 137


@dataclass(frozen=True)
class Band:
    """What one connector was granted: a polygon; its name stands at `label`, when there is room for it."""

    name: str
    color: str
    points: str
    label: tuple[int, int] | None


@dataclass(frozen=True)
class DrawnGroup:
    """Bands from the bottom up; lines of the limit and of what was measured, in pieces where nothing is known."""

    bands: tuple[Band, ...]
    limits: tuple[str, ...]
    measured: tuple[str, ...]
    #: The height of the picture, in tenths of an ampere.
    most_da: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class _Scale:
    since: datetime
    until: datetime
    most_da: int = 1

    def x(self, at: datetime) -> int:
        share = (at - self.since) / (self.until - self.since)
        return round(WIDTH * min(1.0, max(0.0, share)))

    def y(self, current_da: float) -> int:
        return round(HEIGHT * (1 - current_da / self.most_da))


def draw_group(
    outlets: Sequence[OutletId],
    granted: Sequence[GrantedTime],
    moments: Sequence[PowerMoment],
    since: datetime,
    until: datetime,
) -> DrawnGroup | None:
    """None without anything to draw. `outlets` are on the same conductor, from the bottom up; each keeps its colour."""
    if not granted and not moments:
        return None
    steps, across = _steps(granted), _Scale(since, until)
    places = _places(_times(granted, since, until), len(steps), across)
    # A hair behind the place, so that the change that made it has happened.
    looks = [since + (until - since) * (place + 0.5) / WIDTH for place in places[:-1]]
    held = {outlet: [_held(of, at) for at in looks] for outlet, of in steps.items()}
    sums = [sum(together) for together in zip(*held.values(), strict=True)]
    known = [each for moment in moments for each in (moment.limit_da, moment.measured_da)]
    scale = replace(across, most_da=max(10, *known, *sums) * 11 // 10)
    return DrawnGroup(
        tuple(_bands(outlets, held, places, scale)),
        tuple(_lines(moments, [each.limit_da for each in moments], scale, is_stepped=True)),
        tuple(_lines(moments, [each.measured_da for each in moments], scale, is_stepped=False)),
        scale.most_da,
        since,
        until,
    )


def color_of(number: int) -> str:
    """A colour for each connector, far from those of its neighbours, on light and on dark ground."""
    return f"hsl({number * HUES_APART % 360} 50% 55%)"


def _times(granted: Iterable[GrantedTime], since: datetime, until: datetime) -> list[datetime]:
    inside = {at for each in granted for at in (each.since, each.until) if since < at < until}
    return sorted({since, until, *inside})


def _places(times: Iterable[datetime], bands: int, scale: _Scale) -> list[int]:
    """Where something changes, from left to right."""
    wide = max(1, ceil(WIDTH * bands / STEPS_MOST))
    return sorted({WIDTH, *(scale.x(at) // wide * wide for at in times)})


def _steps(granted: Iterable[GrantedTime]) -> dict[OutletId, tuple[list[datetime], list[int]]]:
    """When each connector's grant changes, and to what; a renewal is no change."""
    found = defaultdict[OutletId, tuple[list[datetime], list[int]]](lambda: ([], []))
    for each in granted:
        times, values = found[each.outlet]
        if times and times[-1] >= each.since:
            times.pop()
            values.pop()
        if not values or values[-1] != each.current_da:
            times.append(each.since)
            values.append(each.current_da)
        times.append(each.until)
        values.append(0)
    return dict(found)


def _held(steps: tuple[list[datetime], list[int]], at: datetime) -> int:
    place = bisect_right(steps[0], at)
    return steps[1][place - 1] if place else 0


def _bands(
    outlets: Sequence[OutletId], held: Mapping[OutletId, Sequence[int]], places: Sequence[int], scale: _Scale
) -> Iterator[Band]:
    """From one change to the next each band is a step; equal neighbours are one."""
    below, last = [0] * (len(places) - 1), len(places) - 2
    for number, outlet in enumerate(outlets):
        if outlet not in held:
            continue
        above = [base + more for base, more in zip(below, held[outlet], strict=True)]
        top, bottom = _outline(places, above, scale), _outline(places, below, scale)
        high = scale.y(below[last]) - scale.y(above[last])
        label = (WIDTH - 6, (scale.y(below[last]) + scale.y(above[last])) // 2 + 5) if high >= NAMED_FROM else None
        points = " ".join((*top, *reversed(bottom)))
        yield Band(f"{outlet[0]}/{outlet[1]}", color_of(number), points, label)
        below = above


def _outline(places: Sequence[int], heights: Sequence[int], scale: _Scale) -> list[str]:
    points, before = list[str](), -1
    for left, height in zip(places, heights, strict=False):
        if height != before:
            points += [f"{left},{scale.y(before)}"] if before >= 0 else []
            points.append(f"{left},{scale.y(height)}")
            before = height
    return [*points, f"{places[-1]},{scale.y(before)}"]


def _lines(moments: Sequence[PowerMoment], values: Sequence[int], scale: _Scale, *, is_stepped: bool) -> Iterator[str]:
    """A line for each time without a gap; a limit holds until it is another one."""
    line, before = list[str](), None
    for moment, value in zip(moments, values, strict=True):
        x, y = scale.x(moment.at), scale.y(value)
        if before is not None and moment.at - before[0] > GAP:
            yield " ".join(line)
            line = []
        elif before is not None and is_stepped and before[1] != y:
            line.append(f"{x},{before[1]}")
        line.append(f"{x},{y}")
        before = (moment.at, y)
    if line:
        yield " ".join(line)
