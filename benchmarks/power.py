"""`python -m benchmarks.power`: how long the allocation of a site with 200 cars takes; under 10 ms is wanted."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from evpower.identifiers import ConnectorId, StationId
from evpower.power.allocation import Wish, allocate
from evpower.power.site import Group, GroupId, Member, Site

CARS = 200
ROUNDS = 50
NOW = datetime(2026, 1, 14, tzinfo=UTC)


def main() -> None:
    """Print the median and the worst of the rounds."""
    site, wishes = crowded(random.Random(1))
    limits = site.limits(NOW, NOW)
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        allocate(site, limits, wishes, NOW)
        times.append(1000 * (perf_counter() - began))
    print(f"{CARS} cars, 21 groups: median {median(times):.1f} ms, worst {max(times):.1f} ms of {ROUNDS}")


def crowded(chance: random.Random) -> tuple[Site, list[Wish]]:
    """A grid connection, four panels, four circuits under each, and more cars than can charge."""
    groups = [Group(GroupId(1), None, 12_000)]
    groups += [Group(GroupId(2 + n), GroupId(1), 3_500) for n in range(4)]
    groups += [Group(GroupId(6 + n), GroupId(2 + n // 4), 900) for n in range(16)]
    phases = [(1,), (2,), (3,), (1, 2, 3)]
    members = [
        Member((StationId(f"S{n}"), ConnectorId(1)), GroupId(6 + n % 16), chance.choice(phases)) for n in range(CARS)
    ]
    wishes = [
        Wish(
            member,
            chance.randint(60, 320),
            NOW,
            energy_wh=chance.randint(0, 40_000),
            weight=chance.choice((1, 2, 3)),
            needed_da=chance.randint(0, 320),
            leaves_at=chance.choice((None, NOW + timedelta(hours=2))),
        )
        for member in members
    ]
    return Site(groups, members, ZoneInfo("Asia/Bishkek")), wishes


if __name__ == "__main__":
    main()
