"""Figures that were not believed, settled by a person: billed as the station says, or dismissed (field-rulings 1.2)."""

from __future__ import annotations

import logging

from evpower.billing.clients import lock_client
from evpower.billing.service import BillingService
from evpower.billing.settlement import Estimate, correct
from evpower.charging.rows import doubts, sessions, settlements
from evpower.charging.rows.doubts import DoubtRecord, Settled
from evpower.charging.settler import Settler
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.history.keeping import Keeping
from evpower.identifiers import SessionId
from evpower.metering.stops import accept_stop
from evpower.narrowing import ALL_OF_IT, Narrowing

__all__ = ["DoubtRecord", "Doubts"]

log = logging.getLogger("evpower.belief")


class Doubts:
    """The operator's way to look at them and to settle them."""

    def __init__(self, pool: Pool, clock: Clock, billing: BillingService, keeping: Keeping, settler: Settler) -> None:
        self._pool = pool
        self._clock = clock
        self._billing = billing
        self._keeping = keeping
        self._settler = settler

    async def doubts(self, wanted: Narrowing = ALL_OF_IT, *, settled_too: bool) -> list[DoubtRecord]:
        """What is doubtful, newest first."""
        async with reading(self._pool) as conn:
            return await doubts.list_doubts(conn, wanted, settled_too=settled_too)

    async def doubt(self, doubt_id: int) -> DoubtRecord:
        """One of them. Raises NotFound."""
        async with reading(self._pool) as conn:
            found = await doubts.read_doubt(conn, doubt_id)
        if found is None:
            raise NotFound
        return found

    async def bill(self, doubt_id: int, *, actor: str, reason: str | None) -> None:
        """The station's stop register is right: one correction makes the bill what it says, taking no more than the
        balance; a bill that could not be written is tried again.

        Raises NotFound, and InvalidRequest when it was settled before or has nothing that can be billed.
        """
        found = await self.doubt(doubt_id)
        if found.kind == "settlement":
            await self._bill_again(found, actor, reason)
            return
        if found.kind != "stop":
            raise InvalidRequest(("bill", "это сомнение можно только отклонить (dismiss)"))
        async with unit_of_work(self._pool) as uow:
            if found.session_id is None:
                stop = await _take(uow, doubt_id)
                await _accept(uow, stop)
            else:
                await self._correct(uow, doubt_id, found.session_id, actor)
            await self._settled(uow, doubt_id, "billed", actor, reason)

    async def dismiss(self, doubt_id: int, *, actor: str, reason: str) -> None:
        """The bill stays as it is; of a bill that could not be written the whole hold goes back.

        Raises NotFound, and InvalidRequest when it was settled before.
        """
        found = await self.doubt(doubt_id)
        if found.kind == "settlement" and found.settled is None and found.session_id is not None:
            await self._settler.give_up(found.session_id)
        async with unit_of_work(self._pool) as uow:
            await _take(uow, doubt_id)
            await self._settled(uow, doubt_id, "dismissed", actor, reason)

    async def _correct(self, uow: UnitOfWork, doubt_id: int, session_id: SessionId, actor: str) -> None:
        """The client's row first, then the session's, then the doubt's."""
        owner = await sessions.read_owner(uow.conn, session_id)
        assert owner is not None, "sessions are never deleted"
        client = await lock_client(uow.conn, owner)
        session = await sessions.lock_session(uow.conn, session_id)
        stop = await _take(uow, doubt_id)
        if session is None or session.phase != "settled":
            raise InvalidRequest(("id", "сессия ещё не рассчитана"))
        billed = Estimate(session.energy_wh, session.amount_tyiyn or 0, session.debt_tyiyn)
        await _accept(uow, stop)
        session = await sessions.read_session(uow.conn, session_id)
        assert session is not None
        correction = correct(billed, session.delivered(), session.terms.rates, takeable_tyiyn=client.balance_tyiyn)
        await self._billing.correct(uow, client, session_id, correction, actor, doubt_id=doubt_id)
        await settlements.store_correction(uow.conn, session_id, correction, self._clock.now())
        await self._keeping.billed(uow, session_id, session.delivered().minutes, session.terms.rates.steps)

    async def _bill_again(self, found: DoubtRecord, actor: str, reason: str | None) -> None:
        """Whatever made the bill impossible is mended, a person says; if not, the question stays open."""
        if found.settled is not None or found.session_id is None:
            raise InvalidRequest(("id", "уже решено"))
        await self._settler.settle(found.session_id)
        await self._settler.correct(found.session_id)
        again = await self.doubt(found.id)
        if again.figures > found.figures or again.billed_wh is None:
            raise InvalidRequest(("bill", f"счёт по-прежнему не записывается: {again.detail}"))
        async with unit_of_work(self._pool) as uow:
            await _take(uow, found.id)
            await self._settled(uow, found.id, "billed", actor, reason)

    async def _settled(self, uow: UnitOfWork, doubt_id: int, how: Settled, actor: str, reason: str | None) -> None:
        await doubts.settle_doubt(uow.conn, doubt_id, how, actor=actor, reason=reason, at=self._clock.now())
        uow.after_commit(lambda: log.info("doubt %s: id=%d, by=%s", how, doubt_id, actor))


async def _take(uow: UnitOfWork, doubt_id: int) -> DoubtRecord:
    """The row, locked for this unit of work: a second caller finds it settled."""
    found = await doubts.lock_doubt(uow.conn, doubt_id)
    if found is None:
        raise NotFound
    if found.settled is not None:
        raise InvalidRequest(("id", "уже решено"))
    return found


async def _accept(uow: UnitOfWork, stop: DoubtRecord) -> None:
    if stop.station_wh is None or stop.transaction_key is None:
        raise InvalidRequest(("bill", "из показаний станции не следует энергия"))
    await accept_stop(uow.conn, stop.transaction_key)
