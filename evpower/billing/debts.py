"""Debts are paid from whatever is credited later: a payment, a refund, a hold that is released (design §9.5)."""

from __future__ import annotations

import logging
from datetime import datetime

from evpower.billing.clients import lock_client
from evpower.billing.ledger import debt_recovery_entry
from evpower.billing.rows.debts import read_debts, reduce_debt
from evpower.billing.rows.ledger import post_entry
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import ClientId, SessionId
from evpower.money import som_fixed

log = logging.getLogger("payment")


async def recover_debts(uow: UnitOfWork, client_id: ClientId, *, cause_key: str, actor: str, at: datetime) -> int:
    """Pay debts, oldest first, from a balance that was just credited (billing-rules §4); the sum taken, in tyiyn.

    Balance and debts are read here, after the credit, and every change of a debt is in its session by now: what a
    caller knew before is old. `cause_key` is the key of the crediting entry.
    """
    client = await lock_client(uow.conn, client_id)
    free_tyiyn = client.balance_tyiyn
    if client.debt_tyiyn <= 0:
        return 0
    for debt in await read_debts(uow.conn, client.id):
        paid_tyiyn = min(debt.debt_tyiyn, free_tyiyn)
        if paid_tyiyn <= 0:
            break
        entry = debt_recovery_entry(debt.session_id, client.id, paid_tyiyn, cause_key, actor)
        if await post_entry(uow.conn, entry, at) is None:
            continue
        await reduce_debt(uow.conn, debt.session_id, paid_tyiyn)
        log_charge_payment(uow, client.id, debt.session_id, paid_tyiyn)
        free_tyiyn -= paid_tyiyn
    return client.balance_tyiyn - free_tyiyn


def log_charge_payment(uow: UnitOfWork, client_id: ClientId, session_id: SessionId, taken_tyiyn: int) -> None:
    """That a client paid for a charge beside its hold, once it is committed."""
    line = "💳 CHARGE_PAYMENT: session_id=%s, amount=%s, client_id=%s"
    uow.after_commit(lambda: log.info(line, session_id, som_fixed(taken_tyiyn), client_id))
