"""What this process stands on, for To do: its journal, its disk, how providers answer it, the habits of its
stations (operator-pages §3.1).

Of this process alone: another one has another disk and its own calls. A database that is away is no row: nothing can be
read then, and the bar says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trio

from evpower.attention.conditions import Ailing
from evpower.clock import Clock
from evpower.metering.journal import Journal
from evpower.payments.provider_calls import ProviderState

#: Below this share of a disk that is free it is short.
FREE_SHARE_LEAST = 0.1
#: Free and all bytes of the disk that holds a directory.
DiskRoom = Callable[[Path], tuple[int, int]]


def disk_room(path: Path) -> tuple[int, int]:
    """Free and all bytes; a directory that is not there yet is looked for above."""
    place = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    usage = shutil.disk_usage(place)
    return usage.free, usage.total


@dataclass(frozen=True)
class BeneathFacts:
    """As of one moment; `short_since`: since when the disk was seen to be short, None: it is not."""

    journal_lag_s: float = 0.0
    free_bytes: int = 0
    short_since: datetime | None = None
    providers: Mapping[str, ProviderState] | None = None
    ailing: tuple[Ailing, ...] = ()


class Beneath:
    """Reads it."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        providers: Callable[[], Mapping[str, ProviderState]],
        state_dir: str,
        room: DiskRoom,
        ailing: Callable[[], tuple[Ailing, ...]],
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._providers = providers
        self._state_dir = state_dir
        self._room = room
        self._ailing = ailing
        self._short_since: datetime | None = None

    async def read(self) -> BeneathFacts:
        """Now."""
        lag_s = self._journal.lag_s
        disk = await trio.to_thread.run_sync(self._room, Path(self._state_dir))
        is_short = disk[1] > 0 and disk[0] < FREE_SHARE_LEAST * disk[1]
        self._short_since = (self._short_since or self._clock.now()) if is_short else None
        return BeneathFacts(lag_s, disk[0], self._short_since, self._providers(), self._ailing())
