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
        self.is_on = is_on
        self.due = Wake()

    async def enqueue(self, uow: UnitOfWork, *events: PushEvent) -> None:
        """One statement in the events' unit of work; nobody gets a message twice for one key.

        People without a device, or who have switched the kind off, get no row.
        """
        if self.is_on and events:
            self._written(uow, await outbox.enqueue(uow.conn, events, self._clock.now()))

    async def warn_of_low_balance(
        self, uow: UnitOfWork, client_id: ClientId, cause_key: str, taken_tyiyn: int, *, resolved_tyiyn: int = 0
    ) -> None:
        """A warning when what is left, with what running charges hold, fell below 50 som by what the entry took.

        The client's row is locked. `resolved_tyiyn` is the hold that the entry has resolved, of a session that is not
        yet marked as settled.
        """
        if not self.is_on or taken_tyiyn <= 0:
            return
        key, worth = f"low_balance_warning:{client_id}:{cause_key}", KINDS["low_balance_warning"].worth
        written = await outbox.warn_of_low_balance(
            uow.conn,
            client_id,
            key,
            self._clock.now(),
            worth,
            taken_tyiyn=taken_tyiyn,
            resolved_tyiyn=resolved_tyiyn,
        )
        self._written(uow, written)

    def _written(self, uow: UnitOfWork, rows: int) -> None:
        if rows:
            uow.after_commit(self.due.set)
