"""What people of the staff do: each form of the pages acts once, by its key, and who acted is kept, at every door.

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
from evpower.errors import DatabaseUnavailable, EvPowerError, IdempotencyMismatch, InvalidRequest, ProviderTimeout
from evpower.staff.records import Acting
from evpower.staff.rows import acts as rows
from evpower.staff.rows.acts import ActDoor, OperatorAct, key_of

__all__ = ["ActDoor", "Intent", "OperatorAct", "OperatorActs", "Perform", "forget_acts", "key_of"]

KEPT_FOR = timedelta(days=400)
DONE = "done"
MOST_SHOWN = 200
ANSWER_CHARS_MAX = 1000
#: After these it may have been done, or not.
UNKNOWN_WHETHER_DONE = (DatabaseUnavailable, ProviderTimeout)

#: Does the act; what was answered, for people, if there is anything to show.
Perform = Callable[[], Awaitable[str | None]]


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

    async def once(self, acting: Acting, intent: Intent, perform: Perform) -> OperatorAct:
        """Perform the act of a form that was not sent before; the act as it is kept.

        A refusal is kept and raised. Raises IdempotencyMismatch when the key was another act's.
        """
        if await self.begin(acting, intent):
            await self.finish(intent.key, perform)
        return await self.same(acting, intent)

    async def begin(self, acting: Acting, intent: Intent) -> bool:
        """Write down that the act is about to be done; False when its form was sent before."""
        async with unit_of_work(self._pool) as uow:
            return await rows.begin(
                uow.conn, intent.key, self._clock.now(), acting.actor, intent.act, intent.target, intent.detail
            )

    async def finish(self, key: str, perform: Perform) -> None:
        """Perform an act that was begun, and keep what came of it; a refusal is kept and raised.

        When the database went away, or time ran out, nobody knows what was done: then nothing is kept of it.
        """
        refused: EvPowerError | None = None
        answer = None
        try:
            answer = await perform()
        except UNKNOWN_WHETHER_DONE:
            raise
        except EvPowerError as refusal:
            refused = refusal
        if refused is None:
            await self.end(key, DONE, answer)
        else:
            await self.end(key, refused.code, _why(refused))
            raise refused

    async def same(self, acting: Acting, intent: Intent) -> OperatorAct:
        """The act of this form. Raises IdempotencyMismatch when its key is another act's."""
        kept = await self.act(intent.key)
        if kept is None or (kept.actor, kept.act, kept.target) != (acting.actor, intent.act, intent.target):
            raise IdempotencyMismatch
        return kept

    async def end(self, key: str, outcome: str, answer: str | None) -> None:
        """Keep what came of an act that was begun."""
        async with unit_of_work(self._pool) as uow:
            shown = None if answer is None else answer[:ANSWER_CHARS_MAX]
            await rows.end(uow.conn, key, outcome, shown, self._clock.now())

    async def act(self, key: str) -> OperatorAct | None:
        """The act of a form, if it was sent."""
        async with reading(self._pool) as conn:
            return await rows.read(conn, key)

    async def on(self, target: str) -> list[OperatorAct]:
        """What was done about one thing, newest first."""
        async with reading(self._pool) as conn:
            return await rows.list_acts_on(conn, target, MOST_SHOWN)

    async def newest(self) -> list[OperatorAct]:
        """The last ones, newest first."""
        async with reading(self._pool) as conn:
            return await rows.list_acts(conn, MOST_SHOWN)


async def forget_acts(pool: Pool, now: datetime) -> None:
    """Drop what nobody looks back to."""
    async with unit_of_work(pool) as uow:
        await rows.delete_acts(uow.conn, now - KEPT_FOR)


def _why(refusal: EvPowerError) -> str | None:
    """What a station answered, or which field is wrong; the sentence of any other refusal."""
    if isinstance(refusal, InvalidRequest):
        return "; ".join(f"{field}: {reason}" for field, reason in refusal.fields)
    return str(refusal.details.get("status") or refusal.message)
