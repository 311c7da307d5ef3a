"""Where strangers wait: sockets of identities without a station, until an operator has decided.

A stranger is Pending and may do nothing but boot (OCPP 1.6 §4.2). Nothing of it is in the registry of stations, and its
frames are not kept: a flood of identities costs sockets while it lasts, and those are bounded here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from evpower.administration.strangers import MOST_OF_ADDRESS, MOST_WAITING, Strangers
from evpower.ocpp.connection import StationConnection

#: A stranger that has not sent its BootNotification by then is let go.
BOOT_WITHIN_S = 60.0


@dataclass(frozen=True)
class Stranger:
    """Who asks to be let in, and from where."""

    identity: str
    address: str


@dataclass(frozen=True, eq=False)
class Guest:
    """A stranger that is connected; `invited` is set when it is to boot again."""

    stranger: Stranger
    connection: StationConnection
    invited: trio.Event = field(default_factory=trio.Event)


class Lobby:
    """Implements `evpower.charging.provisioning.StrangerLink`."""

    def __init__(self, strangers: Strangers) -> None:
        self.strangers = strangers
        self._guests: dict[str, Guest] = {}

    async def may_enter(self, stranger: Stranger) -> bool:
        """Whether it may come in to boot; one that is here already may, in its own place."""
        here = self._guests.get(stranger.identity)
        of_address = Counter(guest.stranger.address for guest in self._guests.values())[stranger.address]
        if here is None and (len(self._guests) >= MOST_WAITING or of_address >= MOST_OF_ADDRESS):
            return False
        return await self.strangers.may_enter(stranger.identity, stranger.address)

    @contextmanager
    def staying(self, stranger: Stranger, connection: StationConnection) -> Iterator[Guest]:
        """While the stranger is here; an older connection of the same identity is closed (duty 4)."""
        guest = Guest(stranger, connection)
        twin = self._guests.get(stranger.identity)
        self._guests[stranger.identity] = guest
        if twin is not None:
            twin.connection.leave(1000, "replaced by a newer connection")
        try:
            yield guest
        finally:
            self.leave(guest)

    def leave(self, guest: Guest) -> None:
        """It is no stranger any more, or gone."""
        if self._guests.get(guest.stranger.identity) is guest:
            del self._guests[guest.stranger.identity]

    def dismiss_all(self, code: int, reason: str) -> None:
        """Close every stranger's connection, with this close code."""
        for guest in tuple(self._guests.values()):
            guest.connection.leave(code, reason)

    # --------------------------------------------------------------------------------------------------- StrangerLink

    def is_here(self, identity: str) -> bool:
        return identity in self._guests

    def invite(self, identity: str) -> None:
        if guest := self._guests.get(identity):
            guest.invited.set()

    def send_away(self, identity: str, reason: str) -> None:
        if guest := self._guests.get(identity):
            guest.connection.leave(1008, reason)
