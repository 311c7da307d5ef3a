"""Providers call in, and browsers come back from 3-D Secure (contract/payments §4.5; rest-api §5.6)."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

import trio
from quart import Blueprint, Response, request

from evpower.http.providers.webhook_guard import WebhookGuard
from evpower.http.wire.aliases import doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.described import described
from evpower.http.wire.payment_doors import no_store, origin
from evpower.http.wire.requests import read_bytes, read_form
from evpower.payments.gateway import NOTIFY_TOKEN
from evpower.payments.notices import Notices, Receipt

ANSWER_WITHIN_S = 9
#: Statuses that a provider gets instead of "received".
REFUSED_STATUSES = {"payment_not_found": "payment_not_found", "provider_mismatch": "provider_mismatch"}
#: What providers send, and a browser.
JSON, ANY, FORM = ["application/json"], ["application/json", "application/xml"], ["application/x-www-form-urlencoded"]
RETURNED = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Оплата</title></head>
<body><h1>Проверяем платёж</h1>
<p>Вернитесь в приложение: баланс обновится, когда банк подтвердит оплату.</p></body></html>
"""


class ReceiptBody(TypedDict):
    """What the provider reads: that its call was stored, or why it means nothing here."""

    status: Literal["received", "payment_not_found", "provider_mismatch"]
    provider: NotRequired[str]
    invoice_id: NotRequired[str]


class WebhookDoor:
    """Hands calls to the inbox as they came."""

    def __init__(self, notices: Notices, guard: WebhookGuard) -> None:
        self._notices = notices
        self._guard = guard

    @described("O!Dengi reports a payment", caller="provider", answer=ReceiptBody, takes=JSON)
    async def odengi(self) -> Response:
        """`POST /payment/webhook/odengi`."""
        return await self._receive("ODENGI", {})

    @described("OBANK reports a payment", caller="provider", answer=ReceiptBody, takes=ANY)
    async def obank(self, notify_token: str = "") -> Response:
        """`POST` and `GET /payment/webhook/obank/{notify_token}`."""
        return await self._receive("OBANK", {NOTIFY_TOKEN: notify_token} if notify_token else {})

    @described("A provider reports a payment", caller="provider", answer=ReceiptBody, takes=ANY)
    async def either(self) -> Response:
        """`POST /payment/webhook`: XML is OBANK's, everything else O!Dengi's."""
        is_xml = "xml" in request.headers.get("Content-Type", "")
        return await (self.obank() if is_xml else self.odengi())

    async def _receive(self, provider: str, path: dict[str, str]) -> Response:
        await self._guard.admit(provider)
        body = await read_bytes()
        query = {**request.args.to_dict(), **path}
        with trio.fail_after(ANSWER_WITHIN_S):
            receipt = await self._notices.receive(provider, body, dict(request.headers), query, origin("webhook"))
        return written(Answer(receipt_body(receipt)))

    @described("A browser comes back from 3-D Secure", caller="anyone", answer=str, media_type="text/html", takes=FORM)
    async def returned(self) -> Response:
        """`POST /payment/3ds-return` and `3ds-callback`: a browser's form; it proves nothing and starts a check."""
        form = await read_form()
        md = form.get("MD") or form.get("md") or ""
        if md:
            with trio.fail_after(ANSWER_WITHIN_S):
                await self._notices.returned_from_challenge(md.replace("\0", "")[:4096], origin("forced"))
        return Response(RETURNED, content_type="text/html; charset=utf-8")


def receipt_body(receipt: Receipt) -> dict[str, str]:
    """What the provider reads (payments §4.5)."""
    if receipt.outcome in REFUSED_STATUSES:
        return {"status": REFUSED_STATUSES[receipt.outcome]}
    body = {"status": "received", "provider": receipt.provider}
    return body if receipt.invoice_id is None else {**body, "invoice_id": receipt.invoice_id}


def webhook_routes(notices: Notices, guard: WebhookGuard, *, prefix: str) -> Blueprint:
    """The routes below `prefix`/payment."""
    door = WebhookDoor(notices, guard)
    routes = doors_below(prefix, "webhooks", "/payment")
    routes.post("/webhook")(door.either)
    routes.post("/webhook/odengi")(door.odengi)
    routes.route("/webhook/obank/<notify_token>", methods=["GET", "POST"])(door.obank)
    # The old XML requests named this address (rest-api §5.6); without a token the gateway refuses.
    routes.post("/obank/notify")(door.obank)
    routes.post("/3ds-return")(door.returned)
    routes.post("/3ds-callback")(door.returned)
    routes.after_request(no_store)
    return routes
