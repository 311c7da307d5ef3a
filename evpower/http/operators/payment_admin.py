"""Payments as an operator sees and decides them: below the administrators' door and on the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.case_files.service import CaseFiles
from evpower.http.operators.bodies.orders import payment_decision, refund_order
from evpower.http.operators.bodies.queries import payments_query
from evpower.http.operators.shapes.cases.payment import PaymentCaseBody, payment_case_body
from evpower.http.operators.shapes.payments import (
    OrderBody,
    ParkedPaymentBody,
    PaymentDecidedBody,
    ProviderBody,
    RefundBody,
    order_body,
    parked_payment_body,
    refund_body,
)
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.payment_doors import clean, operators_provider_body, origin
from evpower.http.wire.requests import BodyFields, read_object, row_id
from evpower.http.wire.rights import needs, who
from evpower.payments.graph import Payments
from evpower.payments.top_up import Origin
from evpower.staff.allowance import Allowance
from evpower.staff.rights import Right

#: A refund waits for the provider.
WITHIN_S = 20


class PaymentAdminDoor:
    """Wire to service and back."""

    def __init__(self, payments: Payments, allowance: Allowance, case_files: CaseFiles) -> None:
        self._payments = payments
        self._case_files = case_files
        self._allowance = allowance

    @needs(Right.CLIENTS)
    @described(
        "Top-ups, or payments that wait for a person",
        query=payments_query,
        data=(list[OrderBody], list[ParkedPaymentBody]),
    )
    async def list_payments(self) -> Response:
        """`GET /payments[?client=&phase=&since=&limit=]`, `GET /payments?parked=1[&all=1]`."""
        decisions = self._payments.decisions
        with trio.fail_after(WITHIN_S):
            parked, decided_too, wanted = payments_query(BodyFields(request.args))
            if parked:
                rows = await decisions.parked(resolved_too=decided_too)
                return written_data([parked_payment_body(row) for row in rows])
            return written_data([order_body(order) for order in await decisions.payments(wanted)])

    @needs(Right.CLIENTS)
    @described("Everything that is known of a top-up", data=PaymentCaseBody)
    async def case(self, invoice_id: str) -> Response:
        """`GET /payments/{invoice_id}/case`: by invoice or order."""
        with trio.fail_after(WITHIN_S):
            return written_data(payment_case_body(await self._case_files.payment(clean(invoice_id))))

    @needs(Right.CLIENTS)
    @described("How each payment provider answers", data=list[ProviderBody])
    async def list_providers(self) -> Response:
        """`GET /payments/providers`: how each answers this process."""
        return written_data(
            [{"provider": name, **operators_provider_body(state)} for name, state in self._payments.providers().items()]
        )

    @needs(Right.MONEY)
    @described("Decide on a payment that waits", body=payment_decision, data=PaymentDecidedBody, refused=200)
    async def resolve(self, parked_id: str) -> Response:
        """`POST /payments/parked/{id}/resolve`: one of `credit`, `debit` (sums in som) and `dismiss`."""
        body = await read_object()
        number, whose = row_id(parked_id), _operator(body)
        decision = payment_decision(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            async with self._allowance.taken(who(), decision.amount_tyiyn):
                await self._decide(number, decision.chosen, decision.amount_tyiyn, decision.reason, whose)
        return written_data({"id": number, "decision": decision.chosen})

    async def _decide(self, number: int, decision: str, amount_tyiyn: int, reason: str, whose: Origin) -> None:
        decisions = self._payments.decisions
        if decision == "credit":
            await decisions.credit(number, amount_tyiyn, reason, whose)
        elif decision == "debit":
            await decisions.debit(number, amount_tyiyn, reason, whose)
        else:
            await decisions.dismiss(number, reason, whose)

    @needs(Right.MONEY)
    @described("Give a top-up back", body=partial(refund_order, may_be_all=True), data=RefundBody, refused=200)
    async def refund(self, invoice_id: str) -> Response:
        """`POST /payments/{invoice_id}/refund`: all of it, or `amount` som, which who has a daily limit must name."""
        body = await read_object()
        whose = _operator(body)
        reason, amount_tyiyn = refund_order(BodyFields(body), may_be_all=not self._allowance.limits(who()))
        with trio.fail_after(WITHIN_S):
            async with self._allowance.taken(who(), amount_tyiyn or 0):
                done = await self._payments.refunds.refund(clean(invoice_id), amount_tyiyn, reason, whose)
        return written_data(refund_body(done))


def payment_admin_routes(payments: Payments, allowance: Allowance, case_files: CaseFiles) -> Blueprint:
    """The routes, relative to where they are put."""
    door = PaymentAdminDoor(payments, allowance, case_files)
    routes = Blueprint("payments_admin", __name__, url_prefix="/payments")
    routes.get("")(door.list_payments)
    routes.get("/providers")(door.list_providers)
    routes.get("/<invoice_id>/case")(door.case)
    routes.post("/parked/<parked_id>/resolve")(door.resolve)
    routes.post("/<invoice_id>/refund")(door.refund)
    return routes


def _operator(body: Mapping[str, Any]) -> Origin:
    refuse_actor(body)
    return origin("operator", acting())
