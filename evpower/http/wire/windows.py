"""At most so many within so long, for one sender or for each of many: sliding, so no span of that length has more.

What is refused is not counted, so a caller that waits for `room_in_s` gets in. Times are in seconds, of a clock that
never goes back.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

#: Senders remembered; the one longest without anything let through is forgotten first, and begins anew.
SENDERS_MOST = 4096


@dataclass(frozen=True)
class Taken:
    """What became of one try."""

    allowed: bool
    #: How many more would be let through now.
    left: int
    #: Seconds until a slot is free, when the oldest counted try is forgotten.
    room_in_s: float


class Window:
    """At most `most` (1 or more) in any `span_s` seconds."""

    def __init__(self, most: int, span_s: float) -> None:
        self._span_s = span_s
        self._times: deque[float] = deque(maxlen=most)
        self._most = most

    @property
    def newest_s(self) -> float:
        """When the last one was let through; it was at least one."""
        return self._times[-1]

    def take(self, now_s: float) -> Taken:
        """Let one more through, if there is room."""
        times = self._times
        while times and now_s - times[0] >= self._span_s:
            times.popleft()
        allowed = len(times) < self._most
        if allowed:
            times.append(now_s)
        return Taken(allowed, self._most - len(times), self._span_s - (now_s - times[0]))


class Windows:
    """A window for each sender, in bounded memory."""

    def __init__(self, most: int, span_s: float, *, senders_most: int = SENDERS_MOST) -> None:
        self.most = most
        self._span_s = span_s
        self._senders_most = senders_most
        #: The longest without anything let through first.
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, sender: str, now_s: float) -> Taken:
        """Let one more of this sender through, if there is room."""
        self._forget(now_s)
        window = self._windows.get(sender) or Window(self.most, self._span_s)
        taken = window.take(now_s)
        if taken.allowed:
            self._windows[sender] = window
            self._windows.move_to_end(sender)
            if len(self._windows) > self._senders_most:
                self._windows.popitem(last=False)
        return taken

    def _forget(self, now_s: float) -> None:
        """Those of whom nothing counts any more."""
        while self._windows:
            sender, window = next(iter(self._windows.items()))
            if now_s - window.newest_s < self._span_s:
                return
            del self._windows[sender]
