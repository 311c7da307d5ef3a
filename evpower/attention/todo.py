"""The To do list of one moment: what is raised, what people made of it, what is over (contract/operator-pages §3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.attention.folding import Item
from evpower.attention.rows.marks import Mark, put_off_key
from evpower.attention.rows.over import Over
from evpower.identifiers import StationId

#: Rows of the first screen; all are a link away.
OPEN_SHOWN, OTHERS_SHOWN = 40, 10
#: What is over stays in sight, struck through.
OVER_SHOWN_FOR = timedelta(hours=1)
#: Nobody looked for longer: when a row ended is known between two times alone.
KNOWN_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class TodoEntry:
    """A row: `over_at` is when its condition was first seen to be gone, `seen_at` when it was seen last before that."""

    item: Item
    mine_of: str | None = None
    snoozed_until: datetime | None = None
    over_at: datetime | None = None
    seen_at: datetime | None = None
    note: str | None = None
    noted_by: str | None = None

    @property
    def ended_after(self) -> datetime | None:
        """From when on it may have ended, where nobody looked for long before `over_at`."""
        if self.over_at is None or self.seen_at is None or self.over_at - self.seen_at <= KNOWN_WITHIN:
            return None
        return self.seen_at

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
        return Todo(tuple(each for each in self.entries if _is_of(each.item, own)))


def _is_of(item: Item, own: frozenset[StationId]) -> bool:
    return bool(item.station_ids) and item.station_ids <= own and not item.more


def make_todo(
    items: Sequence[Item],
    marks: Mapping[str, Mark],
    before: Todo,
    now: datetime,
    *,
    before_at: datetime | None = None,
    kept: Iterable[Over] = (),
) -> Todo:
    """The list now; `before` is this process's last one, of `before_at`, and `kept` is what any process saw end."""
    running = [_marked(item, marks, now) for item in items]
    keys = {item.key for item in items}
    raised = {part.key for item in items for part in item.parts}
    ended = {
        each.item.key: each if each.over_at else replace(each, snoozed_until=None, over_at=now, seen_at=before_at)
        for each in before.entries
    }
    for each in kept:
        mine = ended.get(each.item.key)
        # Of the same end the first time counts; what was raised again since has ended anew.
        if mine is None or each.over_at >= mine.item.since:
            ended[each.item.key] = TodoEntry(each.item, each.mine_of, None, each.over_at, each.seen_at)
    gone = [each for each in ended.values() if not _is_raised(each.item, keys, raised)]
    shown = [each for each in gone if each.over_at is not None and now - each.over_at < OVER_SHOWN_FOR]
    shown.sort(key=lambda each: (each.over_at or now, each.item.key), reverse=True)
    return Todo((*(e for e in running if e.is_open), *(e for e in running if not e.is_open), *shown))


def _is_raised(item: Item, keys: Collection[str], parts: Set[str]) -> bool:
    """Whether the row is there, or was folded into another one."""
    return item.key in keys or parts >= {part.key for part in item.parts}


def ended_now(todo: Todo, now: datetime) -> list[Over]:
    """What was first seen to be over at `now`."""
    return [Over(each.item, each.mine_of, each.seen_at or now, now) for each in todo.entries if each.over_at == now]


def _marked(item: Item, marks: Mapping[str, Mark], now: datetime) -> TodoEntry:
    """A row that was put off while it was calm is shown when it is urgent."""
    mark = marks.get(item.key)
    which = {True} if item.is_urgent else {True, False}
    put_off = [marks.get(put_off_key(item.key, is_urgent=urgent)) for urgent in which]
    until = max((each.snoozed_until for each in put_off if each and each.snoozed_until), default=now)
    entry = TodoEntry(item, snoozed_until=until if until > now else None)
    return entry if mark is None else replace(entry, mine_of=mark.mine_of, note=mark.note, noted_by=mark.noted_by)
