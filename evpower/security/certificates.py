"""Stations' own certificates: asked for by the station, signed by the station CA, brought to it.

A request is a row before it is answered, and each further step is a row too: signing and bringing are repeated from it
when the station is back. A station is never waited for by the handler of its own message; it is a conversation's work.
(Security white paper, A02 and A03.)
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal

from evpower.clock import Clock
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import StationId
from evpower.link.commands import DeliverCertificate, Ending, RenewCertificate, Reply
from evpower.link.conversation import Conversation
from evpower.link.errors import CommandFailure, CommandRefused
from evpower.network import station_records
from evpower.security.errors import NoStationCa, Unsignable
from evpower.security.rows import certificates as rows
from evpower.security.rows import security_events, trust
from evpower.security.security_report import SecurityMatter, SecurityReport
from evpower.security.station_authority import StationAuthority
from evpower.stations.commands import StationCommands

log = logging.getLogger("security")

#: After an operator's `renew-certificate` a station may ask on whatever socket it has.
RENEWAL_WITHIN = timedelta(hours=1)
Begin = Callable[[Callable[[Conversation], Awaitable[None]]], Conversation]


class StationCertificates:
    """Requests, deliveries and the list of what stations hold; `begin` starts a conversation (`charging/commands`)."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        under_way: Lookups[StationId, int],
        commands: StationCommands,
        authority: StationAuthority,
        begin: Begin,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._under_way = under_way
        self._commands = commands
        self._authority = authority
        self._begin = begin
        self._going_on: set[int] = set()

    async def request(self, station_id: StationId, csr: str, reported_as: str, *, proven: bool) -> bool:
        """A station asks for a certificate; False when it gets none. Signing and delivery follow by themselves.

        On a socket that is not `proven`, authenticated over TLS, it gets one only when an operator asked for it lately.
        A refusal is kept among its security events, as the message it came in.
        """
        now = self._clock.now()
        try:
            request = await self._authority.read(csr, now)
            async with unit_of_work(self._pool) as uow:
                named = await station_records.admit(uow.conn, request.common_name)
                if named is None or named.station_id != station_id:
                    raise Unsignable(f"its common name {request.common_name[:64]!r} is not this station's")
                if not proven and not await trust.take_renewal(uow.conn, station_id, now - RENEWAL_WITHIN):
                    raise Unsignable("its socket is not authenticated over TLS, and no operator asked for it")
                request_id = await rows.open_request(uow.conn, station_id, csr, request.common_name, now)
        except Unsignable as refusal:
            await self._note_refusal(station_id, reported_as, refusal.message)
            return False
        self._talk(request_id)
        return True

    async def take_up(self, station_id: StationId) -> None:
        """A station is back: what it asked for is signed and brought to it (again)."""
        request_id = await self._under_way.find(station_id)
        if request_id is not None:
            self._talk(request_id)

    async def renew(self, station_id: StationId) -> Reply:
        """Have the station make a new key and ask for a certificate (A02). Raises NoStationCa, CommandFailure."""
        if not self._authority.exists:
            raise NoStationCa
        async with unit_of_work(self._pool) as uow:
            await trust.ask_renewal(uow.conn, station_id, self._clock.now())
        return await self._commands.demand(station_id, RenewCertificate())

    async def held(self, expiring_within_days: int | None) -> list[dict[str, Any]]:
        """What stations hold and what is under way; or only certificates that end within these days, or have ended."""
        before = None
        if expiring_within_days is not None:
            before = self._clock.now() + timedelta(days=expiring_within_days)
        async with reading(self._pool) as conn:
            return await rows.list_certificates(conn, before)

    def _talk(self, request_id: int) -> None:
        """Sign and deliver; what is already being done goes on."""
        if request_id in self._going_on:
            return

        async def talk(_: Conversation) -> None:
            try:
                await self._deliver(request_id)
            finally:
                self._going_on.discard(request_id)

        self._going_on.add(request_id)
        self._begin(talk)

    async def _deliver(self, request_id: int) -> None:
        request = await self._signed(request_id)
        if request is None:
            return
        assert request.chain is not None  # it is signed
        try:
            reply = await self._commands.ask(request.station_id, DeliverCertificate(request.chain))
        except CommandRefused as refusal:
            code = refusal.details["call_error"]["code"]
            await self._end(request_id, request.station_id, "refused", f"the charger: {code}")
        except CommandFailure as failure:
            log.info("certificate not delivered yet: station=%s, %s", request.station_id, failure.code)
        else:
            accepted = reply.ending is Ending.DONE
            reason = None if accepted else f"the charger: {reply.status}"
            await self._end(request_id, request.station_id, "delivered" if accepted else "refused", reason)

    async def _signed(self, request_id: int) -> rows.RequestUnderWay | None:
        """The request with its certificate; None when there is nothing left to do."""
        async with reading(self._pool) as conn:
            request = await rows.read_request(conn, request_id)
        if request is None or request.state == "signed":
            return request
        try:
            issued = await self._authority.sign(request.csr, self._clock.now())
        except Unsignable as refusal:
            await self._end(request_id, request.station_id, "refused", refusal.message)
            return None
        async with unit_of_work(self._pool) as uow:
            await rows.store_signed(uow.conn, request_id, issued, self._clock.now())
        log.info("certificate signed: station=%s, serial=%s", request.station_id, issued.serial_number)
        async with reading(self._pool) as conn:
            return await rows.read_request(conn, request_id)

    async def _end(
        self, request_id: int, station_id: StationId, state: Literal["delivered", "refused"], reason: str | None
    ) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.end_request(uow.conn, request_id, state, reason, self._clock.now())
        if reason is None:
            log.info("certificate delivered: station=%s", station_id)
        else:
            log.warning("certificate refused: station=%s, %s", station_id, reason)

    async def _note_refusal(self, station_id: StationId, reported_as: str, reason: str) -> None:
        """Stored as a security event of the station: a request for another station's certificate is suspicious."""
        report = SecurityReport(SecurityMatter.CERTIFICATE, reported_as, "Rejected", detail=reason)
        async with unit_of_work(self._pool) as uow:
            await security_events.add_event(uow.conn, station_id, report, self._clock.now())
        log.warning("%s rejected: station=%s, %s", reported_as, station_id, reason)
