"""Stations that no station is known for: how far they come, and what is kept of them (setting `ocpp.accept_unknown`).

A stranger costs nothing lasting until it has sent a BootNotification, and then one row. Rows of those that wait are
bounded, also for one address, and are deleted when no station has connected with that identity for a day.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from evpower.administration.rows import strangers
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import STATION_ID
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.network.station_records import admit

log = logging.getLogger("OCPP")

#: Strangers that may wait for the operator, and those of one address among them.
MOST_WAITING, MOST_OF_ADDRESS = 200, 20
#: One that was not seen for so long makes room for others.
FORGOTTEN_AFTER = timedelta(days=1)
#: OCPP's longest text of a BootNotification.
CHARS_MAX = 50


class Strangers:
    """What a stranger is answered; `retry_s` is when it may ask again."""

    def __init__(self, pool: Pool, clock: Clock, retry_s: int) -> None:
        self._pool = pool
        self._clock = clock
        self._retry_s = retry_s

    @property
    def pending(self) -> BootVerdict:
        return BootVerdict("Pending", self._retry_s)

    async def may_enter(self, identity: str, address: str) -> bool:
        """Whether a socket with this unknown identity is let in to boot: one that could be a station's, was not turned
        away, and finds room."""
        if STATION_ID.fullmatch(identity) is None:
            return False
        async with reading(self._pool) as conn:
            return _has_room(await strangers.read_place(conn, identity, address, self._before()))

    async def boot(self, identity: str, address: str, boot: Boot) -> Admission | BootVerdict:
        """The station it has become meanwhile; else Pending, stored for the operator, or Rejected."""
        async with unit_of_work(self._pool) as uow:
            admission = await admit(uow.conn, identity)
            if admission is not None:
                return admission
            place = await strangers.read_place(uow.conn, identity, address, self._before())
            if not _has_room(place):
                return BootVerdict("Rejected", self._retry_s)
            await strangers.forget_gone(uow.conn, self._before())
            await strangers.store(uow.conn, identity, address, _plain(boot), self._clock.now())
        if place.status is None:
            log.warning("a stranger waits for the operator: identity=%s, address=%s", identity, address or "-")
        return self.pending

    def _before(self) -> datetime:
        return self._clock.now() - FORGOTTEN_AFTER


def _has_room(place: strangers.Place) -> bool:
    if place.status == "rejected":
        return False
    return place.status == "pending" or (place.waiting < MOST_WAITING and place.of_address < MOST_OF_ADDRESS)


def _plain(boot: Boot) -> Boot:
    """What a stranger says is kept as far as it is a line of text."""
    return Boot(_line(boot.vendor), _line(boot.model), _line(boot.firmware_version), _line(boot.serial_number) or None)


def _line(text: str | None) -> str:
    return "".join(letter for letter in text or "" if letter.isprintable()).strip()[:CHARS_MAX]
