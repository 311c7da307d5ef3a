"""Bugs of payments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import evpower.payments.crediting as crediting
import evpower.payments.rows.top_ups as top_ups
from evpower.payments.gateway import OrderState, Payment
from evpower.payments.top_up import Verdict
from tests.simulation.bugs.planting import put


def credit_on_status_1() -> None:
    """An invoice that is being paid is taken for one that is paid."""

    def make(original: Any) -> Any:
        def judge(order: Any, status: Any, now: Any, rules: Any, booked: Any) -> Any:
            if status.state is OrderState.PROCESSING and not booked:
                return Verdict("approved", (Payment(f"guess-{order.id}", order.amount_tyiyn),))
            return original(order, status, now, rules, booked)

        return judge

    put(crediting, "judge", make)


def erase_a_due_mark() -> None:
    """What a check found is written over what a call marked meanwhile."""
    put(
        top_ups,
        "MOVE_ORDER",
        lambda text: text.replace(
            "next_check_at = CASE WHEN due_why IS NULL THEN %(ask_at)s ELSE next_check_at END",
            "due_why = NULL, next_check_at = CASE WHEN %(phase)s <> 'approved' THEN %(ask_at)s::timestamptz END",
        ),
    )


def drop_payments_beside_a_refund() -> None:
    """An answer that speaks of a refund has nothing else to say."""

    def make(original: Any) -> Any:
        def judge(order: Any, status: Any, now: Any, rules: Any, booked: Any) -> Any:
            if status.state is OrderState.PARTIAL_REFUND:
                status = replace(status, payments=tuple(one for one in status.payments if one.trans_id in booked))
            return original(order, status, now, rules, booked)

        return judge

    put(crediting, "judge", make)


def credit_each_answer() -> None:
    """The key of a payment is of the answer in which it came."""
    answers = 0

    def make(original: Any) -> Any:
        def key(provider: str, trans_id: str) -> str:
            nonlocal answers
            answers += 1
            text: str = original(provider, f"{trans_id}-{answers}")
            return text

        return key

    put(crediting, "top_up_key", make)
