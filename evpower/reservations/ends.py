"""The one way a reservation ends: its hold is resolved in the unit of work that makes it final (§3, §6)."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from evpower.billing.clients import Client, lock_client
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import ClockWatch
from evpower.db.unit_of_work import UnitOfWork
from evpower.events import EventBus, StationChanged
from evpower.identifiers import SessionId
from evpower.network.station_records import refresh_connector
from evpower.push.events import EventName, PushEvent
from evpower.push.outbox import PushOutbox
from evpower.push.recipient import Recipient
from evpower.reservations.fees import FeeCase, fee_tyiyn
from evpower.reservations.reservation import CanceledBy, ReservationRecord, ReservationStatus
from evpower.reservations.rows import reservations as rows
from evpower.worker import Wake

log = logging.getLogger("evpower.reservations")

EndName: TypeAlias = Literal[
    "fulfilled", "canceled_driver", "canceled_operator", "canceled_system", "no_show", "rejected", "failed"
]


@dataclass(frozen=True)
class _Kind:
    """What an end is: its final state, what it costs, and whether the holder gets a message."""

    status: ReservationStatus
    fee: FeeCase
    canceled_by: CanceledBy | None = None
    is_news: bool = False


KINDS: dict[EndName, _Kind] = {
    "fulfilled": _Kind("fulfilled", "used"),
    "canceled_driver": _Kind("canceled", "driver", "driver"),
    "canceled_operator": _Kind("canceled", "free", "operator", is_news=True),
    "canceled_system": _Kind("canceled", "free", "system", is_news=True),
    "no_show": _Kind("no_show", "no_show", is_news=True),
    "rejected": _Kind("rejected", "free"),
    "failed": _Kind("failed", "free", is_news=True),
}


class ReservationEnds:
    """Ends reservations, and writes what becomes of the others; `ends` counts them since this process began."""

    def __init__(self, watch: ClockWatch, money: ReservationMoney, push: PushOutbox, bus: EventBus) -> None:
        self._watch = watch
        self._money = money
        self._push = push
        self._bus = bus
        self.ends: Counter[EndName] = Counter()
        #: A station has something that it is to give up now.
        self.to_take_back = Wake()

    async def lock(self, uow: UnitOfWork, reservation_id: str) -> tuple[Client, ReservationRecord] | None:
        """Client, then reservation; None for an unknown one."""
        owner = await rows.read_owner(uow.conn, reservation_id)
        if owner is None:
            return None
        client = await lock_client(uow.conn, owner)
        of = await rows.lock(uow.conn, reservation_id)
        assert of is not None, "reservations are never deleted"
        return client, of

    async def end(
        self,
        uow: UnitOfWork,
        of: ReservationRecord,
        name: EndName,
        *,
        by: str,
        reason: str | None = None,
        session_id: SessionId | None = None,
        at: datetime | None = None,
    ) -> ReservationRecord:
        """End a live one whose rows are locked; one that is over is returned as it is.

        It costs what it costs at this moment; `at` None: now.
        """
        if not of.is_live:
            return of
        now, kind = self._watch.look(), KINDS[name]
        fee = fee_tyiyn(of, kind.fee, at or self.reached(of))
        ended = of.ended(
            kind.status, fee, now, by=by, canceled_by=kind.canceled_by, reason=reason, session_id=session_id
        )
        await self._money.end(uow, of.client_id, of.id, of.hold_tyiyn, fee, by)
        await self.store(uow, ended)
        if kind.is_news:
            await self.notify(uow, ended, "reservation_ended", of.id)
        line = (
            "reservation is over: reservation_id=%s, station=%s, connector=%d, end=%s, by=%s, reason=%s, fee=%d tyiyn"
        )
        values = (of.id, of.station_id, of.connector_id, name, by, reason, fee)
        uow.after_commit(lambda: log.info(line, *values))
        uow.after_commit(lambda: self._count(name))
        return ended

    def reached(self, of: ReservationRecord) -> datetime:
        """How far its time has come: a jump of the wall clock makes nobody pay for time that did not pass."""
        return of.created_at + self._watch.since(of.created_at)

    async def store(self, uow: UnitOfWork, changed: ReservationRecord) -> None:
        """Write a locked one as it is now, and what the public sees of its connector."""
        await rows.store(uow.conn, changed)
        await self.show(uow, changed)
        if changed.at_station == "to_end":
            uow.after_commit(self.to_take_back.set)

    async def show(self, uow: UnitOfWork, of: ReservationRecord) -> None:
        """Compute the public status of its connector again, and publish it."""
        await refresh_connector(uow.conn, of.station_id, of.connector_id, self._watch.look())
        uow.after_commit(lambda: self._bus.publish(StationChanged(of.station_id)))

    async def notify(self, uow: UnitOfWork, of: ReservationRecord, name: EventName, key: str) -> None:
        """One message to its holder."""
        facts: dict[str, int | str] = {
            "connector_id": int(of.connector_id),
            "reservation_id": of.id,
            "reservation_status": of.status,
        }
        to = Recipient("client", of.client_id)
        await self._push.enqueue(uow, PushEvent(name, f"{name}:{key}", to, station_id=of.station_id, facts=facts))

    def _count(self, name: EndName) -> None:
        self.ends[name] += 1
