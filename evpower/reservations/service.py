"""What a driver does with reservations: make, look, make longer, give up (roadmap/reservations §2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import trio

from evpower.billing.account import check_client
from evpower.billing.clients import Client, ensure_client
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identifiers import ClientId
from evpower.network.spots.errors import ConnectorOccupied, UnknownStation
from evpower.network.station_records import read_named
from evpower.network.status import RESERVED
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.errors import (
    ReservationLimit,
    ReservationNotFound,
    ReservationOver,
    ReservationTaken,
    refusal_of_station,
)
from evpower.reservations.fees import price_of
from evpower.reservations.lost import LostReservations
from evpower.reservations.opening import NewReservations, ReservationOrder
from evpower.reservations.reservation import ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows import stations
from evpower.reservations.station_side import StationSide

#: The newest of a client's that are listed.
LISTED_MOST = 100


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
        new: NewReservations,
        money: ReservationMoney,
        ends: ReservationEnds,
        lost: LostReservations,
        station_side: StationSide,
        *,
        answer_wait_s: float,
    ) -> None:
        """`answer_wait_s` is how long a station's answer is waited for."""
        self._pool = pool
        self._clock = clock
        #: Quotes one and writes it.
        self.new = new
        self._money = money
        self._ends = ends
        self._lost = lost
        self._station_side = station_side
        self._answer_wait_s = answer_wait_s

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
                made = await self.new.open(uow, order, claim)
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

        Raises ReservationNotFound, ReservationOver, ReservationLimit, InsufficientBalance, IdempotencyMismatch, and the
        refusals of a blocked and of a deleted client.
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
            if of.is_live and not await self._lost.end_if_lost(uow, of):
                # Its time was over, and nobody had noted it yet.
                is_over = of.status == "reserved" and self._ends.reached(of) >= of.expires_at
                await self._ends.end(uow, of, "no_show" if is_over else "canceled_driver", by=f"client:{client.id}")
        return await self._read(reservation_id), not of.is_live

    async def _own(self, uow: UnitOfWork, client_id: ClientId, reservation_id: str) -> tuple[Client, ReservationRecord]:
        locked = await self._ends.lock(uow, reservation_id)
        if locked is None or locked[1].client_id != client_id:
            raise ReservationNotFound
        return locked

    async def _extend(self, uow: UnitOfWork, client: Client, of: ReservationRecord, minutes: int) -> ReservationRecord:
        if not of.is_live or self._ends.reached(of) >= of.expires_at:
            raise ReservationOver
        check_client(client.status)
        if of.extended_at is not None:
            raise ReservationLimit("already_extended")
        until = of.expires_at + timedelta(minutes=minutes)
        if await rows.overlaps(uow.conn, of.station_id, of.connector_id, of.blocks_from, until, but=of.id):
            raise ReservationLimit("overlap")
        more_tyiyn = price_of(of).hold_tyiyn(of.minutes + minutes) - of.hold_tyiyn
        await self._money.hold(uow, client, of.id, more_tyiyn, is_extension=True)
        longer = of.extended(minutes, more_tyiyn, self._clock.now())
        await self._ends.store(uow, longer)
        return longer

    async def _read(self, reservation_id: str) -> ReservationView:
        async with reading(self._pool) as conn:
            record = await rows.read(conn, reservation_id)
            if record is None:
                raise ReservationNotFound
            places = await stations.locations_of(conn, [record.station_id])
        return ReservationView(record, places[record.station_id])
