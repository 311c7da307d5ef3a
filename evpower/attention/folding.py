"""Conditions folded into the rows of the To do list, and their order (contract/operator-pages §3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from evpower.attention.conditions import Condition, ConditionKind
from evpower.identifiers import StationId

#: Silences of one location that begin so close to each other have one reason.
TOGETHER_WITHIN = timedelta(seconds=60)
#: Above this share of all stations the reason is ours, the proxy's or the provider's.
NETWORK_SHARE = 0.3
#: A share of very few stations says nothing.
NETWORK_LEAST = 4

Scope = Literal["one", "station", "location", "network"]


@dataclass(frozen=True)
class Item:
    """A row of the list: one condition, or several that have one reason; the first of `parts` speaks for all."""

    key: str
    scope: Scope
    parts: tuple[Condition, ...]
    #: Of a location or the network: how many stations there are; else 0.
    of_stations: int = 0
    #: Parts that are not named: of a row that is over, and had very many.
    more: int = 0

    @property
    def count(self) -> int:
        """How many conditions there are."""
        return len(self.parts) + self.more

    @property
    def head(self) -> Condition:
        return self.parts[0]

    @cached_property
    def since(self) -> datetime:
        return min(each.since for each in self.parts)

    @cached_property
    def is_urgent(self) -> bool:
        return any(each.is_urgent for each in self.parts)

    @cached_property
    def money_tyiyn(self) -> int:
        return sum(each.money_tyiyn for each in self.parts)

    @cached_property
    def station_ids(self) -> frozenset[StationId]:
        return frozenset(each.station_id for each in self.parts if each.station_id is not None)


def folded(conditions: Iterable[Condition], station_counts: Mapping[str, int]) -> list[Item]:
    """The list, the most urgent first; `station_counts` are the active stations of each location."""
    rest, items = list(conditions), list[Item]()
    silent = [each for each in rest if each.kind is ConditionKind.STATION_OFFLINE]
    total = sum(station_counts.values())
    if len(silent) >= NETWORK_LEAST and len(silent) > NETWORK_SHARE * total:
        items.append(Item("network:offline", "network", tuple(_by_time(silent)), total))
    else:
        for location_id, group in _together(silent):
            items.append(Item(f"location:{location_id}", "location", tuple(group), station_counts.get(location_id, 0)))
    gone = {id(each) for item in items for each in item.parts}
    by_station: dict[str, list[Condition]] = defaultdict(list)
    for each in rest:
        if id(each) not in gone:
            by_station[f"station:{each.station_id}" if each.station_id is not None else each.key].append(each)
    for key, group in by_station.items():
        first, *others = sorted(group, key=_rank)
        items.append(Item(key if others else first.key, "station" if others else "one", (first, *others)))
    return sorted(items, key=lambda item: (not item.is_urgent, -item.money_tyiyn, item.since, item.key))


def _together(silent: Sequence[Condition]) -> Iterator[tuple[str, list[Condition]]]:
    """Silences of a location, at least two, the first and the last of which are close."""
    by_location: dict[str, list[Condition]] = defaultdict(list)
    for each in _by_time(silent):
        if each.location_id is not None:
            by_location[each.location_id].append(each)
    for location_id, group in by_location.items():
        if len(group) > 1 and group[-1].since - group[0].since <= TOGETHER_WITHIN:
            yield location_id, group


def _by_time(conditions: Iterable[Condition]) -> list[Condition]:
    return sorted(conditions, key=lambda each: (each.since, each.key))


def _rank(condition: Condition) -> tuple[bool, int, datetime, str]:
    return not condition.is_urgent, -condition.money_tyiyn, condition.since, condition.key
