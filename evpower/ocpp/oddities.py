"""What a charger does that the standard forbids and we let pass: counted per connection, logged once (duty 14)."""

from __future__ import annotations

import logging
from collections import Counter

log = logging.getLogger("OCPP")

#: A peer that invents field names must not fill our memory.
MAX_KINDS = 64
MAX_KIND_CHARS = 120


class Oddities:
    """A counter whose keys are short sentences."""

    def __init__(self, station_id: str) -> None:
        self._station_id = station_id
        self.counts: Counter[str] = Counter()

    def note(self, kind: str) -> None:
        """Count it; the first time, say it in the log."""
        kind = shown(kind[:MAX_KIND_CHARS])
        if kind not in self.counts:
            if len(self.counts) >= MAX_KINDS:
                self.counts["other"] += 1
                return
            log.warning("station=%s: tolerated: %s", self._station_id, kind)
        self.counts[kind] += 1


def shown(text: str) -> str:
    """A charger's text as one printable piece of a log line."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
