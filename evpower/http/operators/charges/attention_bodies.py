"""What needs a person, and the network at a glance, as administrators get them (contract/operator-pages §10.3)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

from evpower.attention.conditions import Condition
from evpower.attention.glance import Glance
from evpower.attention.todo import Todo, TodoEntry
from evpower.money import som_number


class ConditionBody(TypedDict):
    """One condition; `facts` are of its kind."""

    kind: str
    since: datetime
    urgent: bool
    amount_som: float
    facts: dict[str, str | int]
    station_id: NotRequired[str]
    location_id: NotRequired[str]
    session_id: NotRequired[str]


class AttentionBody(TypedDict):
    """A row of the To do list: conditions that have one reason, the most urgent first."""

    key: str
    scope: str
    since: datetime
    urgent: bool
    amount_som: float
    conditions: list[ConditionBody]
    of_stations: NotRequired[int]
    mine_of: NotRequired[str]
    snoozed_until: NotRequired[datetime]
    over_at: NotRequired[datetime]


class SummaryBody(TypedDict):
    """The network at a glance, as of `taken_at`; what concerns the whole network is left out for who sees a part."""

    taken_at: datetime
    stations: int
    stations_offline: int
    connectors_faulted: int
    #: By kind.
    connectors: dict[str, int]
    running_charges: int
    power_w: int
    held_som: float
    to_do: int
    urgent: int
    starts_last_hour: NotRequired[dict[str, int]]
    refusals_last_hour: NotRequired[dict[str, int]]
    #: Of the active stations over 30 days, 0 to 1.
    uptime_30_days: NotRequired[float]
    revenue_today_som: NotRequired[float]
    energy_today_wh: NotRequired[int]
    revenue_week_ago_som: NotRequired[float]
    energy_week_ago_wh: NotRequired[int]
    top_ups_today_som: NotRequired[float]
    top_ups_today: NotRequired[int]
    top_ups_undecided: NotRequired[int]


def attention_body(todo: Todo) -> list[AttentionBody]:
    """The list in its order."""
    return [_entry(each) for each in todo.entries]


def _entry(entry: TodoEntry) -> AttentionBody:
    item = entry.item
    body: AttentionBody = {
        "key": item.key,
        "scope": item.scope,
        "since": item.since,
        "urgent": item.is_urgent,
        "amount_som": som_number(item.money_tyiyn),
        "conditions": [_condition(each) for each in item.parts],
    }
    if item.of_stations:
        body["of_stations"] = item.of_stations
    if entry.mine_of is not None:
        body["mine_of"] = entry.mine_of
    if entry.snoozed_until is not None:
        body["snoozed_until"] = entry.snoozed_until
    if entry.over_at is not None:
        body["over_at"] = entry.over_at
    return body


def _condition(condition: Condition) -> ConditionBody:
    body: ConditionBody = {
        "kind": condition.kind.value,
        "since": condition.since,
        "urgent": condition.is_urgent,
        "amount_som": som_number(condition.money_tyiyn),
        "facts": dict(condition.facts),
    }
    if condition.station_id is not None:
        body["station_id"] = condition.station_id
    if condition.location_id is not None:
        body["location_id"] = condition.location_id
    if condition.session_id is not None:
        body["session_id"] = condition.session_id
    return body


def summary_body(seen: Glance) -> SummaryBody:
    """The figures of the bar, and of the first screen."""
    body: SummaryBody = {
        "taken_at": seen.picture.taken_at,
        "stations": len(seen.stations),
        "stations_offline": seen.offline_stations,
        "connectors_faulted": seen.faulted,
        "connectors": {
            kind.name.lower(): count for kind, count in sorted(seen.kinds.items(), key=lambda k: k[0].name) if count
        },
        "running_charges": seen.running.count,
        "power_w": seen.running.power_w,
        "held_som": som_number(seen.running.held_tyiyn),
        "to_do": len(seen.todo.open),
        "urgent": seen.todo.urgent,
    }
    if seen.day is not None:
        starts, sold, top_ups = seen.day.starts, seen.day.sold, seen.day.top_ups
        body["starts_last_hour"] = {"asked": starts.asked, "reached": starts.reached}
        body["refusals_last_hour"] = dict(starts.refusals)
        if seen.day.uptime is not None:
            body["uptime_30_days"] = seen.day.uptime
        body["revenue_today_som"] = som_number(sold.revenue_tyiyn)
        body["energy_today_wh"] = sold.energy_wh
        body["revenue_week_ago_som"] = som_number(sold.revenue_before_tyiyn)
        body["energy_week_ago_wh"] = sold.energy_before_wh
        body["top_ups_today_som"] = som_number(top_ups.credited_tyiyn)
        body["top_ups_today"] = top_ups.credited
        body["top_ups_undecided"] = top_ups.undecided
    return body
