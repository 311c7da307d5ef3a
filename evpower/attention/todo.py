"""The To do list of one moment: what is raised, what people made of it, what is over (contract/operator-pages §3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.attention.folding import Item
from evpower.attention.rows.marks import Mark
from evpower.identifiers import StationId

#: What is over stays in sight, struck through.
#: Rows of the first screen; all are a link away.
OPEN_SHOWN, OTHERS_SHOWN = 40, 10
OVER_SHOWN_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class TodoEntry:
    """A row: `over_at` is when its condition was first seen to be gone."""

    item: Item
    mine_of: str | None = None
    snoozed_until: datetime | None = None
    over_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it needs a person now."""
        return self.over_at is None and self.snoozed_until is None


@dataclass(frozen=True)
class Todo:
    """Every row: open ones first, then those that somebody has put off, then those that are over."""

    entries: tuple[TodoEntry, ...] = ()

    @property
    def open(self) -> tuple[TodoEntry, ...]:
        return tuple(each for each in self.entries if each.is_open)

    @property
    def shown(self) -> tuple[TodoEntry, ...]:
        """What the first screen has room for: the most urgent of each part."""
        put_off = [each for each in self.entries if each.over_at is None and not each.is_open]
        over = [each for each in self.entries if each.over_at is not None]
        return (*self.open[:OPEN_SHOWN], *put_off[:OTHERS_SHOWN], *over[:OTHERS_SHOWN])

    @property
    def urgent(self) -> int:
        return sum(each.item.is_urgent for each in self.open)

    @property
    def last_over(self) -> TodoEntry | None:
        """What was over last."""
        over = [each for each in self.entries if each.over_at is not None]
        return max(over, key=lambda each: each.over_at or each.item.since, default=None)

    def of_stations(self, own: frozenset[StationId]) -> Todo:
        """The rows that concern these stations alone."""
        return Todo(tuple(each for each in self.entries if each.item.station_ids and each.item.station_ids <= own))


def make_todo(items: Sequence[Item], marks: Mapping[str, Mark], before: Todo, now: datetime) -> Todo:
    """The list now, `before` being the last one. A put-off row that became urgent since is shown all the same."""
    was = {each.item.key: each for each in before.entries}
    running = [_marked(item, marks.get(item.key), was.get(item.key), now) for item in items]
    keys = {item.key for item in items}
    parts = {part.key for item in items for part in item.parts}
    over = [
        TodoEntry(each.item, each.mine_of, None, each.over_at or now)
        for each in before.entries
        if each.item.key not in keys and not parts.issuperset(part.key for part in each.item.parts)
    ]
    kept = [each for each in over if each.over_at is not None and now - each.over_at < OVER_SHOWN_FOR]
    order = [*(e for e in running if e.is_open), *(e for e in running if not e.is_open), *kept]
    return Todo(tuple(order))


def _marked(item: Item, mark: Mark | None, was: TodoEntry | None, now: datetime) -> TodoEntry:
    if mark is None:
        return TodoEntry(item)
    snoozed_until = mark.snoozed_until if mark.snoozed_until is not None and mark.snoozed_until > now else None
    became_urgent = was is not None and item.is_urgent and not was.item.is_urgent
    return TodoEntry(item, mark.mine_of, None if became_urgent else snoozed_until)
