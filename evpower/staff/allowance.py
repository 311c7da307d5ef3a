"""How much money a person of the staff may move in a day (contract/roadmap/identity §3, `admin.adjust_limit_som`).

Counted are the sums a person names: corrections of balances, refunds, parked payments, pay-outs, whichever way they go.
A bill that follows from a charger's report is no such sum. The day is that of `billing.timezone`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from evpower.clock import Clock, midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.errors import AlreadyExists, EvPowerError, Forbidden, InvalidRequest, NotFound, ProviderFailure, Refusal
from evpower.money import som_number, som_text
from evpower.staff.records import Acting
from evpower.staff.rights import Extent, Right
from evpower.staff.rows import money as rows

#: Answers that say that nothing was moved.
NOTHING_MOVED = (AlreadyExists, Forbidden, InvalidRequest, NotFound, Refusal)


class Allowance:
    """The daily limit of those who have one."""

    def __init__(self, pool: Pool, clock: Clock, limit_tyiyn: int, timezone: ZoneInfo) -> None:
        self._pool = pool
        self._clock = clock
        self._limit_tyiyn = limit_tyiyn
        self._timezone = timezone

    def limits(self, acting: Acting) -> bool:
        """Whether there is a limit to what they may move."""
        return acting.extent(Right.MONEY) is Extent.LIMITED

    async def take(self, uow: UnitOfWork, acting: Acting, amount_tyiyn: int) -> int | None:
        """Count a sum, in the unit of work that moves it; the row, or None for who has no limit.

        Lock order: after the client's row. Raises Forbidden with `reason: daily_limit` when it is too much.
        """
        if acting.member is None or not self.limits(acting) or not amount_tyiyn:
            return None
        now, amount_tyiyn = self._clock.now(), abs(amount_tyiyn)
        moved_tyiyn = await rows.lock_moved(uow.conn, acting.member.id, midnight(now, self._timezone))
        if moved_tyiyn + amount_tyiyn > self._limit_tyiyn:
            raise Forbidden(
                f"Превышен дневной лимит: {som_text(self._limit_tyiyn)} сом",
                reason="daily_limit",
                limit=som_number(self._limit_tyiyn),
                used=som_number(moved_tyiyn),
            )
        return await rows.add(uow.conn, acting.member.id, amount_tyiyn, now)

    @asynccontextmanager
    async def taken(self, acting: Acting, amount_tyiyn: int) -> AsyncIterator[None]:
        """Count a sum before the block moves it in units of work of its own.

        It is counted no more when the block says that nothing was moved. When nobody knows (a provider did not answer,
        the process died) it stays counted: at worst a person may move less today. Raises Forbidden as `take`.
        """
        if not self.limits(acting):
            yield
            return
        async with unit_of_work(self._pool) as uow:
            row = await self.take(uow, acting, amount_tyiyn)
        refused: EvPowerError | None = None
        try:
            yield
        except NOTHING_MOVED as refusal:
            refused = refusal
        if refused is None:
            return
        if row is not None and not isinstance(refused, ProviderFailure):
            async with unit_of_work(self._pool) as uow:
                await rows.forget(uow.conn, row)
        raise refused
