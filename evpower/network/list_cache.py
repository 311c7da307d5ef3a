"""Where the whole list is kept for a moment: in this process, or in Redis for all of them (`shared_list_cache.py`).

Filtered answers are cut from it and never kept (contract/rest-api §2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evpower.clock import Clock
from evpower.network.listing import ListedLocation


@dataclass(frozen=True)
class NetworkPicture:
    """All locations at one moment; `expires_at` is when a status in it may change by mere time."""

    locations: tuple[ListedLocation, ...]
    expires_at: datetime


@dataclass(frozen=True)
class Look:
    """What was found, and how one knows later that nothing has changed since."""

    picture: NetworkPicture | None
    #: Changes this process had heard of.
    changes: int
    #: What Redis called its content; None: not asked, or away.
    generation: bytes | None = None


class ListCache(Protocol):
    """Keeps one picture. An unavailable cache is an empty cache; nothing raises."""

    async def look(self) -> Look:
        """What this process holds, if it still may be shown."""
        ...

    async def fetch(self) -> Look:
        """The same, and else what another process has kept."""
        ...

    async def keep(self, look: Look, picture: NetworkPicture) -> None:
        """Keep what was read after `look`; not when something has changed since."""
        ...

    def forget(self) -> None:
        """Something the public can read has changed: from now on nothing older is found here."""
        ...


class OwnListCache:
    """Implements `ListCache` in this process's memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: NetworkPicture | None = None
        self._changes = 0

    async def look(self) -> Look:
        return self.held()

    async def fetch(self) -> Look:
        return self.held()

    async def keep(self, look: Look, picture: NetworkPicture) -> None:
        self.hold(look, picture)

    def forget(self) -> None:
        self._kept = None
        self._changes += 1

    def held(self) -> Look:
        """As `look`, without waiting."""
        kept = self._kept
        is_fresh = kept is not None and self._clock.now() < kept.expires_at
        return Look(kept if is_fresh else None, self._changes)

    def hold(self, look: Look, picture: NetworkPicture) -> bool:
        """As `keep`, without waiting; whether it was kept."""
        if look.changes != self._changes:
            return False
        self._kept = picture
        return True
