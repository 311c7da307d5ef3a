"""A new reservation: what it would cost, and writing it with its hold (roadmap/reservations §2, §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evpower.billing.account import check_client
from evpower.billing.clients import lock_client
from evpower.billing.errors import InsufficientBalance
from evpower.billing.pricing import Pricing
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import Clock, Ids
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading
from evpower.errors import ConnectorNotFound, InvalidRequest, Refusal, StationNotFound
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import claim_key
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.network.spots.checks import SpotChecks
from evpower.network.station_records import read_named, take_spots
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.errors import NoSuchConnector, ReservationLimit
from evpower.reservations.fees import NO_SHOWS_BLOCK, NO_SHOWS_WITHIN, ReservationPrice, blocked_until
from evpower.reservations.reservation import FURTHEST, KeptWindow, ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows import stations
from evpower.tags.cards import ensure_app_tag
from evpower.tags.id_tag import app_tag


@dataclass(frozen=True)
class ReservationOrder:
    """What a driver wants kept; no connector: any of the station. `start_time` None: from now on."""

    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId | None
    minutes: int
    start_time: datetime | None = None


@dataclass(frozen=True)
class ReservationQuote:
    """What it would hold and cost."""

    price: ReservationPrice
    hold_tyiyn: int
    free_cancel_until: datetime
    guaranteed: bool


class NewReservations:
    """Quotes them, and writes them by the rules of §2 in their order."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        ids: Ids,
        spots: SpotChecks,
        pricing: Pricing,
        money: ReservationMoney,
        ends: ReservationEnds,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._spots = spots
        self._pricing = pricing
        self._money = money
        self._ends = ends

    async def quote(
        self,
        station_name: StationId,
        connector_id: ConnectorId | None,
        minutes: int,
        start_time: datetime | None,
        client_id: ClientId | None,
    ) -> ReservationQuote:
        """What a reservation would cost; writes nothing. Raises StationNotFound, NoSuchConnector, InvalidRequest."""
        window = self._window(minutes, start_time)
        async with reading(self._pool) as conn:
            named = await read_named(conn, station_name)
            if named is None or named.is_inactive:
                raise StationNotFound
            if connector_id is not None and connector_id not in await stations.connectors_of(conn, named.id):
                raise NoSuchConnector
            price = await self._price(conn, named.id, connector_id, client_id)
            abilities = await stations.read_abilities(conn, named.id)
        return ReservationQuote(price, price.hold_tyiyn(minutes), window.free_cancel_until, abilities.keeps)

    async def open(self, uow: UnitOfWork, order: ReservationOrder, claim: IdempotencyClaim | None) -> ReservationRecord:
        """Written with its hold. Raises the refusals of §2, IdempotencyMismatch, ReservationTaken."""
        now, reservation_id = self._clock.now(), self._ids.new()
        window = self._window(order.minutes, order.start_time)
        known = await stations.connectors_of(uow.conn, order.station_id)
        await take_spots(uow.conn, order.station_id, *known)
        client = await lock_client(uow.conn, order.client_id)
        if claim is not None:
            await claim_key(uow.conn, claim, None, now, order_id=reservation_id)
        check_client(client.status)
        order = replace(order, client_id=client.id)  # merged a moment ago: it is the survivor's
        connector_id = await self._choose(uow.conn, order, window, known)
        await self._check_rules(uow.conn, client.id, order, now)
        if connector_id is None:
            raise ReservationLimit("overlap")
        price = await self._price(uow.conn, order.station_id, connector_id, client.id)
        hold_tyiyn = price.hold_tyiyn(order.minutes)
        if client.balance_tyiyn < hold_tyiyn:
            raise InsufficientBalance(client.balance_tyiyn, hold_tyiyn)
        made = await self._new(uow.conn, reservation_id, order, window, connector_id, price)
        made = replace(made, id_tag=app_tag(client.verified_phone, self._ids))
        assert made.id_tag is not None
        await ensure_app_tag(uow.conn, made.id_tag, client.id, now)
        await rows.insert(uow.conn, made)
        await self._money.hold(uow, client, made.id, hold_tyiyn)
        await self._ends.show(uow, made)
        return made

    async def _choose(
        self, conn: Conn, order: ReservationOrder, window: KeptWindow, known: Sequence[ConnectorId]
    ) -> ConnectorId | None:
        """The connector that is kept; None: another reservation has each of them at that time.

        Raises the refusal of a start there, of the first connector when any would do.
        """
        wanted = known if order.connector_id is None else [order.connector_id]
        refusal: Refusal = ConnectorNotFound()
        for_later = order.start_time is not None
        could: list[ConnectorId] = []
        for connector_id in reversed(wanted):
            try:
                await self._spots.check(conn, order.station_id, connector_id, order.client_id, for_later=for_later)
                could.append(connector_id)
            except Refusal as error:
                refusal = error
        if not could:
            raise refusal
        for connector_id in reversed(could):
            since, until = window.blocks_from, window.expires_at
            if not await rows.overlaps(conn, order.station_id, connector_id, since, until):
                return connector_id
        return None

    async def _check_rules(self, conn: Conn, client_id: ClientId, order: ReservationOrder, now: datetime) -> None:
        """One at a time; none for a while after too many that were not used; not too far ahead."""
        if await rows.lock_live_of_client(conn, client_id) is not None:
            raise ReservationLimit("too_many_reservations")
        no_shows = await rows.no_shows(conn, client_id, now - NO_SHOWS_WITHIN - NO_SHOWS_BLOCK)
        until = blocked_until(no_shows)
        if until is not None and now < until:
            raise ReservationLimit("no_show_block", blocked_until=until)
        if order.start_time is not None and order.start_time > now + FURTHEST:
            raise ReservationLimit("too_far_ahead")

    async def _new(
        self,
        conn: Conn,
        reservation_id: str,
        order: ReservationOrder,
        window: KeptWindow,
        connector_id: ConnectorId,
        price: ReservationPrice,
    ) -> ReservationRecord:
        """As it is written first: a scheduled one waits; of the others the station is asked, if it can keep one."""
        now, abilities = self._clock.now(), await stations.read_abilities(conn, order.station_id)
        made = ReservationRecord(
            id=reservation_id,
            wire_id=await rows.new_wire_id(conn),
            client_id=order.client_id,
            station_id=order.station_id,
            connector_id=connector_id,
            any_connector=order.connector_id is None,
            status="pending",
            scheduled=order.start_time is not None,
            minutes=order.minutes,
            created_at=now,
            **vars(window),
            is_blocking=window.blocks_from <= now,
            per_minute=price.per_minute,
            no_show_fee=price.no_show_fee,
            hold_tyiyn=price.hold_tyiyn(order.minutes),
            fee_tyiyn=None,
            ended_at=None,
            canceled_by=None,
            reason=None,
            ended_by=None,
            session_id=None,
            returned_at=None,
            guaranteed=abilities.keeps,
            id_tag=None,
            at_station="nothing",
            asked_at=None,
            extended_at=None,
            warned_at=None,
        )
        if made.scheduled:
            return made
        return made.asked(now) if abilities.keeps else made.reserved(guaranteed=False)

    def _window(self, minutes: int, start_time: datetime | None) -> KeptWindow:
        """Raises InvalidRequest for a start that is not in the future."""
        now = self._clock.now()
        if start_time is None:
            return KeptWindow.at_once(now, minutes)
        if start_time <= now:
            raise InvalidRequest(("start_time", "должно быть в будущем"))
        return KeptWindow.scheduled(start_time, minutes)

    async def _price(
        self, conn: Conn, station_id: StationId, connector_id: ConnectorId | None, client_id: ClientId | None
    ) -> ReservationPrice:
        now = self._clock.now()
        return ReservationPrice(*await self._pricing.reservation(conn, station_id, connector_id, client_id, now))
