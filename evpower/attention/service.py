"""What people make of a row of the To do list: it is theirs, it may wait for an hour, and what they note about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from evpower.attention.rows import marks, over
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work

SNOOZED_FOR = timedelta(hours=1)
KEPT_FOR = timedelta(days=2)
#: A note is about what lasts: a finding that is not repaired is there for weeks.
NOTES_KEPT_FOR = timedelta(days=60)


class Marks:
    """The verbs of marks; that and by whom is in the journal of acts too (`staff/acts.py`)."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def take(self, key: str, actor: str) -> None:
        """The row is this person's."""
        async with unit_of_work(self._pool) as uow:
            await marks.take(uow.conn, key, actor, self._clock.now())

    async def snooze(self, key: str, actor: str, *, is_urgent: bool) -> None:
        """It is not shown for an hour, unless it becomes urgent; `is_urgent`: it is, already."""
        async with unit_of_work(self._pool) as uow:
            put_off = marks.put_off_key(key, is_urgent=is_urgent)
            await marks.snooze(uow.conn, put_off, actor, self._clock.now() + SNOOZED_FOR)

    async def note(self, key: str, actor: str, note: str) -> None:
        """Write something down about the row, in place of what was written before."""
        async with unit_of_work(self._pool) as uow:
            await marks.write_note(uow.conn, key, note, actor, self._clock.now())


async def forget_marks(pool: Pool, now: datetime) -> None:
    """Drop marks that nobody set for long: a condition of the same key is a new one by then. And what was over then."""
    async with unit_of_work(pool) as uow:
        await marks.delete_marks(uow.conn, now - KEPT_FOR)
        await marks.delete_notes(uow.conn, now - NOTES_KEPT_FOR)
        await over.delete_over(uow.conn, now - KEPT_FOR)
