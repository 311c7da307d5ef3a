"""Commands in an order that keeps the sum of what may be drawn below the limit (roadmap/smart-charging §3, §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from evpower.power.allocation import Wish, had_of_turn
from evpower.power.planning import Order, Planner, plan, possible_loads
from evpower.power.possible_draw import LEASE, LONG_LEASE, GrantAnswer, MemberState
from evpower.power.site import LimitHours, OutletId, Site
from evpower.power.states import answered, began, expired, turned
from tests.power.simulated_site import World
from tests.power.sites import BISHKEK, NOW, ROOT, member, outlet, site


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


class Desk:
    """A site of sockets of 32 A, three phases each; what happens at each is written by the test."""

    def __init__(self, limit_a: float, sockets: int, failsafe_a: float = 0) -> None:
        members = [member(n, failsafe_da=round(failsafe_a * 10)) for n in range(1, sockets + 1)]
        self.site: Site = site(limit_a, *members)
        self.states: dict[OutletId, MemberState] = {each.outlet: MemberState(each, is_online=True) for each in members}
        self.now: datetime = NOW

    def card(self, n: int) -> None:
        """A card began a charge."""
        state = self.states[outlet(n)]
        self.states[outlet(n)] = began(replace(state, wish=Wish(state.member, 320, self.now)), self.now)

    def change(self, n: int, **changes: object) -> None:
        self.states[outlet(n)] = replace(self.states[outlet(n)], **changes)  # type: ignore[arg-type]  # by name

    def look(self) -> Mapping[int, float]:
        """What is sent at this moment, in amperes."""
        self.states = {key: turned(expired(state, self.now), self.now) for key, state in self.states.items()}
        orders = plan(self.site, self.states, self.now)
        for order in orders:
            self._note(order)
        return {order.outlet[1]: order.grant.current_da / 10 for order in orders}

    def _note(self, order: Order) -> None:
        state = self.states[order.outlet]
        self.states[order.outlet] = replace(state, grants=(*state.grants, order.grant))

    def answer(self, *sockets: int, answer: GrantAnswer = GrantAnswer.ACCEPTED) -> None:
        for n in sockets:
            sent_at = self.states[outlet(n)].grants[-1].sent_at
            self.states[outlet(n)] = answered(self.states[outlet(n)], sent_at, answer, self.now)

    def settle(self) -> Mapping[int, float]:
        """Everybody answers at once, until nothing more is sent; what each was granted last."""
        last: dict[int, float] = {}
        while sent := self.look():
            self.answer(*sent)
            last |= sent
            self.now += seconds(10)
        return last

    def possible_a(self) -> float:
        loads = possible_loads(self.site, self.states.values(), self.now, self.now)
        return max(loads.values(), default=0) / 10


def test_one_two_and_three_cars_share_forty_amperes() -> None:
    """§8 row 1, over commands."""
    desk = Desk(40, 3)
    for cars, each in ((1, 32.0), (2, 20.0), (3, 13.3)):
        desk.card(cars)
        desk.settle()
        granted = [state.grants[-1].current_da / 10 for state in desk.states.values() if state.wish]
        assert granted == [each] * cars
        assert desk.possible_a() <= 40


def test_a_raise_waits_for_the_answer_to_what_was_lowered() -> None:
    desk = Desk(40, 2)
    desk.card(1)
    desk.settle()
    desk.card(2)
    assert desk.look() == {1: 20, 2: 8}
    assert desk.look() == {}
    desk.answer(1, 2)
    assert desk.look() == {}, "one command in ten seconds"
    desk.now += seconds(10)
    assert desk.look() == {2: 20}


def test_a_lowering_that_is_not_answered_frees_nothing_until_the_lease_ends() -> None:
    """§8 row 6."""
    desk = Desk(40, 2)
    desk.card(2)
    desk.settle()
    lease_ends = desk.states[outlet(2)].grants[-1].ends_by
    assert lease_ends is not None
    desk.card(1)
    assert desk.look() == {1: 8, 2: 20}
    desk.answer(1)
    desk.answer(2, answer=GrantAnswer.LOST)
    desk.change(2, is_online=False)
    while desk.now < lease_ends - seconds(1):
        desk.now += seconds(1)
        assert desk.look().get(1, 8) == 8
        if desk.states[outlet(1)].waits():
            desk.answer(1)
        assert desk.possible_a() <= 40
    desk.now = desk.states[outlet(2)].grants[-1].ends_by or desk.now
    assert desk.look() == {1: 32}


def test_a_limit_that_will_be_less_is_kept_to_before() -> None:
    """A lease never reaches into an hour whose limit it would break, so it is lowered 330 s before."""
    desk = Desk(32, 1)
    peak = LimitHours(frozenset({3}), time(18), time(22), 160)
    desk.site = Site([replace(desk.site.groups[ROOT], schedule=(peak,))], desk.site.members.values(), BISHKEK)
    desk.card(1)
    desk.now = NOW.replace(hour=11, minute=54, second=29)  # 17:54:29 there
    assert desk.look() == {1: 32}
    desk.answer(1)
    desk.now = NOW.replace(hour=11, minute=54, second=30)
    assert desk.look() == {1: 16}
    desk.answer(1)
    desk.now = NOW.replace(hour=15, minute=59, second=59)
    assert desk.look() == {1: 16}
    desk.answer(1)
    desk.now = NOW.replace(hour=16, second=9)
    assert desk.look() == {1: 32}


def test_a_pause_that_cannot_be_renewed_is_counted_before_it_ends() -> None:
    """Its socket is open and no command is answered: by the end of its lease nobody draws what it will rest at."""
    desk = Desk(20, 2, failsafe_a=10)
    desk.card(1)
    desk.settle()
    desk.card(2)
    desk.change(2, wish=replace(desk.states[outlet(2)].wish, wanted_da=0))  # type: ignore[type-var]  # it has one
    desk.settle()
    pause_ends = desk.states[outlet(2)].grants[-1].ends_from
    while desk.now < pause_ends + seconds(60):
        sent = desk.look()
        assert desk.possible_a() <= 20
        desk.now += seconds(5)
        for n in sent:
            desk.answer(n, answer=GrantAnswer.ACCEPTED if n == 1 else GrantAnswer.LOST)


def test_what_will_rest_above_its_grant_is_counted_before_its_lease_ends() -> None:
    """A paused member that cannot be reached any more draws its failsafe when its pause ends."""
    desk = Desk(20, 2, failsafe_a=10)
    desk.card(1)
    desk.settle()
    desk.card(2)
    desk.change(2, wish=replace(desk.states[outlet(2)].wish, wanted_da=0))  # type: ignore[type-var]  # it has one
    desk.settle()
    pause = desk.states[outlet(2)].grants[-1]
    assert (pause.current_da, pause.duration) == (0, LONG_LEASE)
    desk.change(2, is_online=False)
    while desk.now < pause.ends_from + seconds(60):
        for n in desk.look():
            desk.answer(n)
        assert desk.possible_a() <= 20
        desk.now += seconds(1)
    assert desk.states[outlet(1)].grants[-1].current_da == 100


def test_a_lease_is_renewed_after_two_minutes_with_what_it_had() -> None:
    desk = Desk(40, 1)
    desk.card(1)
    desk.settle()
    sent_at = desk.states[outlet(1)].grants[-1].sent_at
    desk.now = sent_at + seconds(119)
    assert desk.look() == {}
    desk.now = sent_at + seconds(120)
    assert desk.look() == {1: 32}
    assert desk.states[outlet(1)].grants[-1].duration == LEASE


def test_less_than_one_ampere_is_not_sent_and_a_raise_not_within_ten_seconds() -> None:
    desk = Desk(40, 2)
    desk.card(1)
    desk.settle()
    desk.change(1, wish=replace(desk.states[outlet(1)].wish, wanted_da=311))  # type: ignore[type-var]  # it has one
    assert desk.look() == {}
    desk.change(1, wish=replace(desk.states[outlet(1)].wish, wanted_da=310))  # type: ignore[type-var]  # it has one
    assert desk.look() == {1: 31}
    desk.answer(1)
    desk.change(1, wish=replace(desk.states[outlet(1)].wish, wanted_da=200))  # type: ignore[type-var]  # it has one
    desk.now += seconds(1)
    assert desk.look() == {1: 20}, "lowering does not wait"
    desk.answer(1)
    desk.change(1, wish=replace(desk.states[outlet(1)].wish, wanted_da=320))  # type: ignore[type-var]  # it has one
    desk.now += seconds(9)
    assert desk.look() == {}
    desk.now += seconds(1)
    assert desk.look() == {1: 32}


@pytest.mark.parametrize(
    ("changes", "counts_a"),
    [
        ({}, 0.0),
        ({"is_online": False}, 8.0),
        ({"is_uncontrolled": True}, 32.0),
        ({"is_online": False, "is_uncontrolled": True}, 32.0),
        ({"is_online": False, "has_failsafe": False}, 32.0),
    ],
)
def test_what_an_idle_member_counts(changes: Mapping[str, bool], counts_a: float) -> None:
    desk = Desk(40, 1, failsafe_a=8)
    desk.change(1, **changes)
    assert desk.possible_a() == counts_a


def test_an_offline_charge_counts_its_grant_then_its_failsafe() -> None:
    desk = Desk(40, 1, failsafe_a=8)
    desk.card(1)
    assert desk.possible_a() == 8, "a card's, until its first profile is acknowledged"
    desk.settle()
    desk.change(1, is_online=False)
    ends_by = desk.states[outlet(1)].grants[-1].ends_by
    assert ends_by is not None
    assert desk.possible_a() == 32
    desk.now = ends_by - seconds(1)
    assert desk.possible_a() == 32
    desk.now = ends_by
    assert desk.possible_a() == 8


def test_a_refusal_changes_nothing_at_its_station() -> None:
    desk = Desk(40, 2)
    desk.card(1)
    desk.settle()
    desk.card(2)
    desk.look()
    desk.answer(1, answer=GrantAnswer.REFUSED)
    assert desk.states[outlet(1)].most_da(desk.now, desk.now) == 320


def test_what_an_uncontrolled_member_can_draw_is_taken_from_the_others() -> None:
    desk = Desk(40, 2)
    desk.card(1)
    desk.card(2)
    desk.settle()
    desk.change(2, is_uncontrolled=True)
    assert desk.look()[1] == 8


def test_what_is_measured_above_an_accepted_grant_is_not_given_to_others() -> None:
    """Non-obedient: its acknowledgement frees only what is measured to be free."""
    desk = Desk(40, 2)
    desk.card(1)
    desk.settle()
    desk.card(2)
    desk.look()
    desk.answer(1, 2)
    desk.change(1, measured_da=320, measured_at=desk.now + seconds(5))
    desk.now += seconds(10)
    assert desk.look() == {}
    desk.change(1, measured_da=200, measured_at=desk.now)
    assert desk.look() == {2: 20}


def test_a_start_carries_what_is_free_and_waits_for_the_rest() -> None:
    desk = Desk(40, 3)
    wish = Wish(desk.states[outlet(1)].member, 320, desk.now)
    first = Planner(desk.site, desk.states, desk.now).first_grant(outlet(1), wish)
    assert (first.current_da, first.ends_by) == (320, None)
    desk.change(1, wish=wish, has_begun=False, grants=(first,))
    assert desk.possible_a() == 32, "from the moment it is asked for"
    assert desk.look() == {}, "nothing is sent to a charge that has not begun"
    second = Planner(desk.site, desk.states, desk.now).first_grant(outlet(2), replace(wish, member=member(2)))
    assert second.current_da == 80
    desk.now += seconds(20)
    desk.states[outlet(1)] = began(desk.states[outlet(1)], desk.now)
    assert desk.states[outlet(1)].grants[-1].ends_by == desk.now + LEASE


def test_a_start_with_no_room_is_a_pause() -> None:
    desk = Desk(35, 2)
    desk.card(1)
    desk.settle()
    wish = Wish(desk.states[outlet(2)].member, 320, desk.now)
    assert Planner(desk.site, desk.states, desk.now).first_grant(outlet(2), wish).current_da == 0


@pytest.mark.parametrize("seed", [4, 5])
def test_without_the_server_each_is_at_its_failsafe_after_five_minutes(seed: int) -> None:
    """§8 row 5: killed while they charge; no moment is above the limit."""
    world = World(seed, hours=4)

    def kill() -> None:
        world.server_is_up = False

    world.later(3 * 3600, kill)
    checked = 0

    def look() -> None:
        nonlocal checked
        for station in world.stations.values():
            checked += station.closed
            assert station.cap_da(world.now) <= station.member.failsafe_da

    world.later(3 * 3600 + 331, look)
    figures = world.run()
    assert figures.over == []
    assert checked


@pytest.mark.parametrize("seed", [1, 7])
def test_whatever_stations_do_the_sum_keeps_to_the_limit_and_nobody_waits_for_long(seed: int) -> None:
    """§8 row 7, a few seeds of those that `make power` runs."""
    figures = World(seed, hours=5).run()
    assert figures.cars > 3
    assert figures.over == []
    assert figures.longest_wait_s <= 45 * 60


def test_a_turn_that_is_cut_short_is_none() -> None:
    """A car that lost its grant after a minute has waited all the time; after a whole turn it begins anew."""
    desk = Desk(40, 1)
    desk.card(1)
    waited_since = NOW - timedelta(minutes=18)
    begun = desk.states[outlet(1)].wish
    assert begun is not None
    desk.change(1, wish=replace(begun, waits_since=waited_since))
    for minutes, cut_short in ((1, True), (16, False)):
        desk.settle()
        desk.now += timedelta(minutes=minutes)
        paused = replace(desk.states[outlet(1)], grants=())
        wish = turned(turned(desk.states[outlet(1)], desk.now), desk.now).wish
        assert turned(replace(paused, wish=wish), desk.now).wish.waits_since == (  # type: ignore[union-attr]  # it has one
            waited_since if cut_short else desk.now
        )


def test_whoever_waits_behind_a_turn_that_was_cut_short_waits_for_the_rest_of_it_only() -> None:
    """One place, two cars. Fourteen minutes into the turn of the first nobody may charge for a while (another member
    draws too much). Afterwards the first has its last minute, not fifteen more."""
    desk = Desk(8, 2)
    desk.card(1)
    desk.settle()
    desk.card(2)
    began_at = desk.now
    while desk.now < began_at + timedelta(minutes=14):
        desk.settle()
        desk.now += seconds(10)
    desk.site = Desk(0, 2).site
    desk.settle()
    assert desk.possible_a() == 0
    desk.now += timedelta(minutes=8)
    desk.site = Desk(8, 2).site
    charged_from = desk.now
    while desk.settle().get(2, 0) == 0:
        assert desk.possible_a() <= 8
        desk.now += seconds(10)
        assert desk.now < charged_from + timedelta(minutes=3), "it waits for another whole turn"


@pytest.mark.parametrize(("pause_min", "is_new"), [(4, False), (6, True)])
def test_after_a_whole_turn_and_a_short_pause_there_is_no_new_one(pause_min: int, is_new: bool) -> None:
    """Who was next could not charge after all; when it can, it is next at once and not after another whole turn."""
    desk = Desk(8, 2)
    desk.card(1)
    desk.settle()
    began_at = desk.now
    while desk.now < began_at + timedelta(minutes=15):
        desk.settle()
        desk.now += seconds(30)
    desk.site = Desk(0, 2).site
    desk.look()
    desk.answer(1)
    desk.settle()
    desk.now += timedelta(minutes=pause_min) - seconds(20)
    desk.site = Desk(8, 2).site
    desk.settle()
    desk.card(2)
    desk.change(1, wish=replace(desk.states[outlet(1)].wish, energy_wh=1))  # type: ignore[type-var]  # it has one
    desk.settle()
    assert desk.states[outlet(2)].grants[-1].current_da == (0 if is_new else 80)


@pytest.mark.parametrize(("cut_after_min", "is_over"), [(9, False), (11, True)])
def test_a_turn_that_is_cut_short_in_its_last_minutes_is_over(cut_after_min: int, is_over: bool) -> None:
    """Its rest may be seconds, in which no car charges, and after which it would wait for a whole round again."""
    desk = Desk(8, 1)
    desk.card(1)
    desk.settle()
    desk.now = NOW + timedelta(minutes=cut_after_min)
    desk.settle()
    desk.site = Desk(0, 1).site
    desk.settle()
    desk.now += timedelta(minutes=6)
    wish = turned(desk.states[outlet(1)], desk.now).wish
    assert wish is not None
    assert wish.waits_since is not None
    assert (wish.waits_since > NOW + timedelta(minutes=cut_after_min), not had_of_turn(wish, desk.now)) == (
        is_over,
    ) * 2


def test_while_its_station_is_away_a_car_does_not_wait() -> None:
    """Nothing that is commanded could end that wait: who was away for twenty of 28 minutes is not before who waited for
    all of the last 27."""
    desk = Desk(0, 2)
    desk.card(1)
    desk.settle()
    desk.now = NOW + timedelta(minutes=1)
    desk.card(2)
    for minutes, is_online in ((2, False), (22, True)):
        desk.now = NOW + timedelta(minutes=minutes)
        desk.change(1, is_online=is_online)
        desk.settle()
    desk.now, desk.site = NOW + timedelta(minutes=28), Desk(8, 2).site
    assert desk.settle()[2] == 8
