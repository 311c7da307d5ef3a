"""The counts of this process, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

from evpower.rate_limits.limits import Counted
from evpower.rate_limits.sliding_window import SPAN_MS, Count, Taken

#: Identities of one kind that are remembered, so that many of one kind push out none of another; the one longest
#: without anything let through is forgotten first, and begins anew.
IDENTITIES_MOST = 20_000


class OwnCounts:
    """A count for each identity."""

    def __init__(self, *, identities_most: int = IDENTITIES_MOST) -> None:
        self._most = identities_most
        #: Of each kind, by name, the longest without anything let through first.
        self._counts: defaultdict[str, OrderedDict[str, Count]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        return sum(map(len, self._counts.values()))

    def has_room(self, counted: Counted, now_ms: int) -> bool:
        """Whether one more would be counted."""
        count = self._counts[counted.limit.kind].get(counted.name)
        return count is None or count.has_room(counted.limit.most, now_ms)

    def take(self, counted: Counted, now_ms: int) -> Taken:
        """Count one more, if there is room."""
        counts = self._counts[counted.limit.kind]
        _forget_past(counts, now_ms)
        count = counts.get(counted.name) or Count(now_ms // SPAN_MS)
        taken = count.take(counted.limit.most, now_ms)
        if taken.allowed:
            counts[counted.name] = count
            counts.move_to_end(counted.name)
            if len(counts) > self._most:
                counts.popitem(last=False)
        return taken


def _forget_past(counts: OrderedDict[str, Count], now_ms: int) -> None:
    """Those of whom nothing counts any more, and those that a clock set back has left far ahead."""
    minute = now_ms // SPAN_MS
    while counts:
        name, count = next(iter(counts.items()))
        if abs(count.minute - minute) <= 1:
            return
        del counts[name]
