"""Money in motion: holds, settlements, corrections, debts.

Whatever moves money runs in the caller's unit of work, with the client's row locked first (billing-rules §10), and is
logged after its commit, in the form operators grep for (contract/rest-api §1.10).
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

from evpower.billing.account import BalanceAdjustment, BalanceView
from evpower.billing.debts import log_charge_payment, recover_debts
from evpower.billing.errors import InsufficientBalance, InvalidAmount
from evpower.billing.ledger import (
    adjustment_entry,
    correction_entry,
    idle_fee_entry,
    merge_entries,
    pay_out_entry,
    provider_refund_entry,
    refund_end_entry,
    refund_hold_entry,
    reserve_entry,
    settle_entry,
    top_up_entry,
)
from evpower.billing.ledger_check import LedgerCheck
from evpower.billing.order_ref import OrderRef
from evpower.billing.rows.clients import (
    Client,
    DisplacedPhone,
    displaced_phones,
    ensure_client,
    find_balance,
    lock_known_client,
    read_balance,
)
from evpower.billing.rows.debts import reduce_debt
from evpower.billing.rows.ledger import check_ledger, count_paid_out, post_entry, read_adjustment
from evpower.billing.settlement import Correction, Settlement, settle
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import ClientNotFound, IdempotencyMismatch
from evpower.identifiers import ClientId, SessionId
from evpower.money import MOST_TYIYN, som_fixed
from evpower.push.events import PushEvent
from evpower.push.outbox import PushOutbox
from evpower.push.recipient import Recipient

log = logging.getLogger("payment")


class BillingService:
    """The one way money moves; sessions themselves belong to `charging`."""

    def __init__(self, pool: Pool, clock: Clock, push: PushOutbox | None = None) -> None:
        """Without `push` no client gets a message about money."""
        self._pool = pool
        self._clock = clock
        self._push = push or PushOutbox(clock, is_on=False)
        #: Payments credited since the start, by provider.
        self.credited: Counter[str] = Counter()
        #: Sums of bills since the start of this process, in tyiyn, and what corrections added to them or took away.
        self.billed_tyiyn = self.added_tyiyn = self.taken_away_tyiyn = 0

    async def known_balance(self, client_id: ClientId) -> BalanceView | None:
        """The client's money; None for an unknown client."""
        async with reading(self._pool) as conn:
            return await find_balance(conn, client_id)

    async def balance(self, client_id: ClientId) -> BalanceView:
        """The client's money; an unknown client is created first (seed §5)."""
        async with unit_of_work(self._pool) as uow:
            await ensure_client(uow.conn, client_id, self._clock.now())
            return await read_balance(uow.conn, client_id)

    async def displaced_phones(self) -> list[DisplacedPhone]:
        """What clients had as their phone and may not have, while they have no other (safe by default 9)."""
        async with reading(self._pool) as conn:
            return await displaced_phones(conn)

    async def hold(
        self,
        uow: UnitOfWork,
        client: Client,
        session_id: SessionId,
        reserved_tyiyn: int,
        actor: str,
        *,
        again: bool = False,
    ) -> None:
        """Reserve money for a session that was just written, or `again` for one that was released and had begun."""
        entry = reserve_entry(session_id, client.id, reserved_tyiyn, actor, again=again)
        await post_entry(uow.conn, entry, self._clock.now())
        line = "💳 CHARGE_RESERVE: session_id=%s, amount=%s, client_id=%s"
        uow.after_commit(lambda: log.info(line, session_id, som_fixed(reserved_tyiyn), client.id))

    async def settle(
        self,
        uow: UnitOfWork,
        client: Client,
        session_id: SessionId,
        reserved_tyiyn: int,
        cost_tyiyn: int,
        actor: str,
        *,
        again: bool = False,
    ) -> Settlement:
        """Resolve a session's hold with its final cost; a cost of 0 is a full refund.

        The entry's key is the session's hold's, so a second call moves nothing.
        """
        bill = settle(reserved_tyiyn=reserved_tyiyn, cost_tyiyn=cost_tyiyn, balance_tyiyn=client.balance_tyiyn)
        entry = settle_entry(session_id, client.id, reserved_tyiyn, bill, actor, again=again)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return bill
        self._log_moved(uow, client.id, session_id, bill.refund_tyiyn, bill.additional_tyiyn)
        uow.after_commit(lambda: self._count_billed(bill.cost_tyiyn))
        taken_tyiyn = bill.cost_tyiyn - bill.debt_tyiyn
        if bill.refund_tyiyn and client.debt_tyiyn:  # its row is locked: no debt has come since it was read
            taken_tyiyn += await self.recover_debts(uow, client.id, cause_key=entry.key, actor=actor)
        await self._push.warn_of_low_balance(uow, client.id, entry.key, taken_tyiyn, resolved_tyiyn=reserved_tyiyn)
        return bill

    async def take_idle_fee(
        self, uow: UnitOfWork, client: Client, session_id: SessionId, fee_tyiyn: int, actor: str
    ) -> int:
        """Take a fee from the locked client's free money, once for a charge; what was taken. A fee makes no debt."""
        taken_tyiyn = max(0, min(fee_tyiyn, client.balance_tyiyn))
        entry = idle_fee_entry(session_id, client.id, taken_tyiyn, actor)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return 0
        line = "💳 IDLE_FEE: session_id=%s, amount=%s, client_id=%s"
        uow.after_commit(lambda: log.info(line, session_id, som_fixed(taken_tyiyn), client.id))
        await self._push.warn_of_low_balance(uow, client.id, entry.key, taken_tyiyn)
        return taken_tyiyn

    async def correct(
        self,
        uow: UnitOfWork,
        client: Client,
        session_id: SessionId,
        correction: Correction,
        actor: str,
        doubt_id: int | None = None,
    ) -> None:
        """Set an estimated bill right with exactly one entry (design §4); one more for each doubt a person settles."""
        entry = correction_entry(session_id, client.id, correction, actor, doubt_id)
        if entry is None or await post_entry(uow.conn, entry, self._clock.now()) is None:
            return
        self._log_moved(uow, client.id, session_id, correction.refund_tyiyn, correction.additional_tyiyn)
        uow.after_commit(lambda: self._count_corrected(correction))
        await reduce_debt(uow.conn, session_id, correction.forgiven_debt_tyiyn)
        await self._push.warn_of_low_balance(uow, client.id, entry.key, correction.additional_tyiyn)
        if correction.refund_tyiyn:
            await self.recover_debts(uow, client.id, cause_key=entry.key, actor=actor)

    async def top_up(self, uow: UnitOfWork, order: OrderRef, key: str, amount_tyiyn: int, actor: str) -> bool:
        """Credit a payment, and pay debts from it (billing-rules §4); False when `key` was credited before.

        The client and the order are locked; the client's state is no matter: the money is theirs (payments §5).
        """
        entry = top_up_entry(order.client_id, order.id, order.provider, key, amount_tyiyn, actor)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return False
        line = "💳 TOPUP: client_id=%s, amount=%s, invoice_id=%s, provider=%s"
        values = (order.client_id, som_fixed(amount_tyiyn), order.invoice_id, order.provider)
        uow.after_commit(lambda: log.info(line, *values))
        uow.after_commit(lambda: self.credited.update((order.provider,)))
        await self._push.enqueue(uow, _confirmed(order, key, amount_tyiyn))
        await self.recover_debts(uow, order.client_id, cause_key=key, actor=actor)
        return True

    async def hold_refund(
        self, uow: UnitOfWork, order: OrderRef, refund_id: int, amount_tyiyn: int, actor: str
    ) -> None:
        """Take a refund from the client before the provider is asked for it; the client's row is locked."""
        entry = refund_hold_entry(order.client_id, order.id, refund_id, amount_tyiyn, actor)
        await post_entry(uow.conn, entry, self._clock.now())
        await self._push.warn_of_low_balance(uow, order.client_id, entry.key, amount_tyiyn)
        _log_refund(uow, order, amount_tyiyn, actor)

    async def end_refund(
        self, uow: UnitOfWork, order: OrderRef, refund_id: int, amount_tyiyn: int, actor: str, *, happened: bool
    ) -> None:
        """The provider paid a refund out, or will not and it is the client's again; once, whatever is asked twice."""
        entry = refund_end_entry(
            order.client_id, order.id, refund_id, order.provider, amount_tyiyn, actor, happened=happened
        )
        await post_entry(uow.conn, entry, self._clock.now())
        if not happened:
            _log_refund(uow, order, amount_tyiyn, actor, returned=True)
            await self.recover_debts(uow, order.client_id, cause_key=entry.key, actor=actor)

    async def take_back(self, uow: UnitOfWork, order: OrderRef, key: str, amount_tyiyn: int, actor: str) -> None:
        """Book what a provider gave back to the payer without being asked by us; the client's row is locked."""
        entry = provider_refund_entry(order.client_id, order.id, order.provider, key, amount_tyiyn, actor)
        await post_entry(uow.conn, entry, self._clock.now())
        await self._push.warn_of_low_balance(uow, order.client_id, entry.key, amount_tyiyn)
        _log_refund(uow, order, amount_tyiyn, actor)

    async def adjust(
        self, uow: UnitOfWork, client_id: ClientId, amount_tyiyn: int, key: str, *, reason: str, actor: str
    ) -> int:
        """Book an operator's correction of a balance, opening balances included, once for a key; how much of it paid
        debts (design §9.5)."""
        entry = adjustment_entry(client_id, amount_tyiyn, key, reason, actor)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return 0
        if amount_tyiyn > 0:
            return await self.recover_debts(uow, client_id, cause_key=key, actor=actor)
        await self._push.warn_of_low_balance(uow, client_id, key, -amount_tyiyn)
        return 0

    async def pay_out(self, uow: UnitOfWork, client: Client, reason: str, actor: str) -> None:
        """The locked client's whole balance was paid to the person by bank transfer or in cash."""
        times = await count_paid_out(uow.conn, client.id)
        amount_tyiyn, key = client.balance_tyiyn, f"deletion_payout:{client.id}:{times + 1}"
        await post_entry(uow.conn, pay_out_entry(client.id, amount_tyiyn, key, reason, actor), self._clock.now())
        line = "💳 PAID_OUT: client_id=%s, amount=%s, actor=%s"
        uow.after_commit(lambda: log.info(line, client.id, som_fixed(amount_tyiyn), actor))

    async def adjust_by_hand(
        self, uow: UnitOfWork, client_id: ClientId, amount_tyiyn: int, key: str, *, reason: str, actor: str
    ) -> BalanceAdjustment:
        """Book a person's correction of a balance, once for a key (`adjust`).

        An id that was merged is the survivor's: no alias has a balance.

        Raises ClientNotFound, InsufficientBalance when less is there than is taken, InvalidAmount for more than an
        account may hold, IdempotencyMismatch when the key was used for another sum or reason.
        """
        client = await lock_known_client(uow.conn, client_id)
        if client is None:
            raise ClientNotFound
        if (before := await read_adjustment(uow.conn, key)) is not None:
            if (before.amount_tyiyn, before.reason) != (amount_tyiyn, reason):
                raise IdempotencyMismatch
            return before
        done = BalanceAdjustment(client.id, amount_tyiyn, client.balance_tyiyn, reason, is_new=True)
        if done.new_balance_tyiyn < 0:
            raise InsufficientBalance(client.balance_tyiyn, -amount_tyiyn)
        if done.new_balance_tyiyn > MOST_TYIYN:
            raise InvalidAmount(("amount", "больше, чем может быть на счёте"))
        debt_paid_tyiyn = await self.adjust(uow, client.id, amount_tyiyn, key, reason=reason, actor=actor)
        line = "💳 ADMIN_ADJUSTMENT: client_id=%s, amount=%s, actor=%s"
        uow.after_commit(lambda: log.info(line, client.id, som_fixed(amount_tyiyn), actor))
        return replace(done, debt_paid_tyiyn=debt_paid_tyiyn)

    async def merge(self, uow: UnitOfWork, old: Client, into: Client, reason: str, actor: str) -> None:
        """Money and debt of one locked client become another's, before the old one is its alias."""
        for entry in merge_entries(old.id, into.id, old.balance_tyiyn, old.debt_tyiyn, reason, actor):
            await post_entry(uow.conn, entry, self._clock.now())
        line = "💳 CLIENT_MERGE: client_id=%s, into=%s, amount=%s, debt=%s, actor=%s"
        sums = som_fixed(old.balance_tyiyn), som_fixed(old.debt_tyiyn)
        uow.after_commit(lambda: log.info(line, old.id, into.id, *sums, actor))

    async def check(self) -> LedgerCheck:
        """The ledger's invariants over all rows (design §5): no unit of work, for one may take minutes."""
        async with reading(self._pool) as conn:
            return await check_ledger(conn)

    async def recover_debts(self, uow: UnitOfWork, client_id: ClientId, *, cause_key: str, actor: str) -> int:
        """`debts.recover_debts`, now."""
        return await recover_debts(uow, client_id, cause_key=cause_key, actor=actor, at=self._clock.now())

    def _count_billed(self, cost_tyiyn: int) -> None:
        self.billed_tyiyn += cost_tyiyn

    def _count_corrected(self, correction: Correction) -> None:
        self.added_tyiyn += correction.additional_tyiyn
        self.taken_away_tyiyn += correction.refund_tyiyn + correction.forgiven_debt_tyiyn

    def _log_moved(
        self, uow: UnitOfWork, client_id: ClientId, session_id: SessionId, refund_tyiyn: int, taken_tyiyn: int
    ) -> None:
        if refund_tyiyn:
            line = "💳 CHARGE_REFUND: session_id=%s, refund=%s, client_id=%s"
            uow.after_commit(lambda: log.info(line, session_id, som_fixed(refund_tyiyn), client_id))
        elif taken_tyiyn:
            log_charge_payment(uow, client_id, session_id, taken_tyiyn)


def _confirmed(order: OrderRef, key: str, amount_tyiyn: int) -> PushEvent:
    recipient, facts = Recipient("client", order.client_id), {"amount_tyiyn": amount_tyiyn}
    return PushEvent("payment_confirmed", f"payment_confirmed:{key}", recipient, facts=facts)


def _log_refund(uow: UnitOfWork, order: OrderRef, amount_tyiyn: int, who: str, *, returned: bool = False) -> None:
    """Log, after the commit, what goes back to its payer; `returned`: it did not, and is the client's again."""
    line = "💳 %s: client_id=%s, amount=%s, invoice_id=%s, provider=%s, actor=%s"
    what = "TOPUP_REFUND_RETURNED" if returned else "TOPUP_REFUND"
    values = (what, order.client_id, som_fixed(amount_tyiyn), order.invoice_id, order.provider, who)
    uow.after_commit(lambda: log.info(line, *values))
