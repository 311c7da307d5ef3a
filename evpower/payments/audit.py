"""The line each change of a top-up leaves (payments §7): written in the unit of work of the change."""

from __future__ import annotations

from datetime import datetime

from evpower.db.unit_of_work import UnitOfWork
from evpower.payments.gateway import Payment
from evpower.payments.rows.payment_events import AuditLine, write_audit
from evpower.payments.top_up import Origin, Phase, TopUp


async def audit(
    uow: UnitOfWork,
    order: TopUp,
    operation: str,
    origin: Origin,
    at: datetime,
    *,
    after: Phase | None = None,
    payment: Payment | None = None,
    amount_tyiyn: int | None = None,
    detail: str | None = None,
) -> None:
    """`order` is as it was before; `after` the phase it has now, when that changed."""
    named = payment.amount_tyiyn if payment is not None else amount_tyiyn
    line = AuditLine(
        recorded_at=at,
        operation=operation,
        source=origin.source,
        client_id=order.client_id,
        order_id=order.order_id,
        trans_id=None if payment is None else payment.trans_id,
        provider=order.provider,
        amount_tyiyn=order.amount_tyiyn if named is None else named,
        currency=order.currency if payment is None or payment.currency is None else payment.currency,
        phase_before=order.phase,
        phase_after=after or order.phase,
        detail=": ".join(part for part in (origin.actor, detail) if part) or None,
        card_mask=order.card_mask,
        peer=origin.peer,
        request_id=origin.request_id,
    )
    await write_audit(uow.conn, line)
