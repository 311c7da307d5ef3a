"""Sending grants and permanent profiles to stations, and writing what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import trio

from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.link.commands import Ending, LimitDraw, ReadSettings
from evpower.link.device_commands import FoundLimit, ReadLimits
from evpower.link.errors import CommandFailure, CommandRefused, CommandTimedOut, NotInThisVersion
from evpower.link.ports import StationLink
from evpower.power.at_station.limits_on_the_wire import Wire, is_lasting
from evpower.power.planning import ANSWER_WITHIN
from evpower.power.rows import grants, groups, station_limits
from evpower.power.site import OutletId
from evpower.worker import contain

log = logging.getLogger("evpower.power")

#: Whose limits ours are, in OCPP's words.
OURS = "CSO"
#: In which unit a station takes limits (OCPP 1.6 §9.4.1): a list of Current and Power.
ALLOWED_UNITS = "ChargingScheduleAllowedChargingRateUnit"


@dataclass(frozen=True)
class Sent:
    """A grant whose row is written."""

    grant_id: int
    outlet: OutletId
    command: LimitDraw


class Commanding:
    """Each call is a task of the keeper's nursery; `answered` wakes it."""

    def __init__(self, pool: Pool, clock: Clock, link: StationLink, answered: Callable[[], None]) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._answered = answered

    async def send(self, sent: Sent) -> None:
        """One grant; without an answer in time it is lost, and its row says so."""
        with contain(log, "what became of a grant could not be written; it counts as lost: grant=%d", sent.grant_id):
            state = await self._state_after(sent.outlet, sent.command)
            now = self._clock.now()
            async with unit_of_work(self._pool) as uow:
                await grants.insert_answer(uow.conn, sent.grant_id, state, now)
                await self._note_refusal(uow.conn, sent.outlet, state, now)
            if state != "accepted":
                log.warning("a grant was not accepted: station=%s, connector=%d, %s", *sent.outlet, state)
        self._answered()

    async def set_failsafe(self, wire: Wire, asks_unit: bool) -> None:
        """What the connector may draw when nobody grants anything."""
        outlet = wire.member.outlet
        with contain(log, "a permanent limit could not be set and will be again: station=%s, connector=%d", *outlet):
            unit = await self._unit(outlet[0]) if asks_unit else wire.unit
            wire = Wire(wire.member, unit)
            state = await self._state_after(outlet, wire.lasting(wire.member.failsafe_da))
            now = self._clock.now()
            async with unit_of_work(self._pool) as uow:
                if state == "accepted":
                    await groups.note_failsafe(uow.conn, outlet, wire.member.failsafe_da, unit)
                await self._note_refusal(uow.conn, outlet, state, now)
            if state == "accepted":
                await self._reconcile(outlet)
        self._answered()

    async def _reconcile(self, outlet: OutletId) -> None:
        """What the station itself says it has (2.0.1 K09): limits of others may have come or gone while it was away,
        and a permanent profile of ours that it accepted and does not have limits nothing."""
        ours = await self._limits(outlet, of_others=False)
        others = await self._limits(outlet, of_others=True)
        async with unit_of_work(self._pool) as uow:
            if others is not None:
                limits = [(each.source, each.written) for each in others if each.source != OURS]
                await station_limits.replace_limits(uow.conn, *outlet, limits, self._clock.now())
            if ours is not None and not any(is_lasting(each.profile_id) for each in ours):
                log.warning("a station does not have the limit that it accepted: station=%s, connector=%d", *outlet)
                await groups.note_failsafe(uow.conn, outlet, None, None)

    async def _limits(self, outlet: OutletId, *, of_others: bool) -> Sequence[FoundLimit] | None:
        """None: the station does not say."""
        async with unit_of_work(self._pool) as uow:
            number = await station_limits.new_number(uow.conn)
        with trio.move_on_after(ANSWER_WITHIN.total_seconds()), suppress(CommandFailure, InvalidRequest):
            return (await self._link.ask(outlet[0], ReadLimits(number, outlet[1], of_others))).limits
        return None

    async def _note_refusal(self, conn: Conn, outlet: OutletId, state: str, now: datetime) -> None:
        """A station that refuses may draw all it can; one that accepts is controlled again, unless it disobeys."""
        if state in ("rejected", "failed"):
            if await groups.note_uncontrolled(conn, outlet, "refuses", now):
                log.warning("a connector refuses limits: station=%s, connector=%d", *outlet)
        elif state == "accepted":
            await groups.note_accepts(conn, outlet)

    async def _state_after(self, outlet: OutletId, command: LimitDraw) -> str:
        with trio.move_on_after(ANSWER_WITHIN.total_seconds()):
            try:
                reply = await self._link.ask(outlet[0], command)
            except (CommandRefused, NotInThisVersion, InvalidRequest):
                return "failed"
            except CommandTimedOut:
                return "timed_out"
            except CommandFailure:
                return "offline"
            return "accepted" if reply.ending is Ending.DONE else "rejected"
        return "timed_out"

    async def _unit(self, station_id: StationId) -> str | None:
        """The one unit that a station takes; None: both, or it does not say."""
        try:
            with trio.move_on_after(ANSWER_WITHIN.total_seconds()):
                answer = await self._link.ask(station_id, ReadSettings((ALLOWED_UNITS,)))
                texts = [each.value or "" for each in answer.settings if each.key == ALLOWED_UNITS]
                return _only_unit(texts[0]) if texts else None
        except (CommandFailure, InvalidRequest):
            log.info("a station does not say in which unit it is limited: station=%s", station_id)
        return None


def _only_unit(text: str) -> str | None:
    has_current, has_power = "Current" in text or text == "A", "Power" in text or text == "W"
    return None if has_current == has_power else ("A" if has_current else "W")
