"""Stations that boot, or hang up, whenever they are asked something, and then are asked again (duty 18).

Some firmwares restart on a changed key, some crash on it. A station that boots soon after it was configured, several
times in a row, is left alone for a while that doubles; its settings are whatever it keeps. Memory of this process:
after a restart the station has to show its habit again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from evpower.identifiers import StationId

#: A boot that follows our configuration this soon may be its doing, in seconds.
SUSPECT_WITHIN_S = 300.0
#: So many suspect boots in a row are a loop.
SUSPECT_BOOTS = 2
#: How long a station that loops is left alone: first, and at most, in seconds.
FIRST_PAUSE_S = 3600.0
LONGEST_PAUSE_S = 86400.0
#: A socket that ends so soon after our first command, in seconds, and so many times in a row, ends because of it.
HANG_UP_WITHIN_S = 10.0
HANG_UPS = 3


@dataclass
class _History:
    configured_at: float
    suspect_boots: int = 0
    #: When it had booted so often that it is a loop.
    loops_since: float | None = None
    #: No boot has come since.
    open: bool = True


@dataclass(frozen=True)
class BootLoop:
    """How often a station booted in a row when it was configured, and for how long that is a loop, in seconds."""

    boots: int
    for_s: float


class HangUps:
    """Stations whose sockets end when they are asked; one is forgiven when its socket outlives our first command."""

    def __init__(self) -> None:
        self._in_a_row: Counter[StationId] = Counter()

    def ended(self, station_id: StationId, after_s: float) -> None:
        """Its socket ended so many seconds after our first command there."""
        if after_s <= HANG_UP_WITHIN_S:
            self._in_a_row[station_id] += 1

    def forgive(self, station_id: StationId) -> None:
        """Its socket has outlived our first command."""
        self._in_a_row.pop(station_id, None)

    def left_alone(self) -> frozenset[StationId]:
        """Which are asked nothing until they have spoken again."""
        return frozenset(station_id for station_id, times in self._in_a_row.items() if times >= HANG_UPS)


class BootLoops:
    """What each station did after it was configured; times are trio's."""

    def __init__(self) -> None:
        self._histories: dict[StationId, _History] = {}

    def configuring(self, station_id: StationId, now: float) -> None:
        """It is about to be configured: noted before, because some restart at the first message of it."""
        history = self._histories.setdefault(station_id, _History(now))
        history.configured_at, history.open = now, True

    def booted(self, station_id: StationId, now: float) -> None:
        """It booted. Only the first boot after a configuration says anything: soon is suspect, late is innocent."""
        history = self._histories.get(station_id)
        if history is None or not history.open:
            return
        history.open = False
        if now - history.configured_at <= SUSPECT_WITHIN_S:
            history.suspect_boots += 1
            if history.suspect_boots == SUSPECT_BOOTS:
                history.loops_since = now
        else:
            del self._histories[station_id]

    def may_be_configured(self, station_id: StationId, now: float) -> bool:
        """Whether configuring it now makes no loop."""
        history = self._histories.get(station_id)
        return history is None or now - history.configured_at >= self._pause_s(history)

    def looping(self, now: float) -> dict[StationId, BootLoop]:
        """Which are left alone for it, or were and have not yet shown that a configuration leaves them be."""
        return {
            station_id: BootLoop(history.suspect_boots, now - history.loops_since)
            for station_id, history in self._histories.items()
            if history.loops_since is not None and not (history.open and now - history.configured_at > SUSPECT_WITHIN_S)
        }

    @staticmethod
    def _pause_s(history: _History) -> float:
        if history.suspect_boots < SUSPECT_BOOTS:
            return 0.0
        return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (history.suspect_boots - SUSPECT_BOOTS)))
