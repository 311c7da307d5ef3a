"""Conditions that have one reason are one row; the most urgent row is first (§3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from evpower.attention.conditions import Condition, ConditionKind
from evpower.attention.folding import folded
from evpower.attention.rows.marks import Mark
from evpower.attention.rows.over import Over
from evpower.attention.todo import Todo, make_todo
from evpower.identifiers import StationId
from tests.worlds.fakes import NOON


def silent(name: str, location: str = "L1", seconds: float = 0, *, urgent: bool = False) -> Condition:
    at = NOON + timedelta(seconds=seconds)
    kind = ConditionKind.STATION_OFFLINE
    return Condition(kind, name, at, urgent, station_id=StationId(name), location_id=location, location_name=location)


def faulted(name: str) -> Condition:
    return Condition(ConditionKind.CONNECTOR_FAULTED, f"{name}/1", NOON, station_id=StationId(name), location_id="L1")


def payment(number: int, tyiyn: int = 0, seconds: float = 0) -> Condition:
    at = NOON + timedelta(seconds=seconds)
    return Condition(ConditionKind.PAYMENT_PARKED, str(number), at, money_tyiyn=tyiyn)


def test_what_concerns_one_station_is_one_row_with_the_most_urgent_in_front() -> None:
    stop = Condition(ConditionKind.STOP_HANGS, "s", NOON, True, 500, station_id=StationId("A"))
    (item,) = folded([faulted("A"), stop], {"L1": 9})
    assert (item.scope, item.key, item.head, item.money_tyiyn, item.is_urgent) == (
        "station",
        "station:A",
        stop,
        500,
        True,
    )


def test_one_condition_alone_keeps_its_own_key() -> None:
    (item,) = folded([faulted("A")], {"L1": 9})
    assert (item.scope, item.key) == ("one", "connector_faulted:A/1")


@pytest.mark.parametrize(("apart_s", "rows"), [(60, ["location"]), (61, ["one", "one"])])
def test_stations_of_a_location_that_fell_silent_within_a_minute_have_one_reason(apart_s: int, rows: list[str]) -> None:
    items = folded([silent("A"), silent("B", seconds=apart_s)], {"L1": 4, "L2": 90})
    assert [each.scope for each in items] == rows
    if rows == ["location"]:
        assert (items[0].of_stations, len(items[0].parts)) == (4, 2)


def test_stations_of_two_locations_are_two_rows() -> None:
    assert [each.scope for each in folded([silent("A"), silent("B", "L2")], {"L1": 40, "L2": 40})] == ["one", "one"]


@pytest.mark.parametrize(("down", "of", "scope"), [(4, 13, "network"), (4, 14, "one"), (3, 3, "one")])
def test_more_than_three_in_ten_are_the_network(down: int, of: int, scope: str) -> None:
    """Three stations of three are no network: what is so small says nothing of us."""
    conditions = [silent(f"S{number}", f"L{number}") for number in range(down)]
    assert folded(conditions, {f"L{number}": 1 for number in range(of)})[0].scope == scope


def test_the_order_is_urgency_then_money_then_age() -> None:
    rows = [payment(1, 100, 5), payment(2, 100), payment(3, 900), silent("A", urgent=True)]
    keys = [each.key for each in folded(rows, {"L1": 90})]
    assert keys == ["station_offline:A", "payment_parked:3", "payment_parked:2", "payment_parked:1"]


def test_a_row_whose_condition_is_gone_is_struck_through_for_an_hour() -> None:
    first = make_todo(folded([payment(1)], {}), {}, Todo(), NOON)
    gone = make_todo([], {}, first, NOON + timedelta(minutes=1))
    assert [(each.item.key, each.over_at) for each in gone.entries] == [
        ("payment_parked:1", NOON + timedelta(minutes=1))
    ]
    assert gone.open == ()
    assert gone.last_over == gone.entries[0]
    assert make_todo([], {}, gone, NOON + timedelta(minutes=60, seconds=59)).entries != ()
    assert make_todo([], {}, gone, NOON + timedelta(minutes=61)).entries == ()


def test_a_row_that_was_folded_into_another_is_not_over() -> None:
    first = make_todo(folded([silent("A")], {"L1": 9}), {}, Todo(), NOON)
    together = make_todo(folded([silent("A"), silent("B")], {"L1": 9}), {}, first, NOON)
    assert [(each.item.key, each.over_at) for each in together.entries] == [("location:L1", None)]


def test_a_row_that_is_raised_again_is_open_again() -> None:
    items = folded([payment(1)], {})
    gone = make_todo([], {}, make_todo(items, {}, Todo(), NOON), NOON)
    assert [each.over_at for each in make_todo(items, {}, gone, NOON).entries] == [None]


def test_a_row_that_was_put_off_is_behind_the_others_until_then() -> None:
    items = folded([payment(1, 900), payment(2)], {})
    marks = {"payment_parked:1": Mark("payment_parked:1", "a", NOON, "a", NOON + timedelta(hours=1))}
    todo = make_todo(items, marks, Todo(), NOON)
    assert [(each.item.key, each.is_open, each.mine_of) for each in todo.entries] == [
        ("payment_parked:2", True, None),
        ("payment_parked:1", False, "a"),
    ]
    later = make_todo(items, marks, todo, NOON + timedelta(hours=1))
    assert len(later.open) == 2


def test_a_row_that_was_put_off_and_became_urgent_is_shown() -> None:
    marks = {"station_offline:A": Mark("station_offline:A", None, None, "a", NOON + timedelta(hours=1))}
    calm = make_todo(folded([silent("A")], {"L1": 9}), marks, Todo(), NOON)
    assert calm.open == ()
    urgent = folded([silent("A", urgent=True)], {"L1": 9})
    first = make_todo(urgent, marks, calm, NOON)
    assert len(first.open) == 1
    assert len(make_todo(urgent, marks, first, NOON).open) == 1, "and goes on being shown"


def test_a_row_that_was_put_off_while_it_was_urgent_stays_put_off() -> None:
    marks = {"station_offline:A!": Mark("station_offline:A!", None, None, "a", NOON + timedelta(hours=1))}
    for is_urgent in (True, False, True):
        items = folded([silent("A", urgent=is_urgent)], {"L1": 9})
        assert make_todo(items, marks, Todo(), NOON).open == ()


def test_when_a_row_ended_is_what_was_seen_first_unless_it_was_raised_again_since() -> None:
    minutes = [NOON + timedelta(minutes=number) for number in range(4)]
    (item,) = folded([payment(1)], {})
    before = make_todo([item], {}, Todo(), minutes[0])

    def kept(over_at: datetime) -> list[Over]:
        return [Over(item, None, minutes[0], over_at)]

    assert [each.over_at for each in make_todo([], {}, before, minutes[2], kept=kept(minutes[1])).entries] == [
        minutes[1]
    ]
    again = make_todo(folded([payment(1, seconds=90)], {}), {}, Todo(), minutes[2])
    assert [each.over_at for each in make_todo([], {}, again, minutes[3], kept=kept(minutes[1])).entries] == [
        minutes[3]
    ]
    assert make_todo([item], {}, Todo(), minutes[2], kept=kept(minutes[1])).entries[0].over_at is None


def test_an_operator_sees_the_rows_of_their_own_stations_alone() -> None:
    todo = make_todo(folded([silent("A"), silent("B", "L2"), payment(1)], {"L1": 40, "L2": 40}), {}, Todo(), NOON)
    assert [each.item.key for each in todo.of_stations(frozenset({StationId("A")})).entries] == ["station_offline:A"]
