"""Accounts that end (contract/roadmap/identity §2): asked for, taken back, paid out."""

from __future__ import annotations

import logging

from evpower.accounts.deletion import Deletion
from evpower.accounts.rows import deletions
from evpower.billing.clients import ensure_client, lock_client, lock_known_client
from evpower.billing.errors import ClientDeleted
from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import DebtOpen, InvalidRequest, NotFound, SessionAlreadyActive
from evpower.identifiers import ClientId

log = logging.getLogger("evpower.accounts")

NO_DELETION = "Удаление этого аккаунта не запрошено"
NOT_THE_BALANCE = "сумма не равна остатку аккаунта"


class Accounts:
    """What a client, or an operator for it, does with an account."""

    def __init__(self, pool: Pool, clock: Clock, billing: BillingService) -> None:
        self._pool = pool
        self._clock = clock
        self._billing = billing

    async def request_deletion(self, client_id: ClientId, actor: str) -> Deletion:
        """The client is inactive from now on, and erased after 30 days; a repeat moves no date.

        Raises SessionAlreadyActive (a charge runs, or is not settled), DebtOpen.
        """
        async with unit_of_work(self._pool) as uow:
            now = self._clock.now()
            await ensure_client(uow.conn, client_id, now)
            client_id = (await lock_client(uow.conn, client_id)).id
            is_repeat = await deletions.read_deletion(uow.conn, client_id) is not None
            answer = await deletions.request_deletion(uow.conn, client_id, now)
            if answer == "running":
                raise SessionAlreadyActive
            if answer == "debt":
                raise DebtOpen((await lock_client(uow.conn, client_id)).debt_tyiyn)
            asked = await deletions.read_deletion(uow.conn, client_id)
            assert asked is not None
            if not is_repeat:
                line = "account deletion requested: client_id=%s, by=%s"
                uow.after_commit(lambda: log.info(line, client_id, actor))
        return asked

    async def restore(self, client_id: ClientId, actor: str) -> None:
        """The account is again what it was before; also when its end was never asked for.

        Raises ClientDeleted when the 30 days are over.
        """
        async with unit_of_work(self._pool) as uow:
            client = await lock_known_client(uow.conn, client_id)
            asked = None if client is None else await deletions.read_deletion(uow.conn, client.id)
            if asked is None:
                return
            if await deletions.restore_account(uow.conn, asked.client_id, self._clock.now()) == "too_late":
                raise ClientDeleted
            line = "account restored: client_id=%s, by=%s"
            uow.after_commit(lambda: log.info(line, asked.client_id, actor))

    async def deletions(self, *, settled_too: bool = False) -> list[Deletion]:
        """Accounts that can be restored, or that money waits in, oldest first; with `settled_too` all that ended."""
        async with reading(self._pool) as conn:
            return await deletions.list_deletions(conn, settled_too=settled_too)

    async def pay_out(self, client_id: ClientId, amount_tyiyn: int, reason: str, actor: str) -> Deletion:
        """The balance was paid to the person: all of it, once, with one entry.

        The sum must be the balance: a repeat finds 0, and what came in meanwhile is not taken for paid. Raises NotFound
        (no end was asked for), InvalidRequest (not the balance).
        """
        async with unit_of_work(self._pool) as uow:
            client = await lock_known_client(uow.conn, client_id)
            if client is None:
                raise NotFound(NO_DELETION)
            await self._ended(uow, client.id)
            if amount_tyiyn <= 0 or amount_tyiyn != client.balance_tyiyn:
                raise InvalidRequest(("amount", NOT_THE_BALANCE))
            await self._billing.pay_out(uow, client, reason, actor)
            return await self._ended(uow, client.id)

    async def _ended(self, uow: UnitOfWork, client_id: ClientId) -> Deletion:
        asked = await deletions.read_deletion(uow.conn, client_id)
        if asked is None:
            raise NotFound(NO_DELETION)
        return asked
