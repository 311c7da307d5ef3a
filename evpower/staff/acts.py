"""What people of the staff do on the pages: each form acts once, by its key, and who acted is kept.

An act is written down before it is done. When its process dies in between, its outcome stays unknown, and the page
says so instead of "failed".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import EvPowerError, IdempotencyMismatch
from evpower.staff.records import Acting
from evpower.staff.rows import acts as rows
from evpower.staff.rows.acts import OperatorAct

__all__ = ["Intent", "OperatorAct", "OperatorActs", "forget_acts"]

KEPT_FOR = timedelta(days=400)
DONE = "done"
MOST_SHOWN = 200


@dataclass(frozen=True)
class Intent:
    """What a form asks for: the act's name, whom or what it is about, and what else was filled in."""

    key: str
    act: str
    target: str
    detail: str | None = None


class OperatorActs:
    """The journal of acts."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def once(self, acting: Acting, intent: Intent, perform: Callable[[], Awaitable[None]]) -> OperatorAct:
        """Perform the act of a form that was not sent before; the act as it is kept.

        A refusal is kept and raised. Raises IdempotencyMismatch when the key was another act's.
        """
        async with unit_of_work(self._pool) as uow:
            is_new = await rows.begin(
                uow.conn, intent.key, self._clock.now(), acting.actor, intent.act, intent.target, intent.detail
            )
        if is_new:
            refused: EvPowerError | None = None
            try:
                await perform()
            except EvPowerError as refusal:
                refused = refusal
            await self._end(intent.key, DONE if refused is None else refused.code)
            if refused is not None:
                raise refused
        kept = await self.act(intent.key)
        if kept is None or (kept.actor, kept.act, kept.target) != (acting.actor, intent.act, intent.target):
            raise IdempotencyMismatch
        return kept

    async def _end(self, key: str, outcome: str) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.end(uow.conn, key, outcome, self._clock.now())

    async def act(self, key: str) -> OperatorAct | None:
        """The act of a form, if it was sent."""
        async with reading(self._pool) as conn:
            return await rows.read(conn, key)

    async def newest(self) -> list[OperatorAct]:
        """The last ones, newest first."""
        async with reading(self._pool) as conn:
            return await rows.list_acts(conn, MOST_SHOWN)


async def forget_acts(pool: Pool, now: datetime) -> None:
    """Drop what nobody looks back to."""
    async with unit_of_work(pool) as uow:
        await rows.delete_acts(uow.conn, now - KEPT_FOR)
