"""Clients as administrators see them: their money set right by hand, and who is blocked (contract/rest-api §7.7)."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from evpower.administration.records import ClientAccount, Listed, Page
from evpower.administration.rows import client_accounts as rows
from evpower.administration.rows.client_accounts import GivenStatus
from evpower.billing.account import BalanceAdjustment
from evpower.billing.clients import lock_known_client
from evpower.billing.errors import ClientDeleted
from evpower.billing.service import BillingService
from evpower.clock import Clock, Ids
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import ClientNotFound
from evpower.identifiers import ClientId
from evpower.staff.allowance import Allowance
from evpower.staff.records import Acting

__all__ = ["ClientAccounts", "GivenStatus"]

log = logging.getLogger("security")


@dataclass(frozen=True)
class BalanceOrder:
    """A balance is to be changed by so much, for a reason; `key` is the request's Idempotency-Key, None without one."""

    client_id: ClientId
    amount_tyiyn: int
    reason: str
    key: str | None = None


@dataclass(frozen=True)
class StatusChange:
    """Whose status was set, which of a merged id is the survivor's, and what it was."""

    client_id: ClientId
    before: str


class ClientAccounts:
    """Every change is one unit of work with its author: money in the ledger, a block in the log."""

    def __init__(self, pool: Pool, clock: Clock, ids: Ids, billing: BillingService, allowance: Allowance) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._billing = billing
        self._allowance = allowance

    async def clients(self, search: str | None, status: GivenStatus | None, page: Page) -> Listed[ClientAccount]:
        """A page of clients, newest first, and how many match."""
        async with reading(self._pool) as conn:
            found, total = await rows.list_clients(conn, search, status, page)
        return Listed(found, total, page)

    async def client(self, client_id: ClientId) -> ClientAccount:
        """One client, the survivor of an id that was merged. Raises ClientNotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_client(conn, client_id)
        if found is None:
            raise ClientNotFound
        return found

    async def adjust(self, order: BalanceOrder, acting: Acting) -> BalanceAdjustment:
        """Correct a balance; the same key again changes nothing and shows what the first one did.

        Raises ClientNotFound, InsufficientBalance, InvalidAmount, IdempotencyMismatch; Forbidden above the daily limit.
        """
        key = f"admin_adjustment:{order.client_id}:{order.key or self._ids.new()}"
        async with unit_of_work(self._pool) as uow:
            done = await self._billing.adjust_by_hand(
                uow, order.client_id, order.amount_tyiyn, key, reason=order.reason, actor=acting.actor
            )
            if done.is_new:
                await self._allowance.take(uow, acting, order.amount_tyiyn)
        return done

    async def set_status(self, client_id: ClientId, status: GivenStatus, *, actor: str) -> StatusChange:
        """Block a client, or no more: the next start and top-up are refused, a charge that runs goes on, and its stop
        is never refused.

        Raises ClientNotFound, ClientDeleted: a deletion is taken back by other means.
        """
        async with unit_of_work(self._pool) as uow:
            client = await lock_known_client(uow.conn, client_id)
            if client is None:
                raise ClientNotFound
            if client.status not in ("active", "blocked"):
                raise ClientDeleted
            if client.status != status:
                await rows.set_status(uow.conn, client.id, status, self._clock.now())
                line = "client status: client_id=%s, %s -> %s, actor=%s"
                uow.after_commit(lambda: log.info(line, client.id, client.status, status, actor))
        return StatusChange(client.id, client.status)
