"""Two ids of one person become one, by an operator's decision alone (contract/roadmap/identity §2)."""

from __future__ import annotations

import logging

from evpower.accounts.aliases import Aliases
from evpower.accounts.rows.merges import ClientMerge, move_everything, read_merge, survivors, under_way
from evpower.billing.account import check_client
from evpower.billing.clients import Client, lock_client
from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.errors import AlreadyExists, ClientNotFound, InvalidRequest, PaymentPending, SessionAlreadyActive
from evpower.identifiers import ClientId

__all__ = ["ClientMerge", "Merging"]

log = logging.getLogger("evpower.accounts")

SAME = "это тот же клиент"
CHARGES = "У одного из клиентов идёт зарядка или есть бронь"


class Merging:
    """Merges clients: one unit of work, so a process that dies leaves both as they were."""

    def __init__(self, pool: Pool, clock: Clock, billing: BillingService, aliases: Aliases) -> None:
        self._pool = pool
        self._clock = clock
        self._billing = billing
        self._aliases = aliases

    async def merge(self, old_id: ClientId, into: ClientId, reason: str, actor: str) -> ClientMerge:
        """The old id becomes an alias: its money, debt, charges, top-ups, tags and favorites are the other client's.

        A repeat returns the merge there was. Raises ClientNotFound, InvalidRequest (the same client), AlreadyExists (it
        is another one's alias), ClientBlocked, ClientDeleted, SessionAlreadyActive, PaymentPending (of either).
        """
        merge = await self._once(old_id, into, reason, actor)
        await self._aliases.read()
        return merge

    async def _once(self, old_id: ClientId, into: ClientId, reason: str, actor: str) -> ClientMerge:
        async with unit_of_work(self._pool) as uow:
            whose = await survivors(uow.conn, (old_id, into))
            if len(whose) < len({old_id, into}):
                raise ClientNotFound
            into = whose[into]
            if whose[old_id] != old_id:
                return await self._made(uow, old_id, whose[old_id], into)
            if into == old_id:
                raise InvalidRequest(("into", SAME))
            locked = {each: await lock_client(uow.conn, each) for each in sorted((old_id, into))}
            old, survivor = locked[old_id], locked[into]
            if old.id != old_id:
                return await self._made(uow, old_id, old.id, survivor.id)
            if survivor.id == old_id:
                raise InvalidRequest(("into", SAME))
            return await self._merge(uow, old, survivor, reason, actor)

    async def _made(self, uow: UnitOfWork, old_id: ClientId, known_as: ClientId, into: ClientId) -> ClientMerge:
        if known_as != into:
            raise AlreadyExists(f"Клиент {old_id} уже объединён с {known_as}")
        return await read_merge(uow.conn, old_id)

    async def _merge(self, uow: UnitOfWork, old: Client, into: Client, reason: str, actor: str) -> ClientMerge:
        """Both are locked, neither is an alias."""
        for each in (old, into):
            check_client(each.status)
        unfinished = await under_way(uow.conn, (old.id, into.id))
        if unfinished.charge:
            raise SessionAlreadyActive(CHARGES)
        if unfinished.payment:
            raise PaymentPending
        merge = ClientMerge(old.id, into.id, old.balance_tyiyn, old.debt_tyiyn, actor, reason, self._clock.now())
        await self._billing.merge(uow, old, into, reason, actor)
        await move_everything(uow.conn, merge)
        await self._billing.recover_debts(uow, into.id, cause_key=f"client_merge:{old.id}", actor=actor)
        uow.after_commit(lambda: log.info("client merged: client_id=%s, into=%s, by=%s", old.id, into.id, actor))
        return merge
