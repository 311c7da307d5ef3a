"""Stations' passwords and security events, for operators (duty 7; OCPP 1.6 security white paper, A01).

A password that is pushed opens beside the old one from the moment it is sent, because stations reconnect with it before
their answer has reached us. Accepted puts it in force and ends the old one; a refusal leaves the old one; without an
answer both open until the station shows which of them it has.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.link.commands import Ending, Reply, SetPassword
from evpower.link.errors import ChargerNotReady, ChargerOffline, CommandRefused, CommandRejected
from evpower.link.ports import StationLink
from evpower.network.station_records import station_exists, without_credentials
from evpower.security.passwords import CHARS_MAX, CHARS_MAX_HEX, CHARS_MIN, Passwords, is_long_enough, is_printable
from evpower.security.rows import credentials, security_events
from evpower.security.rows.security_events import SecurityEvent
from evpower.security.rows.trust import end_certificates

log = logging.getLogger("security")

#: The last write about a password the station already has.
LAST_WRITE_WITHIN_S = 5.0
EVENTS_SHOWN = 200

Form = Literal["plain", "hex"]


@dataclass(frozen=True)
class PasswordChange:
    """How a change ended; `status` is the station's answer (Accepted, RebootRequired), None when it was not asked."""

    station_id: StationId
    status: str | None
    #: False while the station has yet to reboot: until it logs in with the new password, both open.
    old_password_ended: bool


class StationAccess:
    """Sets passwords, shows events."""

    def __init__(self, pool: Pool, clock: Clock, link: StationLink, passwords: Passwords) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._passwords = passwords

    async def set_password(
        self, station_id: StationId, password: str, *, push: bool, form: Form = "plain"
    ) -> PasswordChange:
        """Set a station's password; with `push` it is first sent to the station, as text or as hexadecimal digits.

        Raises InvalidRequest, StationNotFound, CommandRejected (the old password stays) or another CommandFailure.
        """
        _check(password, CHARS_MAX_HEX if form == "hex" else CHARS_MAX)
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
        password_hash = await trio.to_thread.run_sync(self._passwords.hash, password)
        if push:
            return await self._push(station_id, password_hash, password.encode().hex() if form == "hex" else password)
        async with unit_of_work(self._pool) as uow:
            await credentials.set_password(uow.conn, station_id, password_hash, self._clock.now())
        log.info("password set: station=%s", station_id)
        return PasswordChange(station_id, None, old_password_ended=True)

    async def revoke(self, station_id: StationId) -> None:
        """End the station's certificates, for new and open sockets; it may begin anew. Raises StationNotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await station_exists(uow.conn, station_id):
                raise StationNotFound
            await end_certificates(uow.conn, station_id, self._clock.now())
        log.warning("certificates ended: station=%s", station_id)

    async def without_credentials(self) -> list[StationId]:
        """Stations with neither a password nor a certificate they were seen with, which come in anonymously alone."""
        async with reading(self._pool) as conn:
            return await without_credentials(conn)

    async def security_events(self, station_id: StationId) -> list[SecurityEvent]:
        """The station's security events, newest first. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
            return await security_events.newest(conn, station_id, EVENTS_SHOWN)

    async def _push(self, station_id: StationId, password_hash: str, value: str) -> PasswordChange:
        if not self._link.is_connected(station_id):
            raise ChargerOffline
        async with unit_of_work(self._pool) as uow:
            await credentials.prepare_password(uow.conn, station_id, password_hash, self._clock.now())
        answer = await self._asked(station_id, value)
        if not isinstance(answer, Reply):
            await self._end(station_id, password_hash, in_force=False)
            raise answer
        done = answer.ending is Ending.DONE
        if done:
            await self._end(station_id, password_hash, in_force=True)
        log.info("password pushed: station=%s, status=%s", station_id, answer.status)
        return PasswordChange(station_id, answer.status, old_password_ended=done)

    async def _asked(
        self, station_id: StationId, value: str
    ) -> Reply | CommandRefused | ChargerNotReady | InvalidRequest | CommandRejected:
        """The station's agreement, or why the old password stays; silence and a dropped socket raise."""
        try:
            reply = await self._link.ask(station_id, SetPassword(value))
        except (CommandRefused, ChargerNotReady, InvalidRequest) as refusal:
            return refusal
        return CommandRejected(reply.status, reply.as_sent) if reply.ending is Ending.REFUSED else reply

    async def _end(self, station_id: StationId, password_hash: str, *, in_force: bool) -> None:
        # Shielded: the station has decided, and the caller may leave meanwhile; one short write.
        with trio.move_on_after(LAST_WRITE_WITHIN_S, shield=True):
            async with unit_of_work(self._pool) as uow:
                write = credentials.put_in_force if in_force else credentials.drop_pending
                await write(uow.conn, station_id, password_hash, self._clock.now())


def _check(password: str, chars_max: int) -> None:
    if not is_long_enough(password, chars_max):
        raise InvalidRequest(("password", f"от {CHARS_MIN} до {chars_max} символов"))
    if not is_printable(password):
        raise InvalidRequest(("password", "только печатные символы ASCII"))
