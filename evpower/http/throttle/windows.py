"""At most so many within so long for one sender: sliding, so no span of that length has more.

What is refused is not counted. Times are in seconds, of a clock that never goes back.
"""

from __future__ import annotations

from collections import deque


class Window:
    """At most `most` (1 or more) in any `span_s` seconds."""

    def __init__(self, most: int, span_s: float) -> None:
        self._span_s = span_s
        self._times: deque[float] = deque(maxlen=most)
        self._most = most

    def take(self, now_s: float) -> bool:
        """Let one more through, if there is room."""
        times = self._times
        while times and now_s - times[0] >= self._span_s:
            times.popleft()
        allowed = len(times) < self._most
        if allowed:
            times.append(now_s)
        return allowed
