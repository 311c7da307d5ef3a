"""How an event becomes a message: a row in the event's own unit of work, or none."""

from __future__ import annotations

from evpower.clock import Clock
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import ClientId
from evpower.push.events import KINDS, PushEvent
from evpower.push.rows import outbox
from evpower.worker import Wake


class PushOutbox:
    """Writes what is to be delivered; `due` is set after the commit of something that is."""

    def __init__(self, clock: Clock, *, is_on: bool) -> None:
        """Nothing is written unless it `is_on`."""
        self._clock = clock
        self._is_on = is_on
        self.due = Wake()

    async def enqueue(self, uow: UnitOfWork, event: PushEvent) -> int:
        """One statement in the event's unit of work; how many people get a message, none twice for one key.

        People without a device, or who have switched the kind off, get no row.
        """
        if not self._is_on:
            return 0
        return self._written(uow, await outbox.enqueue(uow.conn, event, self._clock.now()))

    async def warn_of_low_balance(
        self, uow: UnitOfWork, client_id: ClientId, cause_key: str, *, before_tyiyn: int, resolved_tyiyn: int = 0
    ) -> None:
        """After money was taken: a warning when what is left, with what running charges hold, fell below 50 som by it.

        The client's row is locked since it had `before_tyiyn`; `resolved_tyiyn` is what an entry of `cause_key` has
        taken out of what was held, of a session that is not yet marked as settled.
        """
        if not self._is_on:
            return
        now = self._clock.now()
        key, expires_at = f"low_balance_warning:{client_id}:{cause_key}", now + KINDS["low_balance_warning"].worth
        written = await outbox.warn_of_low_balance(
            uow.conn, client_id, key, now, expires_at, before_tyiyn=before_tyiyn, own_hold=resolved_tyiyn
        )
        self._written(uow, written)

    def _written(self, uow: UnitOfWork, rows: int) -> int:
        if rows:
            uow.after_commit(self.due.set)
        return rows
