"""What a station does that the standard forbids and we let pass: counted per station, logged once (duty 14)."""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum

log = logging.getLogger("OCPP")

#: A peer that invents field names must not fill our memory.
MAX_KINDS = 64
MAX_KIND_CHARS = 120


class Kind(StrEnum):
    """The kinds of leniency: a fixed set, so that it may be a label of a metric."""

    OTHER_TYPE = "other_type"
    OTHER_SPELLING = "other_spelling"
    UNKNOWN_WORD = "unknown_word"
    UNKNOWN_FIELD = "unknown_field"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    NO_LIST = "no_list"
    NO_ZONE = "no_zone"
    MISSING = "missing"
    LEFT_OUT = "left_out"
    TAKEN_WITHOUT = "taken_without"
    SKIPPED_ITEM = "skipped_item"
    SKIPPED_READING = "skipped_reading"
    WRONG_CLOCK = "wrong_clock"
    STATION_STATUS = "station_status"
    MALFORMED = "malformed"
    MESSAGE_TYPE = "message_type"
    STRAY_ANSWER = "stray_answer"
    ODD_ANSWER = "odd_answer"
    BOOT_LOOP = "boot_loop"
    HANGS_UP = "hangs_up"


class Oddities:
    """One connection's: `counts` by short sentences, and by kind the station's tally, which outlives the connection."""

    def __init__(self, station_id: str, by_kind: Counter[Kind] | None = None) -> None:
        self._station_id = station_id
        self.counts: Counter[str] = Counter()
        self.by_kind: Counter[Kind] = Counter() if by_kind is None else by_kind

    def note(self, kind: Kind, what: str) -> None:
        """Count it; the first time, say it in the log."""
        self.by_kind[kind] += 1
        what = shown(what[:MAX_KIND_CHARS])
        if what not in self.counts:
            if len(self.counts) >= MAX_KINDS:
                self.counts["other"] += 1
                return
            log.warning("station=%s: tolerated: %s", self._station_id, what)
        self.counts[what] += 1


def shown(text: str) -> str:
    """A station's text without what is not printable, as it is kept; the log does so by itself."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
