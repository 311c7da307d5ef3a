"""Payments as an operator sees and decides them: below the administrators' door and on the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.errors import InvalidRequest
from evpower.http.operators.shapes.payments import order_body, parked_payment_body, refund_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.kinds import MONEY
from evpower.http.wire.payment_doors import clean, origin, provider_body
from evpower.http.wire.requests import BodyFields, read_object, required_text, row_id
from evpower.http.wire.rights import needs, who
from evpower.payments.graph import Payments
from evpower.payments.top_up import Origin
from evpower.staff.allowance import Allowance
from evpower.staff.rights import Right

#: A refund waits for the provider.
WITHIN_S = 20


class PaymentAdminDoor:
    """Wire to service and back."""

    def __init__(self, payments: Payments, allowance: Allowance) -> None:
        self._payments = payments
        self._allowance = allowance

    @needs(Right.CLIENTS)
    async def list_payments(self) -> Response:
        """`GET /payments[?parked=1[&all=1]]`."""
        decisions = self._payments.decisions
        with trio.fail_after(WITHIN_S):
            if request.args.get("parked") == "1":
                rows = await decisions.parked(resolved_too=request.args.get("all") == "1")
                return written_data([parked_payment_body(row) for row in rows])
            return written_data([order_body(order) for order in await decisions.payments()])

    @needs(Right.CLIENTS)
    async def list_providers(self) -> Response:
        """`GET /payments/providers`: how each answers this process."""
        return written_data(
            [{"provider": name, **provider_body(state)} for name, state in self._payments.providers().items()]
        )

    @needs(Right.MONEY)
    async def resolve(self, parked_id: str) -> Response:
        """`POST /payments/parked/{id}/resolve`: one of `credit`, `debit` (sums in som) and `dismiss`."""
        body = await read_object()
        number, reason, whose = row_id(parked_id), required_text(body, "reason"), _operator(body)
        fields = BodyFields(body)
        chosen = [name for name in ("credit", "debit", "dismiss") if fields.has(name)]
        if len(chosen) != 1 or (chosen == ["dismiss"] and body["dismiss"] is not True):
            raise InvalidRequest(("credit", "ровно одно из: credit, debit, dismiss"))
        amount_tyiyn = 0 if chosen == ["dismiss"] else fields.required(chosen[0], MONEY)
        fields.check()
        assert amount_tyiyn is not None
        with trio.fail_after(WITHIN_S):
            async with self._allowance.taken(who(), amount_tyiyn):
                await self._decide(number, chosen[0], amount_tyiyn, reason, whose)
        return written_data({"id": number, "decision": chosen[0]})

    async def _decide(self, number: int, decision: str, amount_tyiyn: int, reason: str, whose: Origin) -> None:
        decisions = self._payments.decisions
        if decision == "credit":
            await decisions.credit(number, amount_tyiyn, reason, whose)
        elif decision == "debit":
            await decisions.debit(number, amount_tyiyn, reason, whose)
        else:
            await decisions.dismiss(number, reason, whose)

    @needs(Right.MONEY)
    async def refund(self, invoice_id: str) -> Response:
        """`POST /payments/{invoice_id}/refund`: all of it, or `amount` som, which who has a daily limit must name."""
        body = await read_object()
        reason, whose = required_text(body, "reason"), _operator(body)
        fields = BodyFields(body)
        read = fields.required if self._allowance.limits(who()) else fields.optional
        amount_tyiyn = read("amount", MONEY)
        fields.check()
        with trio.fail_after(WITHIN_S):
            async with self._allowance.taken(who(), amount_tyiyn or 0):
                done = await self._payments.refunds.refund(clean(invoice_id), amount_tyiyn, reason, whose)
        return written_data(refund_body(done))


def payment_admin_routes(payments: Payments, allowance: Allowance) -> Blueprint:
    """The routes, relative to where they are put."""
    door = PaymentAdminDoor(payments, allowance)
    routes = Blueprint("payments_admin", __name__, url_prefix="/payments")
    routes.get("")(door.list_payments)
    routes.get("/providers")(door.list_providers)
    routes.post("/parked/<parked_id>/resolve")(door.resolve)
    routes.post("/<invoice_id>/refund")(door.refund)
    return routes


def _operator(body: Mapping[str, Any]) -> Origin:
    refuse_actor(body)
    return origin("operator", acting())
