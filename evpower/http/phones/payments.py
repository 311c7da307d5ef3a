"""Paying money in: /api/v1/balance/topup-… and /api/v1/payment/… (contract/rest-api §5.2-5.5)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import trio
from quart import Blueprint, Response, request

from evpower.errors import PaymentNotFound, Refusal
from evpower.http.phones.answer_types.payments import (
    CanceledBody,
    CardBody,
    CheckStartedBody,
    H2hStatusBody,
    PaymentStatusBody,
    QrBody,
    TokenPageBody,
)
from evpower.http.phones.payment_shapes import (
    canceled_body,
    card_body,
    check_started_body,
    h2h_status_body,
    payment_status_body,
    qr_body,
    token_page_body,
)
from evpower.http.wire.aliases import doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, caller
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import MONEY, formed, whole
from evpower.http.wire.payment_doors import clean, no_store, origin
from evpower.http.wire.problems import problem
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.values import Body
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId
from evpower.payments.gateway import Card, Payer
from evpower.payments.graph import Payments
from evpower.payments.top_up import TopUpView, TopUpWish

#: The app gives up after 10 s; a provider may be waited for 8 of them.
ANSWER_WITHIN_S = 9
#: What must leave no trace, not even a hash, in an Idempotency-Key's row (payments §7).
SECRET_FIELDS = frozenset({"card_pan", "card_name", "card_cvv", "card_year", "card_month", "card_token"})

DESCRIPTION = formed(re.compile(r"[^\0]{0,255}", re.DOTALL))
PAN = formed(re.compile(r"[0-9]{12,19}"), squeeze=" -")
HOLDER = formed(re.compile(r"(?=.*[A-Za-z])[A-Za-z .'-]{1,100}"))
CVV = formed(re.compile(r"[0-9]{3,4}"))
YEAR = formed(re.compile(r"[0-9]{2}"))
MONTH = formed(re.compile(r"0[1-9]|1[0-2]"))
EMAIL = formed(re.compile(r"[^@\s\0]{1,64}@[^@\s\0]{1,100}"))
PHONE = formed(re.compile(r"\+?[0-9]{6,15}"), squeeze=" ()-")
TOKEN = formed(re.compile(r"[\x21-\x7e]{1,100}"))
DEFAULT_DESCRIPTION = "Пополнение баланса"
DAYS_MOST = 14
DAYS = whole(1, DAYS_MOST)

T = TypeVar("T")
Pay = Callable[[IdempotencyClaim | None], Awaitable[TopUpView]]


def asking_client(fields: BodyFields, who: Caller) -> ClientId | None:
    """The client who asks about an invoice, by token or address (`?client_id=`); in trust mode knowing it is enough.

    Raises InvalidRequest, PaymentNotFound, and what `Caller.asking` does.
    """
    client_id = who.asking(fields)
    fields.check()
    if client_id is None and who.mode != "trust":
        raise PaymentNotFound
    return client_id


def storing_days(fields: BodyFields) -> int:
    """For how long a card is kept; InvalidRequest for another number."""
    days = fields.optional("days", DAYS)
    fields.check()
    return DAYS_MOST if days is None else days


def read_wish(fields: BodyFields, who: Caller) -> TopUpWish:
    """Whose balance, and how much; InvalidRequest names every wrong field. Raises what `Caller.paying` does."""
    client_id = who.paying(fields)
    amount_tyiyn = fields.required("amount", MONEY)
    description = fields.optional("description", DESCRIPTION)
    fields.check()
    assert client_id is not None and amount_tyiyn is not None  # noqa: PT018
    return TopUpWish(client_id, amount_tyiyn, description or DEFAULT_DESCRIPTION)


def card_order(fields: BodyFields, who: Caller) -> tuple[TopUpWish, Card, Payer]:
    """A payment by card; InvalidRequest names every wrong field."""
    card, payer = read_card(fields), read_payer(fields)
    return read_wish(fields, who), card, payer


def token_order(fields: BodyFields, who: Caller) -> tuple[TopUpWish, str, Payer]:
    """A payment by a stored card; InvalidRequest names every wrong field."""
    token, payer = fields.required("card_token", TOKEN) or "", read_payer(fields)
    return read_wish(fields, who), token, payer


def read_card(fields: BodyFields) -> Card:
    """A card as it was typed; only its shape is checked: the bank's own test cards fail Luhn and are out of date."""
    return Card(
        pan=fields.required("card_pan", PAN) or "",
        holder=(fields.required("card_name", HOLDER) or "").upper(),
        cvv=fields.required("card_cvv", CVV) or "",
        year=fields.required("card_year", YEAR) or "",
        month=fields.required("card_month", MONTH) or "",
    )


def read_payer(fields: BodyFields) -> Payer:
    """What the bank wants to know."""
    phone = fields.optional("phone_number", PHONE)
    return Payer(fields.required("email", EMAIL) or "", phone)


class PaymentDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, payments: Payments, idempotency: Idempotency) -> None:
        self._payments = payments
        self._idempotency = idempotency

    @described(
        "Pay money in by a QR code", body=partial(read_wish, who=ANYBODY), answer=QrBody, refused=400, keyed=True
    )
    async def top_up_qr(self) -> Response:
        """`POST /balance/topup-qr`."""
        fields = BodyFields(await read_object())
        wish = read_wish(fields, caller())
        pay = partial(self._payments.top_ups.create_qr, wish, origin())
        return await self._keyed(wish.client_id, fields, pay, self._payments.top_ups.rebuilt, qr_body)

    @described("Pay money in by card", body=partial(card_order, who=ANYBODY), answer=CardBody, refused=400, keyed=True)
    async def top_up_card(self) -> Response:
        """`POST /balance/topup-card` and its h2h aliases."""
        fields = BodyFields(await read_object())
        wish, card, payer = card_order(fields, caller())
        pay = partial(self._payments.cards.pay, wish, card, payer, origin())
        # Another card is another request; what the order keeps of a card distinguishes them, and no more may be kept.
        seen = {"card_mask": card.mask}
        return await self._keyed(wish.client_id, fields, pay, self._payments.cards.rebuilt, card_body, seen)

    @described(
        "Pay money in by a stored card",
        body=partial(token_order, who=ANYBODY),
        answer=CardBody,
        refused=400,
        keyed=True,
    )
    async def pay_with_token(self) -> Response:
        """`POST /payment/token-payment` and its alias."""
        fields = BodyFields(await read_object())
        wish, token, payer = token_order(fields, caller())
        pay = partial(self._payments.cards.pay_with_token, wish, token, payer, origin())
        return await self._keyed(wish.client_id, fields, pay, self._payments.cards.rebuilt, card_body)

    async def _keyed(
        self,
        client_id: ClientId,
        fields: BodyFields,
        pay: Pay,
        rebuild: Callable[[str], Awaitable[TopUpView]],
        shape: Callable[[TopUpView], Body],
        seen: Mapping[str, str] | None = None,
    ) -> Response:
        async def run(claim: IdempotencyClaim | None) -> Answer:
            return await _top_up_answer(shape, pay(claim))

        async def rebuilt(order_id: str) -> Answer:
            return await _top_up_answer(shape, rebuild(order_id))

        with trio.fail_after(ANSWER_WITHIN_S):
            claim = claim_of_request(client_id, fields, left_out=SECRET_FIELDS, seen=seen)
            return written(await self._idempotency.answer(claim, KeyedWork(run, rebuilt)))

    @described("A page on which a card is stored", body=storing_days, answer=TokenPageBody, refused=400)
    async def create_token(self) -> Response:
        """`POST /payment/create-token`; a body is not needed."""
        fields = BodyFields(await read_object())
        caller().client(None)
        caller().may_pay()
        days = storing_days(fields)
        with trio.fail_after(ANSWER_WITHIN_S):
            storing = self._payments.cards.store_card(days)
            return written(await _top_up_answer(partial(token_page_body, days=days), storing))

    @described("A top-up now", query=partial(asking_client, who=ANYBODY), answer=PaymentStatusBody)
    async def status(self, invoice_id: str) -> Response:
        """`GET /payment/status/{invoice_id}`."""
        asking = asking_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            view = await self._payments.top_ups.status(clean(invoice_id), asking)
        return written(Answer(payment_status_body(view)))

    @described("A payment by card now", query=partial(asking_client, who=ANYBODY), answer=H2hStatusBody)
    async def h2h_status(self, transaction_id: str) -> Response:
        """`GET /payment/h2h-status/{transaction_id}`."""
        asking = asking_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            view = await self._payments.top_ups.status(clean(transaction_id), asking)
        return written(Answer(h2h_status_body(view)))

    @described(
        "Have the provider asked at once",
        query=partial(asking_client, who=ANYBODY),
        answer=CheckStartedBody,
        refused=200,
    )
    async def check(self, invoice_id: str) -> Response:
        """`POST /payment/status-check/{invoice_id}`."""
        asking = asking_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            order = await self._payments.top_ups.force_check(clean(invoice_id), asking, origin("forced"))
        return written(Answer(check_started_body(order)))

    @described("Give an open top-up up", query=partial(asking_client, who=ANYBODY), answer=CanceledBody, refused=200)
    async def cancel(self, invoice_id: str) -> Response:
        """`POST /payment/cancel/{invoice_id}`."""
        asking = asking_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            before, after = await self._payments.top_ups.cancel(clean(invoice_id), asking, origin())
        return written(Answer(canceled_body(before, after)))


async def _top_up_answer(shape: Callable[[T], Body], asking: Awaitable[T]) -> Answer:
    """What was asked for, or the refusal as 400: the app takes any 2xx for a code to pay by (field ruling 6.3)."""
    try:
        return Answer(shape(await asking))
    except Refusal as refusal:
        return replace(problem(refusal), status=HTTPStatus.BAD_REQUEST)


def payment_routes(payments: Payments, idempotency: Idempotency, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door = PaymentDoor(payments, idempotency)
    routes = doors_below(prefix, "payments")
    routes.post("/balance/topup-qr")(door.top_up_qr)
    for path in ("/balance/topup-card", "/balance/h2h-payment", "/payment/h2h-payment"):
        routes.post(path)(door.top_up_card)
    for path in ("/balance/token-payment", "/payment/token-payment"):
        routes.post(path)(door.pay_with_token)
    routes.post("/payment/create-token")(door.create_token)
    routes.get("/payment/status/<invoice_id>")(door.status)
    routes.post("/payment/status-check/<invoice_id>")(door.check)
    routes.post("/payment/cancel/<invoice_id>")(door.cancel)
    routes.get("/payment/h2h-status/<transaction_id>")(door.h2h_status)
    routes.after_request(no_store)
    return routes
