"""The start of a charge: whose it is, and what it may cost (contract/ocpp-behaviour §5.2).

OCPP 1.6 reports it in one message; of a transaction of 2.0.1 it is the event that completes token and register.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evpower.attempts.service import Attempts, StartAttempt
from evpower.billing.account import check_client
from evpower.billing.clients import lock_client
from evpower.billing.errors import InsufficientBalance
from evpower.charging.reservations import Reserving
from evpower.charging.rows import sessions, transactions
from evpower.charging.rows.transactions import NewTransaction
from evpower.charging.session import StartOrder
from evpower.charging.settler import Settler
from evpower.charging.start_stop import Commands
from evpower.charging.transaction import BegunTransaction, TransactionStart
from evpower.clock import Clock, Ids
from evpower.correlation import correlation_id
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import Refusal
from evpower.events import ChargingBegan, EventBus
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.metering.belief import LATE_AFTER, late_since, own_time
from evpower.network.station_records import read_start_spot, take_spots
from evpower.push.events import of_session
from evpower.push.outbox import PushOutbox
from evpower.reservations.starts import ReservationUse
from evpower.tags.cards import APP_TAG, IdTagRow, read_id_tag
from evpower.tags.id_tag import IdTagVerdict
from evpower.tags.verdicts import free_verdict, judge, judge_read, verdict_on_card

log = logging.getLogger("OCPP")

ACCEPTED = IdTagVerdict("Accepted")
#: The station as a whole, which cannot charge (OCPP 1.6 §4.8 wants a connector above 0).
WHOLE_STATION = ConnectorId(0)


@dataclass(frozen=True)
class _Whose:
    """Whose charge it is: a session's; without a session and free; or without a session and refused."""

    verdict: IdTagVerdict
    session_id: SessionId | None = None
    is_free: bool = False
    #: A start that was ordered, and is an attempt of its own; else a card's.
    was_ordered: bool = False


class Beginnings:
    """Turns what a station reports of a start into a running session, or into a transaction that is not paid for."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        ids: Ids,
        reserving: Reserving,
        reservations: ReservationUse,
        settler: Settler,
        commands: Commands,
        bus: EventBus,
        push: PushOutbox,
        attempts: Attempts,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._reserving = reserving
        self._reservations = reservations
        self._settler = settler
        self._commands = commands
        self._bus = bus
        self._push = push
        self._attempts = attempts

    async def begin(self, station_id: StationId, start: TransactionStart) -> BegunTransaction:
        """A repeat gets the transaction it already made; whatever still ran on the connector is over."""
        async with unit_of_work(self._pool) as uow:
            # What runs there was begun by another start, and not by this one on the station's other socket.
            await take_spots(uow.conn, station_id, start.connector_id)
            if (begun_before := await self._repeated(uow, station_id, start)) is not None:
                return begun_before
            tag = await read_id_tag(uow.conn, start.id_tag)
            over = await self._close_unfinished(uow, station_id, start)
        for session_id in over:
            await self._settler.settle(session_id)
        await self._reserving.settle_before(tag.client_id if tag else None, station_id, start.connector_id)
        async with unit_of_work(self._pool) as uow:
            await take_spots(uow.conn, station_id, start.connector_id)
            begun_before = await self._repeated(uow, station_id, start)
            return begun_before or await self._begin(uow, station_id, start)

    async def authorize(self, station_id: StationId, id_tag: IdTag) -> IdTagVerdict:
        """The verdict a start with this tag would get here now (field ruling 2.4), wherever the cable is plugged in.

        Where a charge with it goes on it is accepted: its driver may be there to end it.
        """
        async with reading(self._pool) as conn:
            tag = await read_id_tag(conn, id_tag)
            verdict = await judge_read(conn, station_id, id_tag, tag, self._clock.now())
            client_id = tag.client_id if tag else None
            if verdict.status == "Accepted" and await self._is_locked_out(conn, station_id, id_tag, client_id):
                return replace(verdict, status="Blocked")
        if verdict.status != "Accepted" or tag is None or tag.tag_type == APP_TAG or tag.client_id is None:
            return verdict
        await self._reserving.settle_before(tag.client_id, station_id, None)
        async with reading(self._pool) as conn:
            charging_at = await sessions.charging_with_tag(conn, id_tag)
            if charging_at:
                return verdict if station_id in charging_at else replace(verdict, status="ConcurrentTx")
            released_tyiyn = await self._reservations.would_release(conn, tag.client_id, station_id)
            try:
                await self._reserving.check(conn, station_id, tag.client_id, released_tyiyn)
            except InsufficientBalance:
                return replace(verdict, status="Blocked")
        return verdict

    async def _is_locked_out(
        self, conn: Conn, station_id: StationId, id_tag: IdTag, client_id: ClientId | None
    ) -> bool:
        """Whether the station is under maintenance, or kept for others; a charge with this tag that goes on there may
        be ended."""
        spot = await read_start_spot(conn, station_id, WHOLE_STATION)
        if spot is None:
            return False
        is_kept = spot.station_keeps and await self._reservations.locks_out(conn, station_id, client_id)
        if spot.admin_status != "maintenance" and not is_kept:
            return False
        return station_id not in await sessions.charging_with_tag(conn, id_tag)

    async def _repeated(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart
    ) -> BegunTransaction | None:
        """The answer that a repeat of a start gets; None for a start of its own.

        A charge that is over is no answer to a start that has its own reservation: stations without a clock and with a
        register for each charge begin every charge with the same words. One that the station names is itself.
        """
        if start.wire_transaction_id is not None:
            return await self._named(uow, station_id, start, start.wire_transaction_id)
        repeat = await transactions.find_repeat(uow.conn, station_id, start)
        if repeat is None:
            return None
        if not repeat.is_running:
            pending = await self._pending(uow, station_id, start, await read_id_tag(uow.conn, start.id_tag))
            if pending is not None and pending.is_its_connector:
                return None
        if repeat.has_new_time:
            await transactions.flag(uow.conn, repeat.id, "start_repeated")
            log.warning(
                "StartTransaction repeated with another time: station=%s, transaction_id=%s, from=%s, to=%s",
                station_id,
                repeat.wire_transaction_id,
                repeat.started_at,
                start.started_at,
            )
        verdict = await judge(uow.conn, station_id, start.id_tag, self._clock.now())
        return BegunTransaction(repeat.wire_transaction_id, replace(verdict, status=repeat.verdict))

    async def _named(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, wire_id: WireTransactionId
    ) -> BegunTransaction | None:
        """The charge of a transaction that the station names; one that was refused may begin with another token."""
        known = await transactions.lock_transaction(uow.conn, station_id, wire_id)
        if known is None or not (known.verdict == "Accepted" or known.session_id or known.has_stop):
            return None
        verdict = await judge(uow.conn, station_id, start.id_tag, self._clock.now())
        return BegunTransaction(wire_id, replace(verdict, status=known.verdict))

    async def _pending(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, tag: IdTagRow | None
    ) -> sessions.PendingStart | None:
        """The reservation this start is for; a card's queued one is for none that was made after it."""
        began_at = late_since(start.started_at, self._clock.now())
        return await sessions.find_pending(
            uow.conn,
            station_id,
            start,
            tag.client_id if tag else None,
            None if began_at is None else began_at + LATE_AFTER,
        )

    async def _begin(self, uow: UnitOfWork, station_id: StationId, start: TransactionStart) -> BegunTransaction:
        now = self._clock.now()
        tag = await read_id_tag(uow.conn, start.id_tag)
        whose = await self._whose(uow, station_id, start, tag)
        wire_id = start.wire_transaction_id or await transactions.new_wire_id(uow.conn, station_id)
        new = NewTransaction(
            station_id,
            start,
            wire_id,
            whose.verdict.status,
            whose.session_id,
            whose.is_free,
            flags=(
                *(("connector_0",) if start.connector_id == WHOLE_STATION else ()),
                *(("late",) if late_since(start.started_at, now) is not None else ()),
                *(f"without_{name}" for name in start.unread),
            ),
        )
        await transactions.insert_transaction(uow.conn, new, now)
        if not whose.was_ordered:
            await self._keep_attempt(uow, station_id, start, tag, whose)
        if whose.session_id is not None and await sessions.set_phase(
            uow.conn, whose.session_id, "charging", before=("reserved", "starting"), at=now
        ):
            await self._push.enqueue(
                uow,
                of_session("charging_started", whose.session_id, station_id),
                of_session("new_session", whose.session_id, station_id),
            )
            began = ChargingBegan(whose.session_id, station_id, start.connector_id)
            uow.after_commit(lambda: self._bus.publish(began))
        elif whose.verdict.status == "Accepted" and not whose.is_free:
            # The driver gave it up before it began: accepted, stopped at once, never billed (worked example 25).
            uow.after_commit(lambda: self._commands.stop_unpaid(station_id, wire_id))
        return BegunTransaction(wire_id, replace(whose.verdict, language=tag.language if tag else None))

    async def _keep_attempt(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, tag: IdTagRow | None, whose: _Whose
    ) -> None:
        attempt = StartAttempt(
            self._clock.now(),
            tag.client_id if tag else None,
            station_id,
            start.connector_id,
            "card",
            whose.verdict.status,
            correlation_id.get(),
            whose.session_id,
        )
        await self._attempts.keep_card(uow, attempt)

    async def _whose(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, tag: IdTagRow | None
    ) -> _Whose:
        """A start that waits for this one, else one its driver gave up, else a card's; on connector 0 no session's."""
        if start.connector_id == WHOLE_STATION:
            log.warning("StartTransaction on connector 0 is refused: station=%s", station_id)
            return _Whose(IdTagVerdict("Blocked"))
        pending = await self._pending(uow, station_id, start, tag)
        if pending is not None:
            return _Whose(ACCEPTED, pending.id, was_ordered=True)
        now = self._clock.now()
        own_at = own_time(start.started_at, now)
        released = await sessions.find_released(
            uow.conn,
            station_id,
            start,
            began_at=own_at or now,
            reported_since=late_since(start.started_at, now),
        )
        if released is not None:
            if not released.given_up and own_at is not None and own_at < released.released_at:
                log.warning("began before it was given up, and is billed: session_id=%s", released.id)
                await self._reserving.reopen(uow, released, start.connector_id)
            return _Whose(ACCEPTED, released.id, was_ordered=True)
        return await self._begin_at_station(uow, station_id, start, tag)

    async def _begin_at_station(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, tag: IdTagRow | None
    ) -> _Whose:
        """A card was presented: its client's charge reserves like an unlimited start (design §9.11), or the station
        gives it away."""
        now = self._clock.now()
        free = await free_verdict(uow.conn, station_id, start.id_tag, tag, now)
        verdict = free or verdict_on_card(tag, now)
        client_id = None if tag is None or tag.tag_type == APP_TAG else tag.client_id
        if free is None and client_id is None:
            return _Whose(IdTagVerdict("Invalid" if verdict.status == "Accepted" else verdict.status))
        if (began_at := late_since(start.started_at, now)) is not None:
            return await self._whose_report(uow, station_id, start, verdict, client_id, began_at)
        if verdict.status != "Accepted":
            return _Whose(verdict)
        if client_id is not None and await sessions.charging_with_tag(uow.conn, start.id_tag):
            return _Whose(IdTagVerdict("ConcurrentTx"))
        spot = await read_start_spot(uow.conn, station_id, start.connector_id)
        if spot is None or spot.admin_status == "inactive" or not spot.is_enabled or spot.running_session is not None:
            return _Whose(IdTagVerdict("Blocked"))
        if spot.is_kept_from(client_id):
            log.info(
                "StartTransaction refused, it is reserved: station=%s, connector=%d", station_id, start.connector_id
            )
            return _Whose(IdTagVerdict("Blocked"))
        # A queued start tells of energy that flowed, perhaps before the maintenance: it is billed.
        if spot.admin_status == "maintenance" and late_since(start.started_at, now) is None:
            return _Whose(IdTagVerdict("Blocked"))
        if client_id is None:
            log.info("given away: station=%s, connector=%d", station_id, start.connector_id)
            return _Whose(verdict, is_free=True)
        try:
            # A refusal gives back what the start took by then: a reservation lives on.
            async with uow.part():
                return _Whose(verdict, await self._reserve(uow, station_id, start, client_id))
        except Refusal as refusal:
            log.info("StartTransaction refused: station=%s, reason=%s", station_id, refusal.code)
            return _Whose(IdTagVerdict("Blocked"))

    async def _whose_report(
        self,
        uow: UnitOfWork,
        station_id: StationId,
        start: TransactionStart,
        verdict: IdTagVerdict,
        client_id: ClientId | None,
        began_at: datetime,
    ) -> _Whose:
        """A start that comes late is a report, not a question (field ruling 2.3): the energy has flowed.

        It is its client's charge whatever his card, his money or the connector would say now. The answer is the verdict
        on the card all the same: it ends what a barred card still charges, and mends what the station remembers of it.
        """
        log.warning("StartTransaction comes late and is recorded: station=%s, began_at=%s", station_id, began_at)
        if client_id is None:
            return _Whose(verdict, is_free=True)
        client = await lock_client(uow.conn, client_id)
        session_id = SessionId(self._ids.new())
        order, place = StartOrder(client.id, station_id, start.connector_id), (station_id, start.connector_id)
        used = await self._reservations.use(uow, client, *place, session_id, f"card:{start.id_tag}", began_at=began_at)
        client = client if used is None else used.client
        await self._reserving.open_reported(uow, client, order, session_id, start.id_tag, began_at)
        return _Whose(verdict, session_id)

    async def _reserve(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart, client_id: ClientId
    ) -> SessionId:
        client = await lock_client(uow.conn, client_id)
        check_client(client.status)
        session_id, actor = SessionId(self._ids.new()), f"card:{start.id_tag}"
        order = StartOrder(client.id, station_id, start.connector_id)
        used = await self._reservations.use(uow, client, station_id, start.connector_id, session_id, actor)
        client = client if used is None else used.client
        await self._reserving.open(uow, client, order, session_id, start.id_tag, actor)
        return session_id

    async def _close_unfinished(
        self, uow: UnitOfWork, station_id: StationId, start: TransactionStart
    ) -> Sequence[SessionId]:
        """A charge that begins proves that the connector's earlier one is over although no stop arrived; the sessions
        that are to be settled now."""
        began_at = late_since(start.started_at, self._clock.now())
        unfinished = await transactions.running_on_connector(uow.conn, station_id, start.connector_id, began_at)
        for transaction in unfinished:
            log.warning(
                "StopTransaction missing: station=%s, transaction_id=%s", station_id, transaction.wire_transaction_id
            )
            await transactions.close_unfinished(uow.conn, transaction.id)
            if transaction.session_id is not None:
                await sessions.end_session(
                    uow.conn,
                    transaction.session_id,
                    cause="lost",
                    reason="Other",
                    estimated=True,
                    at=self._clock.now(),
                )
        return [each.session_id for each in unfinished if each.session_id is not None]
