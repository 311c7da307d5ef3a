"""What stations are asked about reservations: to keep, and to give up (§4; OCPP 1.6 §5.13, §5.1; 2.0.1 H01, H02).

Asking is a task of the workers' ring: a phone that hangs up leaves no hold whose station was not asked. What was not
answered is found again in the rows.
"""

from __future__ import annotations

import logging
from typing import Literal, TypeAlias

import trio

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId
from evpower.link.commands import EndReservation, Reserve
from evpower.link.conversation import Conversation
from evpower.link.errors import CommandFailure, CommandRefused, NotInThisVersion
from evpower.link.ports import StationLink
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.reservation import NET, ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows.stations import Abilities, group_of, read_abilities
from evpower.worker import contain

log = logging.getLogger("OCPP")

#: OCPP's word for the station as a whole.
ANY = ConnectorId(0)
#: The station has no such command: we keep the connector alone.
UNKNOWN_COMMAND = frozenset({"NotImplemented", "NotSupported"})

#: `soft`: it cannot; `unknown`: it may have it or not; else its refusal, in small letters.
Kept: TypeAlias = Literal["kept", "soft", "unknown"] | str


class StationSide:
    """Has stations keep connectors; `conversations` is the nursery that owns the asking."""

    def __init__(self, pool: Pool, link: StationLink, ends: ReservationEnds, conversations: trio.Nursery) -> None:
        self._pool = pool
        self._link = link
        self._ends = ends
        self._conversations = conversations

    def keep(self, reservation_id: str) -> Conversation:
        """Ask for what is written as asked for; its row says what came of it."""
        conversation = Conversation()
        self._conversations.start_soon(self._guarded, reservation_id, conversation)
        return conversation

    async def _guarded(self, reservation_id: str, conversation: Conversation) -> None:
        try:
            with contain(
                log, "a reservation was not asked for and will be taken back: reservation_id=%s", reservation_id
            ):
                await self.ask(reservation_id)
        finally:
            conversation.done.set()

    async def ask(self, reservation_id: str) -> Kept:
        """Ask now, and write the answer: reserved, or rejected with all that was held released."""
        async with reading(self._pool) as conn:
            of = await rows.read(conn, reservation_id)
            if of is None or not of.is_live or of.at_station == "nothing":
                return "unknown"
            abilities = await read_abilities(conn, of.station_id)
            group = await group_of(conn, of.station_id, of.client_id)
        kept = await self._order(of, abilities, group)
        if kept == "unknown":
            log.warning("no answer to ReserveNow: station=%s, reservation_id=%s", of.station_id, of.id)
            return kept
        if await self._note(of, kept):
            return await self.ask(reservation_id)
        return kept

    async def _note(self, of: ReservationRecord, kept: Kept) -> bool:
        """Write what the station answered; True when it was asked for less than is wanted by now."""
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, of.id)
            assert locked is not None
            now = locked[1]
            if not now.is_live or now.at_station == "nothing" or now.station_id != of.station_id:
                return False
            if kept in ("kept", "soft"):
                await self._ends.store(uow, now.reserved(guaranteed=kept == "kept"))
            elif now.status == "reserved":  # it is kept longer, or would be
                await self._ends.store(uow, now.reserved(guaranteed=False))
            elif not now.scheduled:
                await self._ends.end(uow, now, "rejected", by=f"station:{now.station_id}", reason=kept)
            return kept == "kept" and now.expires_at > of.expires_at

    async def take_back(self, of: ReservationRecord) -> bool:
        """Have the station give it up; False when it cannot be asked now. Refused is fine: it was gone."""
        try:
            await self._link.ask(of.station_id, EndReservation(of.wire_id))
        except (CommandRefused, NotInThisVersion, InvalidRequest):
            return True
        except CommandFailure:
            return False
        return True

    async def _order(self, of: ReservationRecord, abilities: Abilities, group: str | None) -> Kept:
        assert of.id_tag is not None, "a live one has its tag"
        connector_id = ANY if of.any_connector and abilities.keeps_any else of.connector_id
        # Our clock decides the end, the station's is the net below.
        command = Reserve(of.wire_id, connector_id, of.id_tag, of.expires_at + NET, group)
        try:
            reply = await self._link.ask(of.station_id, command)
        except NotInThisVersion:
            return "soft"
        except CommandRefused as refused:
            code = refused.details["call_error"]["code"]
            return "soft" if code in UNKNOWN_COMMAND else "rejected"
        except InvalidRequest:
            return "rejected"
        except CommandFailure:
            return "unknown"
        return "kept" if reply.status == "Accepted" else reply.status.lower()
