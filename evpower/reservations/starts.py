"""What a start makes of reservations, in its own unit of work and before its own money is held (§3, §4).

The holder's start uses the reservation: what it releases is there for the charge. Everybody else is refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from evpower.billing.clients import Client, lock_client
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import Clock, ClockWatch
from evpower.db.connection import Conn
from evpower.db.unit_of_work import UnitOfWork
from evpower.events import EventBus
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId
from evpower.network.station_records import read_start_spot
from evpower.network.status import effective_status
from evpower.push.outbox import PushOutbox
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.fees import fee_tyiyn
from evpower.reservations.reservation import ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows.stations import is_taken_by_others

log = logging.getLogger("evpower.reservations")

__all__ = ["ReservationUse", "UsedReservation"]


@dataclass(frozen=True)
class UsedReservation:
    """What the start goes on with: its client's money as it is now, and the tag that the station expects."""

    client: Client
    id_tag: IdTag | None


class ReservationUse:
    """For `charging`; the rows of the connector and the client are locked."""

    def __init__(self, clock: Clock, ends: ReservationEnds, money: ReservationMoney) -> None:
        self._clock = clock
        self._ends = ends
        self._money = money

    @classmethod
    def over(cls, clock: Clock, push: PushOutbox, bus: EventBus) -> ReservationUse:
        """With its own way to end reservations, where nothing else has to do with them."""
        money = ReservationMoney(clock, push)
        return cls(clock, ReservationEnds(ClockWatch(clock), money, push, bus), money)

    async def use(
        self,
        uow: UnitOfWork,
        client: Client,
        station_id: StationId,
        connector_id: ConnectorId,
        session_id: SessionId,
        actor: str,
        *,
        began_at: datetime | None = None,
    ) -> UsedReservation | None:
        """A charge of this client begins: what keeps the connector for it is fulfilled. None: nothing does.

        `began_at` is when that was, of a start that comes late: it costs what it would have cost then, also when it
        passed for not used since.
        """
        live = await rows.lock_live_of_client(uow.conn, client.id)
        is_there = live is not None and live.station_id == station_id and live.serves(connector_id)
        if live is not None and is_there and (began_at is None or began_at >= max(live.blocks_from, live.created_at)):
            used = await self._ends.end(uow, live, "fulfilled", by=actor, session_id=session_id, at=began_at)
            return UsedReservation(await lock_client(uow.conn, client.id), used.id_tag)
        if began_at is None:
            return None
        missed = await rows.lock_missed(uow.conn, client.id, station_id, connector_id, began_at)
        return None if missed is None else await self._came(uow, missed, session_id, actor, began_at)

    async def _came(
        self, uow: UnitOfWork, of: ReservationRecord, session_id: SessionId, actor: str, began_at: datetime
    ) -> UsedReservation:
        """Its driver was there in time, and the station could not say so before all that was held was taken: what a
        start at that moment costs is kept, the rest goes back (§3). It stays `no_show`, and counts for none."""
        assert of.fee_tyiyn is not None
        fee = fee_tyiyn(of, "used", began_at)
        await self._money.give_back(uow, of.client_id, of.id, of.fee_tyiyn - fee, actor)
        await rows.store(uow.conn, of.came(fee, session_id))
        line = "a reservation that passed for not used was: reservation_id=%s, session_id=%s, fee=%d of %d tyiyn"
        values = (of.id, session_id, fee, of.fee_tyiyn)
        uow.after_commit(lambda: log.info(line, *values))
        return UsedReservation(await lock_client(uow.conn, of.client_id), None)

    async def would_release(self, conn: Conn, client_id: ClientId, station_id: StationId) -> int:
        """What a start of this client at the station now would have back of a hold, in tyiyn."""
        for live in await rows.of_client(conn, client_id, active=True, most=1):
            if live.station_id == station_id and live.is_blocking:
                return live.hold_tyiyn - fee_tyiyn(live, "used", self._ends.reached(live))
        return 0

    async def locks_out(self, conn: Conn, station_id: StationId, client_id: ClientId | None) -> bool:
        """Whether others have reserved all that is left at the station, whichever connector is meant."""
        return await is_taken_by_others(conn, station_id, client_id)

    async def given_up(self, uow: UnitOfWork, session_id: SessionId, *, refused: bool) -> None:
        """A charge never began; its client's row is locked. What the station keeps is taken back.

        By the station's own fault the fee goes back, once; else it is due all the same. `refused`: it said so.
        """
        of = await rows.lock_of_session(uow.conn, session_id)
        if of is None or of.status != "fulfilled":
            return
        now, spot = self._clock.now(), await read_start_spot(uow.conn, of.station_id, of.connector_id)
        is_faulted = spot is not None and effective_status(spot.ocpp_status, spot.whole_status) == "Faulted"
        if (refused or is_faulted) and of.returned_at is None and of.fee_tyiyn:
            await self._money.give_back(uow, of.client_id, of.id, of.fee_tyiyn, f"station:{of.station_id}")
            of = of.fee_returned(now)
        await rows.store(uow.conn, of.let_go())
