"""The worker that erases what is due: 30 days after an account's end was asked for (contract/roadmap/identity §2)."""

from __future__ import annotations

import logging
from datetime import timedelta

import trio

from evpower.accounts.rows import deletions
from evpower.accounts.rows.erasure import erase_person, has_open_money
from evpower.billing.clients import lock_client
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.identifiers import ClientId
from evpower.worker import repeat

log = logging.getLogger("evpower.accounts")

LOOK_EVERY_S = 60.0
#: Longer than an erasure takes; of a process that died in between, the work is due again after it.
LEASE = timedelta(minutes=5)
#: While money of the account is under way.
LATER = timedelta(days=1)


class Erasure:
    """Erases people."""

    def __init__(self, pool: Pool, watch: ClockWatch) -> None:
        self._pool = pool
        self._watch = watch

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Erase what is due, until cancelled."""
        task_status.started()
        await repeat(self.work_due, LOOK_EVERY_S, log=log, failure="erasing accounts failed and will be repeated")

    async def work_due(self) -> None:
        """Everything that is due; nothing while the wall clock is in doubt, for what is erased does not come back."""
        while not self._watch.holds:
            now = self._watch.look()
            async with unit_of_work(self._pool) as uow:
                client_id = await deletions.claim_due(uow.conn, now, now + LEASE)
            if client_id is None:
                return
            async with unit_of_work(self._pool) as uow:
                await self._erase(uow, client_id)

    async def _erase(self, uow: UnitOfWork, client_id: ClientId) -> None:
        """One account, after its client's lock; what a person decided meanwhile prevails."""
        client, now = await lock_client(uow.conn, client_id), self._watch.look()
        if not await deletions.lock_open(uow.conn, client_id, now):
            return
        if client.status == "active":
            await deletions.forget(uow.conn, client_id)
            uow.after_commit(lambda: log.warning("account not erased, it is active again: client_id=%s", client_id))
        elif await has_open_money(uow.conn, client_id):
            await deletions.postpone(uow.conn, client_id, now + LATER)
            uow.after_commit(lambda: log.warning("account not erased yet, money is under way: client_id=%s", client_id))
        else:
            await erase_person(uow.conn, client_id, now)
            await deletions.mark_erased(uow.conn, client_id, now)
            left = f"client_id={client_id}, balance_tyiyn={client.balance_tyiyn}, debt_tyiyn={client.debt_tyiyn}"
            uow.after_commit(lambda: log.info("account erased: %s", left))
