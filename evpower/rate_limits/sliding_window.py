"""A sliding window counter: the present minute's count, and of the minute before the share that is still in the window.

Pure and in integers, so that this process and the script in Redis (`shared_counts.py`) find the same. What is refused
is not counted: a caller that waits as long as the answer says gets in.
"""

from __future__ import annotations

from dataclasses import dataclass

SPAN_MS = 60_000
#: A count that is ahead of our clock (another process's clock, or ours before it was set back) is kept for so many
#: minutes; one from beyond begins anew, so that a wrong clock refuses nobody for longer than that.
AHEAD_MINUTES = 1


@dataclass(frozen=True)
class Taken:
    """What became of one try."""

    allowed: bool
    #: The limit it was held to.
    most: int
    #: How many more would be let through now.
    left: int
    #: Whole seconds, at least 1: until there is room for the refused; else until the present minute ends.
    reset_s: int


@dataclass(slots=True)
class Count:
    """What one identity has made; `minute` is counted from the epoch."""

    minute: int
    current: int = 0
    previous: int = 0

    def take(self, most: int, now_ms: int) -> Taken:
        """Count one more, if there is room."""
        allowed = self.has_room(most, now_ms)
        self.current += allowed
        return judged(self.current, self.previous, self._elapsed_ms(now_ms), most, allowed=allowed)

    def has_room(self, most: int, now_ms: int) -> bool:
        """Whether one more would be counted."""
        self._turn(now_ms // SPAN_MS)
        return _used(self.current, self.previous, self._elapsed_ms(now_ms)) < most * SPAN_MS

    def _turn(self, minute: int) -> None:
        """Go on to this minute."""
        if self.minute == minute or minute < self.minute <= minute + AHEAD_MINUTES:
            return
        self.previous = self.current if self.minute + 1 == minute else 0
        self.minute, self.current = minute, 0

    def _elapsed_ms(self, now_ms: int) -> int:
        return max(0, now_ms - self.minute * SPAN_MS)


def judged(current: int, previous: int, elapsed_ms: int, most: int, *, allowed: bool) -> Taken:
    """What these counts mean, `elapsed_ms` into their minute, for the try that was `allowed` or was not."""
    room = most * SPAN_MS - _used(current, previous, elapsed_ms)
    wait_ms = SPAN_MS - elapsed_ms if allowed else _wait_ms(current, previous, elapsed_ms, most)
    return Taken(allowed, most, max(0, _ceiling(room, SPAN_MS)), max(1, _ceiling(wait_ms, 1000)))


def _used(current: int, previous: int, elapsed_ms: int) -> int:
    """The estimate times `SPAN_MS`, as of the end of the present millisecond: after a full one a caller waits 60 s."""
    return current * SPAN_MS + previous * (SPAN_MS - 1 - elapsed_ms)


def _wait_ms(current: int, previous: int, elapsed_ms: int, most: int) -> int:
    """Until the estimate falls below `most` when nothing more is counted; it is not below now."""
    if current < most:  # within this minute, when the share of the one before has shrunk enough
        return SPAN_MS - _ceiling((most - current) * SPAN_MS, previous) - elapsed_ms
    return SPAN_MS - elapsed_ms + SPAN_MS - _ceiling(most * SPAN_MS, current)


def _ceiling(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
