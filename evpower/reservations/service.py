"""What a driver does with reservations: quote, make, look, make longer, give up (roadmap/reservations §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import trio

from evpower.billing.account import check_client
from evpower.billing.clients import Client, ensure_client, lock_client
from evpower.billing.errors import InsufficientBalance
from evpower.billing.pricing import Pricing
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import Clock, Ids
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import ConnectorNotFound, InvalidRequest, Refusal, StationNotFound
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import claim_key, keep_claim
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.network.spots.checks import SpotChecks
from evpower.network.spots.errors import ConnectorOccupied, UnknownStation
from evpower.network.station_records import read_named, take_spots
from evpower.network.status import RESERVED
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.errors import (
    NoSuchConnector,
    ReservationLimit,
    ReservationNotFound,
    ReservationOver,
    ReservationTaken,
    refusal_of_station,
)
from evpower.reservations.fees import NO_SHOWS_BLOCK, NO_SHOWS_WITHIN, ReservationPrice, blocked_until, price_of
from evpower.reservations.reservation import FURTHEST, KeptWindow, ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows import stations
from evpower.reservations.station_side import StationSide
from evpower.tags.cards import ensure_app_tag
from evpower.tags.id_tag import app_tag

#: The newest of a client's that are listed.
LISTED_MOST = 100


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


@dataclass(frozen=True)
class ReservationView:
    """A reservation as its client sees it."""

    record: ReservationRecord
    location_id: str


class Reservations:
    """A driver's verbs."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        ids: Ids,
        spots: SpotChecks,
        pricing: Pricing,
        money: ReservationMoney,
        ends: ReservationEnds,
        station_side: StationSide,
        *,
        answer_wait_s: float,
    ) -> None:
        """`answer_wait_s` is how long a station's answer is waited for."""
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._spots = spots
        self._pricing = pricing
        self._money = money
        self._ends = ends
        self._station_side = station_side
        self._answer_wait_s = answer_wait_s

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

    async def create(self, order: ReservationOrder, claim: IdempotencyClaim | None = None) -> ReservationView:
        """Hold, commit, ask the station; waits at most `answer_wait_s`. Without its answer it is `pending`.

        Raises the refusals of §2, in their order: as a start, then the rules of reservations, then money; and of a
        station that refused. On a refusal before that nothing is written but the new client.
        """
        async with reading(self._pool) as conn:
            named = await read_named(conn, order.station_id)
        if named is None:
            raise UnknownStation
        order = replace(order, station_id=named.id)
        async with unit_of_work(self._pool) as uow:
            await ensure_client(uow.conn, order.client_id, self._clock.now())
        try:
            async with unit_of_work(self._pool) as uow:
                made = await self._open(uow, order, claim)
        except ReservationTaken:
            raise (
                ConnectorOccupied(connector_status=RESERVED)
                if order.start_time is None
                else ReservationLimit("overlap")
            ) from None
        if made.at_station == "asked":
            asking = self._station_side.keep(made.id)
            with trio.move_on_after(self._answer_wait_s):
                await asking.done.wait()
        return await self.made(made.id)

    async def made(self, reservation_id: str) -> ReservationView:
        """What came of a reservation that was just made. Raises the station's refusal."""
        view = await self._read(reservation_id)
        if view.record.status == "rejected":
            raise refusal_of_station(view.record.reason)
        return view

    async def one(self, client_id: ClientId, reservation_id: str) -> ReservationView:
        """Raises ReservationNotFound."""
        view = await self._read(reservation_id)
        if view.record.client_id != client_id:
            raise ReservationNotFound
        return view

    async def of_client(self, client_id: ClientId, *, active: bool) -> list[ReservationView]:
        """The client's own, the newest first; `active`: those that live alone."""
        async with reading(self._pool) as conn:
            records = await rows.of_client(conn, client_id, active=active, most=LISTED_MOST)
            places = await stations.locations_of(conn, [each.station_id for each in records])
        return [ReservationView(each, places[each.station_id]) for each in records]

    async def extend(
        self, client_id: ClientId, reservation_id: str, minutes: int, claim: IdempotencyClaim | None = None
    ) -> ReservationView:
        """Once, while nobody else's window follows; what it can cost more is held.

        Raises ReservationNotFound, ReservationOver, ReservationLimit, InsufficientBalance, IdempotencyMismatch.
        """
        try:
            async with unit_of_work(self._pool) as uow:
                client, of = await self._own(uow, client_id, reservation_id)
                await keep_claim(uow, claim, self._clock.now())
                longer = await self._extend(uow, client, of, minutes)
        except ReservationTaken:
            raise ReservationLimit("overlap") from None
        if longer.at_station == "kept":
            asking = self._station_side.keep(longer.id)  # the same number again replaces it
            with trio.move_on_after(self._answer_wait_s):
                await asking.done.wait()
        return await self._read(reservation_id)

    async def cancel(
        self, client_id: ClientId, reservation_id: str, claim: IdempotencyClaim | None = None
    ) -> tuple[ReservationView, bool]:
        """The final figures, and whether it was over already. Raises ReservationNotFound, IdempotencyMismatch."""
        async with unit_of_work(self._pool) as uow:
            client, of = await self._own(uow, client_id, reservation_id)
            await keep_claim(uow, claim, self._clock.now())
            was_live = of.is_live
            # Its time was over, and nobody had noted it yet.
            is_over = of.status == "reserved" and self._ends.reached(of) >= of.expires_at
            await self._ends.end(uow, of, "no_show" if is_over else "canceled_driver", by=f"client:{client.id}")
        return await self._read(reservation_id), not was_live

    async def _own(self, uow: UnitOfWork, client_id: ClientId, reservation_id: str) -> tuple[Client, ReservationRecord]:
        locked = await self._ends.lock(uow, reservation_id)
        if locked is None or locked[1].client_id != client_id:
            raise ReservationNotFound
        return locked

    async def _open(
        self, uow: UnitOfWork, order: ReservationOrder, claim: IdempotencyClaim | None
    ) -> ReservationRecord:
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

    async def _extend(self, uow: UnitOfWork, client: Client, of: ReservationRecord, minutes: int) -> ReservationRecord:
        now = self._clock.now()
        if not of.is_live or now >= of.expires_at:
            raise ReservationOver
        if of.extended_at is not None:
            raise ReservationLimit("already_extended")
        until = of.expires_at + timedelta(minutes=minutes)
        if await rows.overlaps(uow.conn, of.station_id, of.connector_id, of.blocks_from, until, but=of.id):
            raise ReservationLimit("overlap")
        more_tyiyn = price_of(of).hold_tyiyn(of.minutes + minutes) - of.hold_tyiyn
        await self._money.hold(uow, client, of.id, more_tyiyn, is_extension=True)
        longer = of.extended(minutes, more_tyiyn, now)
        await self._ends.store(uow, longer)
        return longer

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

    async def _read(self, reservation_id: str) -> ReservationView:
        async with reading(self._pool) as conn:
            record = await rows.read(conn, reservation_id)
            if record is None:
                raise ReservationNotFound
            places = await stations.locations_of(conn, [record.station_id])
        return ReservationView(record, places[record.station_id])
