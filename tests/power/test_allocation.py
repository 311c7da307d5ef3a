"""The allocation: worked examples of roadmap/smart-charging §8, and what holds of every one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.power.allocation import Wish, allocate, demand_da
from evpower.power.site import Group, GroupId, Member, OutletId, Site
from tests.power.sites import BISHKEK, NOW, ROOT, member, outlet, shares, site

MINUTES_15 = timedelta(minutes=15)


def wish(of: Member, wanted_a: float = 32, **other: object) -> Wish:
    return Wish(of, round(wanted_a * 10), NOW + timedelta(seconds=of.outlet[1]), **other)  # type: ignore[arg-type]  # given by name


@pytest.mark.parametrize(("cars", "each"), [(1, 32.0), (2, 20.0), (3, 13.3)])
def test_cars_share_a_limit_evenly(cars: int, each: float) -> None:
    """§8 row 1."""
    members = [member(n) for n in range(1, 4)]
    assert shares(site(40, *members), *(wish(one) for one in members[:cars])) == [each] * cars


def test_who_does_not_fit_waits_for_a_turn_of_fifteen_minutes() -> None:
    """§8 row 2: three of four charge; the fourth, who was served least, is next when a turn is over."""
    members = [member(n) for n in range(1, 5)]
    first = [wish(one, held_since=NOW, energy_wh=100 * n) for n, one in enumerate(members[:3], 1)]
    fourth = wish(members[3], waits_since=NOW)
    on = site(20, *members)
    assert shares(on, *first, fourth) == [6.6, 6.6, 6.6, 0]
    assert shares(on, *first, fourth, after=MINUTES_15 - timedelta(seconds=1)) == [6.6, 6.6, 6.6, 0]
    assert shares(on, *first, fourth, after=MINUTES_15) == [6.6, 6.6, 0, 6.6]


def test_what_one_does_not_draw_the_others_get() -> None:
    """§8 row 3: A was measured at 10 of its 20, so it wants 12."""
    a, b = member(1), member(2)
    assert shares(site(40, a, b), wish(a, 12), wish(b)) == [12, 28]


def test_every_phase_holds() -> None:
    """§8 row 4."""
    a, b, c, d = member(1, phases=(1,)), member(2, phases=(1,)), member(3), member(4, phases=(2,))
    on = site(25, a, b, c, d)
    assert shares(on, wish(a), wish(b), wish(c)) == [8.3, 8.3, 8.3]
    assert shares(on, wish(a), wish(b), wish(c), wish(d)) == [8.3, 8.3, 8.3, 16.6]


def test_every_ancestor_holds() -> None:
    panel, circuit = GroupId(2), GroupId(3)
    groups = (Group(panel, ROOT, 300), Group(circuit, panel, 100))
    members = (member(1), member(2, panel), member(3, circuit))
    assert shares(site(50, *members, groups=groups), *map(wish, members)) == [20.0, 20.0, 10.0]


def test_fast_gets_more_and_green_less_of_what_is_left() -> None:
    """§2.3: 40 - 18 = 22 in parts of 3, 2 and 1."""
    members = [member(n) for n in (1, 2, 3)]
    wishes = [wish(one, weight=weight) for one, weight in zip(members, (3, 2, 1), strict=True)]
    assert shares(site(40, *members), *wishes) == [17.0, 13.3, 9.6]


def test_a_departure_gets_what_it_needs_and_no_more_than_there_is() -> None:
    a, b = member(1), member(2)
    on, leaves = site(32, a, b), NOW + timedelta(hours=2)
    assert shares(on, wish(a, needed_da=200, leaves_at=leaves), wish(b)) == [20, 12]
    assert shares(on, wish(a, needed_da=320, leaves_at=leaves), wish(b)) == [26, 6]
    assert shares(on, wish(a, needed_da=100, leaves_at=leaves), wish(b)) == [16, 16]


def test_priority_then_energy_then_arrival_decide_who_waits() -> None:
    a, b, c = (member(n) for n in (1, 2, 3))
    on = site(13, a, b, c)
    assert shares(on, wish(a, priority=1), wish(b), wish(c)) == [0, 6.5, 6.5]
    assert shares(on, wish(a), wish(b, energy_wh=1), wish(c)) == [6.5, 0, 6.5]
    assert shares(on, wish(a), wish(b), wish(c)) == [6.5, 6.5, 0]


def test_who_waited_long_is_next_whatever_it_had() -> None:
    """A car that had much before the others came would wait for hours until they have as much."""
    a, b = member(1), member(2)
    held = wish(a, held_since=NOW - MINUTES_15, energy_wh=10)
    assert shares(site(10, a, b), held, wish(b, energy_wh=9_000, waits_since=NOW - MINUTES_15)) == [10, 0]
    waits_long = wish(b, energy_wh=9_000, waits_since=NOW - timedelta(minutes=16), priority=1)
    assert shares(site(10, a, b), held, waits_long) == [0, 10]
    held = replace(held, held_since=NOW - timedelta(minutes=14))
    assert shares(site(10, a, b), held, waits_long) == [10, 0]


def test_for_who_waited_long_its_phases_are_kept_until_all_are_free() -> None:
    """The turns of cars on one phase each end at different moments: a car on three would never find all free."""
    a, b, c, three = member(1, phases=(1,)), member(2, phases=(2,)), member(3, phases=(1,)), member(4)
    on = site(8, a, b, c, three)
    a_held = wish(a, held_since=NOW - timedelta(minutes=5))
    b_over, c_waits = wish(b, held_since=NOW - MINUTES_15), wish(c, waits_since=NOW)
    waits = wish(three, energy_wh=9_000, waits_since=NOW - timedelta(minutes=20))
    assert shares(on, a_held, b_over, c_waits, waits) == [8, 0, 0, 0]
    assert shares(on, wish(a, held_since=NOW - MINUTES_15), b_over, c_waits, waits) == [0, 0, 0, 8]


@pytest.mark.parametrize(("minutes", "b_gets"), [(0, 8), (1, 8), (2, 0)])
def test_on_what_is_kept_a_turn_may_begin_that_is_over_when_the_rest_is_free(minutes: int, b_gets: float) -> None:
    """It keeps nobody waiting, and for a quarter of an hour nothing else could flow there."""
    a, b, three = member(1, phases=(1,)), member(2, phases=(2,)), member(3)
    a_held = wish(a, held_since=NOW - timedelta(minutes=minutes), waits_since=NOW - timedelta(minutes=40))
    waits = wish(three, waits_since=NOW - timedelta(minutes=30))
    assert shares(site(8, a, b, three), a_held, wish(b, waits_since=NOW), waits) == [8, b_gets, 0]
    rest = wish(b, waits_since=NOW, had_of_turn=timedelta(minutes=minutes))
    assert shares(site(8, a, b, three), a_held, rest, waits) == [8, 8, 0]


@pytest.mark.parametrize(
    ("long_min", "held_min", "waited_min", "gives_way"),
    [(30, 9, 0, True), (30, 14, 0, True), (29, 14, 0, False), (30, 9, 31, False), (30, 9, 29, True), (15, 0, 0, False)],
)
def test_a_turn_that_began_where_another_had_waited_long_and_longer_is_lent(
    long_min: int, held_min: int, waited_min: int, gives_way: bool
) -> None:
    """It could not charge then, because of a fault; when it can, nobody waits another quarter of an hour for that."""
    a, b = member(1), member(2)
    held_since = NOW - timedelta(minutes=held_min)
    held = wish(a, held_since=held_since, waits_since=NOW - timedelta(minutes=waited_min) if waited_min else None)
    waits = wish(b, energy_wh=9_000, waits_since=NOW - timedelta(minutes=long_min))
    assert shares(site(10, a, b), held, waits) == ([0, 10] if gives_way else [10, 0])
    elsewhere = [member(1, phases=(1,)), member(2, phases=(2,))]
    on = site(10, *elsewhere)
    assert shares(on, replace(held, member=elsewhere[0]), replace(waits, member=elsewhere[1])) == [10, 10]
    limits = on.limits(NOW, NOW) | {(ROOT, 1): 100, (ROOT, 2): 50}
    lent = [replace(held, member=elsewhere[0]), replace(waits, member=b)]
    assert list(allocate(site(10, elsewhere[0], b), limits, lent, NOW).values()) == [100, 0], "it still cannot"


def test_nothing_is_kept_for_who_could_not_charge_alone() -> None:
    a, b, three = member(1, phases=(1,)), member(2, phases=(2,)), member(3)
    on = site(8, a, b, three)
    waits = wish(three, waits_since=NOW - timedelta(minutes=20))
    limits = on.limits(NOW, NOW) | {(ROOT, 3): 50}
    granted = allocate(on, limits, [wish(a), wish(b), waits], NOW)
    assert [granted[outlet(n)] for n in (1, 2, 3)] == [80, 80, 0]


def test_less_than_charges_a_car_is_no_grant() -> None:
    a, b = member(1), member(2)
    assert shares(site(40, a, b), wish(a, 3), wish(b)) == [6, 32]
    assert shares(site(5.9, a, b), wish(a), wish(b)) == [0, 0]
    assert shares(site(40, a, b), wish(a, 0), wish(b)) == [0, 32]


# ------------------------------------------------------------------------------------------------ what always holds


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Site, list[Wish]]:
    """A tree of up to five groups, and cars of every kind at it."""
    limits = draw(st.lists(st.integers(0, 800), min_size=1, max_size=5))
    groups = [
        Group(GroupId(n), None if n == 1 else GroupId(draw(st.integers(1, n - 1))), limit_da)
        for n, limit_da in enumerate(limits, 1)
    ]
    phases = st.sampled_from([(1,), (2,), (3,), (1, 2, 3)])
    members = [
        Member(outlet(n), GroupId(draw(st.integers(1, len(groups)))), draw(phases), max_da=draw(st.integers(60, 320)))
        for n in range(1, draw(st.integers(1, 8)) + 1)
    ]
    wishes = [
        Wish(
            one,
            draw(st.sampled_from([0, 30, 60, 97, 160, 320])),
            NOW,
            energy_wh=draw(st.integers(0, 3)),
            weight=draw(st.sampled_from([1, 2, 3])),
            held_since=draw(st.sampled_from([None, NOW, NOW - MINUTES_15])),
            needed_da=draw(st.sampled_from([0, 80, 250])),
            leaves_at=draw(st.sampled_from([None, NOW + MINUTES_15])),
        )
        for one in members
    ]
    return Site(groups, members, BISHKEK), wishes


def granted(world: tuple[Site, list[Wish]]) -> dict[OutletId, int]:
    on, wishes = world
    return allocate(on, on.limits(NOW, NOW), wishes, NOW)


@given(worlds())
def test_no_conductor_carries_more_than_its_limit(world: tuple[Site, list[Wish]]) -> None:
    on, _ = world
    limits = on.limits(NOW, NOW)
    for conductor, load in on.loads(granted(world)).items():
        assert load <= limits[conductor], conductor


@given(worlds())
def test_nobody_gets_more_than_it_can_use_or_less_than_charges(world: tuple[Site, list[Wish]]) -> None:
    grants = granted(world)
    for one in world[1]:
        assert grants[one.member.outlet] in (0, *range(one.member.min_da, demand_da(one) + 1))


@given(worlds())
def test_who_has_less_than_it_wants_is_held_by_a_full_conductor_where_nobody_could_give(
    world: tuple[Site, list[Wish]],
) -> None:
    """Weighted max-min: on that conductor nobody has risen further than it, in the measure of weights.

    Rounding down leaves up to a tenth for each that shares the conductor. Who needs more to leave on time may have it.
    """
    on, wishes = world
    grants, limits = granted(world), on.limits(NOW, NOW)
    loads = on.loads(grants)
    level = {
        one.member.outlet: (grants[one.member.outlet] - one.member.min_da) / one.weight
        for one in wishes
        if grants[one.member.outlet]
    }
    free = {one.member.outlet for one in wishes if one.leaves_at is None}
    for one in wishes:
        at = one.member.outlet
        if not grants[at] or grants[at] >= demand_da(one):
            continue
        sharing = {
            conductor: [other for other in level if conductor in on.conductors[other]]
            for conductor in on.conductors[at]
        }
        full = [conductor for conductor in sharing if loads[conductor] + len(sharing[conductor]) > limits[conductor]]
        assert full, "there was room"
        assert any(
            all(level[other] <= level[at] + 1.01 for other in sharing[conductor] if other in free) for conductor in full
        ), "somebody could have given"


@given(worlds())
def test_nobody_waits_where_its_least_would_fit_beside_the_least_of_all_others(
    world: tuple[Site, list[Wish]],
) -> None:
    on, wishes = world
    grants, limits = granted(world), on.limits(NOW, NOW)
    least = {one.member.outlet: one.member.min_da for one in wishes if grants[one.member.outlet]}
    for one in wishes:
        if one.wanted_da and not grants[one.member.outlet]:
            loads = on.loads({**least, one.member.outlet: one.member.min_da})
            assert any(loads[conductor] > limits[conductor] for conductor in on.conductors[one.member.outlet])
