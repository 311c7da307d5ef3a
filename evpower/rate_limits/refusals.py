"""What was refused: a figure for each kind, and for each identity one line of the log a minute, however often."""

from __future__ import annotations

import logging
from collections import Counter

from evpower.rate_limits.sliding_window import SPAN_MS

log = logging.getLogger("security")

#: Identities named within a minute; a flood of them is one more line.
NAMED_MOST = 200


class Refusals:
    """In bounded memory."""

    def __init__(self) -> None:
        #: Since the start, by kind.
        self.counts: Counter[str] = Counter()
        self._minute = 0
        self._named: set[tuple[str, str]] = set()

    def note(self, kind: str, name: str, retry_after_s: int, now_ms: int) -> None:
        """One request of this identity is refused."""
        self.counts[kind] += 1
        minute = now_ms // SPAN_MS
        if minute != self._minute:
            self._minute, self._named = minute, set()
        if (kind, name) in self._named or len(self._named) > NAMED_MOST:
            return
        self._named.add((kind, name))
        if len(self._named) > NAMED_MOST:
            log.warning("rate limit: more than %d are refused, the others of this minute are not named", NAMED_MOST)
        else:
            log.warning("rate limit: refused, kind=%s, name=%s, retry_after=%d s", kind, name, retry_after_s)
