"""Drivers' charges: start, stop, look (contract/rest-api §3-4)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import trio

from evpower.attempts.service import Attempts, StartDoor, Started
from evpower.billing.account import check_client
from evpower.billing.clients import Client, ensure_client, lock_client
from evpower.billing.reservation import estimated_energy_kwh
from evpower.billing.tariff import Price
from evpower.charging.errors import ConnectorTaken, NoSuchActiveSession, SessionFailed
from evpower.charging.reservations import Reserving
from evpower.charging.rows import sessions, stops
from evpower.charging.session import Session, SessionView, StartedSession, StartOrder, StoppedSession, view_session
from evpower.charging.start_stop import Commands
from evpower.clock import Clock, Ids
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import Forbidden, SessionAlreadyActive, SessionNotFound
from evpower.events import EventBus, SessionReserved
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import claim_key
from evpower.identifiers import STATION_ID, ClientId, SessionId, StationId, WireTransactionId
from evpower.link.ports import LiveStations, Outcome
from evpower.narrowing import Narrowing
from evpower.network.spots.checks import SpotChecks
from evpower.network.spots.errors import ConnectorOccupied, UnknownStation
from evpower.network.station_records import read_named, take_spots
from evpower.reservations.starts import ReservationUse
from evpower.tags.cards import ensure_app_tag
from evpower.tags.id_tag import app_tag

log = logging.getLogger("evpower.charging")


@dataclass(frozen=True)
class ChargingRules:
    """The owner's figures (config [charging], [ocpp])."""

    start_wait_s: float
    heartbeat_timeout_s: float
    max_sessions_per_client: int


class ChargingService:
    """What a driver, or an operator in a driver's place, may do."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        ids: Ids,
        reserving: Reserving,
        reservations: ReservationUse,
        link: LiveStations,
        commands: Commands,
        bus: EventBus,
        attempts: Attempts,
        rules: ChargingRules,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._reserving = reserving
        self._reservations = reservations
        self._link = link
        self._commands = commands
        self._bus = bus
        self._attempts = attempts
        self._rules = rules
        self._spots = SpotChecks(link, clock, rules.heartbeat_timeout_s)

    async def start_session(
        self, order: StartOrder, claim: IdempotencyClaim | None = None, *, door: StartDoor = "phone"
    ) -> StartedSession:
        """Reserve, commit, ask the station; waits at most `start_wait_s` for its answer. `door` is kept of the attempt.

        With a claim, the key is stored in the same unit of work as the reservation. The order may name the station by
        its serial number.
        Raises the `Refusal`s of contract/rest-api §4.1; on a refusal nothing is written but the new client and the
        attempt.
        """
        order = await self._at_named_station(order)
        async with self._attempts.kept(door, order.station_id, order.connector_id, order.client_id) as attempt:
            return await self._start(order, claim, attempt)

    async def _at_named_station(self, order: StartOrder) -> StartOrder:
        """With the station's id in place of its serial number (field ruling 6.1). Raises UnknownStation for a name that
        no station has and none can have as its id; of a possible id an attempt is kept."""
        async with reading(self._pool) as conn:
            named = await read_named(conn, order.station_id)
        if named is not None:
            return replace(order, station_id=named.id)
        if STATION_ID.fullmatch(order.station_id) is None:
            raise UnknownStation
        return order

    async def _start(self, order: StartOrder, claim: IdempotencyClaim | None, attempt: Started) -> StartedSession:
        async with unit_of_work(self._pool) as uow:
            await ensure_client(uow.conn, order.client_id, self._clock.now())
        await self._reserving.settle_before(order.client_id, order.station_id, order.connector_id)
        session_id = SessionId(self._ids.new())
        try:
            async with unit_of_work(self._pool) as uow:
                price = await self._reserve(uow, order, session_id, claim)
        except ConnectorTaken as taken:
            raise ConnectorOccupied from taken
        attempt.session_id = session_id
        conversation = self._commands.start(session_id)
        with trio.move_on_after(self._rules.start_wait_s):
            await conversation.done.wait()
        started = await self._started(session_id, price, order.energy_wh)
        # The row decides, not the answer: a station may refuse what it has begun already (field ruling 2.5).
        if started.session.status == "error":
            raise SessionFailed(session_id=session_id)
        answered = conversation.result
        if answered is not None and answered.outcome is Outcome.OFFLINE and started.session.wire_transaction_id is None:
            # Perhaps connected, and not to be asked yet: it begins when the station has spoken (field ruling 5.2).
            return replace(started, station_online=False)
        return started

    async def started_view(self, session_id: SessionId) -> StartedSession:
        """The answer to a start, rebuilt from the session's rows (a replayed key after a crash).

        Raises SessionFailed when the station had refused it.
        """
        session = await self._read(session_id)
        if session.status == "error":
            raise SessionFailed(session_id=session_id)
        rates = session.terms.rates
        price = Price(rates.per_kwh, rates.per_minute, rates.session_fee, schedule=session.terms.schedule)
        return await self._started(session_id, price, session.terms.limit.energy_wh)

    async def stop_session(
        self, session_id: SessionId, *, caller: ClientId | None, actor: str, claim: IdempotencyClaim | None = None
    ) -> StoppedSession:
        """Ask the station to stop, wait at most `stop_wait_s` for StopTransaction, else settle with the last reading.

        `caller` None means an operator; `actor` is kept with the session: the first who asked.
        Raises NoSuchActiveSession, Forbidden (not the owner).
        """
        async with unit_of_work(self._pool) as uow:
            owner = await sessions.read_owner(uow.conn, session_id)
            if owner is None:
                raise NoSuchActiveSession
            if caller is not None and caller != owner:
                raise Forbidden
            asked = await sessions.request_stop(uow.conn, session_id, actor, self._clock.now())
            if asked:
                uow.after_commit(lambda: log.info("stop asked: session_id=%s, by=%s", session_id, actor))
            if claim is not None:
                await claim_key(uow.conn, claim, session_id, self._clock.now())
        if not (await self._read(session_id)).is_final:
            await self._commands.stop(session_id, asked_before=not asked).done.wait()
        return StoppedSession(await self.session(session_id), already_stopped=not asked)

    async def stop_unpaid(
        self, station_id: StationId, transaction_id: WireTransactionId, *, actor: str
    ) -> Outcome | None:
        """Ask a charge to stop that no session pays for; what came of it, None when that takes longer than
        `start_wait_s`.

        Raises NoSuchActiveSession when no such charge goes on there.
        """
        async with reading(self._pool) as conn:
            going_on = await stops.charges_without_session(conn, Narrowing(station_id=station_id))
        if transaction_id not in {each.transaction_id for each in going_on}:
            raise NoSuchActiveSession
        log.info("stop asked: station=%s, transaction_id=%s, by=%s", station_id, transaction_id, actor)
        conversation = self._commands.stop_again(station_id, transaction_id)
        with trio.move_on_after(self._rules.start_wait_s):
            await conversation.done.wait()
        return None if conversation.result is None else conversation.result.outcome

    async def owner_of(self, session_id: SessionId) -> ClientId | None:
        """Whose session it is; None when there is no such session."""
        async with reading(self._pool) as conn:
            return await sessions.read_owner(conn, session_id)

    async def session(self, session_id: SessionId) -> SessionView:
        """The session as it is now. Raises SessionNotFound."""
        return self._view(await self._read(session_id))

    async def _reserve(
        self, uow: UnitOfWork, order: StartOrder, session_id: SessionId, claim: IdempotencyClaim | None
    ) -> Price:
        """Check, release what was reserved, price, hold, write: one unit of work."""
        now = self._clock.now()
        await take_spots(uow.conn, order.station_id, order.connector_id)
        client = await lock_client(uow.conn, order.client_id)
        order = replace(order, client_id=client.id)  # merged a moment ago: the charge is the survivor's
        # Before any check: what a twin in another process has begun must not be taken for a reason to refuse.
        if claim is not None:
            await claim_key(uow.conn, claim, session_id, now)
        check_client(client.status)
        spot = await self._spots.check(uow.conn, order.station_id, order.connector_id, client.id)
        await self._check_count(uow.conn, client)
        actor, place = f"client:{client.id}", (order.station_id, order.connector_id)
        # Before the hold of the charge: what it releases pays for it (roadmap/reservations §3).
        used = await self._reservations.use(uow, client, *place, session_id, actor) if spot.station_keeps else None
        id_tag = None if used is None else used.id_tag
        id_tag = id_tag or app_tag(client.verified_phone, self._ids)
        client = client if used is None else used.client
        price = await self._reserving.open(uow, client, order, session_id, id_tag, actor)
        await ensure_app_tag(uow.conn, id_tag, client.id, now)
        reserved = SessionReserved(session_id, order.station_id, order.connector_id)
        uow.after_commit(lambda: self._bus.publish(reserved))
        return price

    async def _check_count(self, conn: Conn, client: Client) -> None:
        allowed = self._rules.max_sessions_per_client
        if allowed and await sessions.count_running(conn, client.id) >= allowed:
            raise SessionAlreadyActive

    async def _started(self, session_id: SessionId, price: Price, energy_wh: int | None) -> StartedSession:
        session = await self._read(session_id)
        estimated = None
        if session.terms.limit.type != "energy":
            estimated = estimated_energy_kwh(session.terms.reserved_tyiyn, price.rates)
        view = self._view(session)
        return StartedSession(view, price, energy_wh, estimated, view.station_online)

    async def _read(self, session_id: SessionId) -> Session:
        async with reading(self._pool) as conn:
            session = await sessions.read_session(conn, session_id)
        if session is None:
            raise SessionNotFound
        return session

    def _view(self, session: Session) -> SessionView:
        online = self._link.is_connected(session.station_id)
        return view_session(session, self._clock.now(), station_online=online)
