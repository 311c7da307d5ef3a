"""O!Dengi: invoices paid by QR code (contract/payments §2)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from evpower.clock import Clock
from evpower.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import Notice, OrderState, OrderStatus, Payment, ProviderOrder, QrInvoice
from evpower.payments.gateways.odengi_answers import invoice_of, refusal_of, status_of
from evpower.payments.gateways.odengi_notice import OlderForm, read_notice
from evpower.payments.gateways.odengi_signature import canonical, mktime, signed
from evpower.payments.gateways.provider_http import ProviderHttp
from evpower.settings.payments import OdengiSettings

logger = logging.getLogger("payment")

#: Whose clock `date_life` goes by (U4).
ZONE = ZoneInfo("Asia/Bishkek")
DESCRIPTION_CHARACTERS_MAX = 1000
NOTICE_PATH = "/api/v1/payment/webhook/odengi"


class Odengi:
    """The gateway. Its answers come with HTTP 200 even when they are errors; what is no such answer is unknown."""

    name = "ODENGI"

    def __init__(self, settings: OdengiSettings, http: ProviderHttp, clock: Clock, *, public_url: str) -> None:
        """Without a `public_url` it is not asked to call us."""
        self._settings = settings
        self._http = http
        self._clock = clock
        self._result_url = public_url + NOTICE_PATH if public_url else ""

    async def create_invoice(self, order: ProviderOrder) -> QrInvoice:
        """Make the invoice; payable until `expires_at`, which this provider takes in Bishkek's time."""
        data: dict[str, object] = {
            "order_id": order.order_id,
            "desc": order.description[:DESCRIPTION_CHARACTERS_MAX],
            "amount": order.amount_tyiyn,
            "currency": order.currency,
            "test": int(self._settings.test),
            "long_term": 0,
            "date_life": order.expires_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        }
        if self._result_url:
            data["result_url"] = self._result_url
        reply = await self._obeyed("createInvoice", order, data)
        invoice = invoice_of(reply)
        if invoice is None:
            raise self._unreadable("createInvoice", order)
        return invoice

    async def status(self, order: ProviderOrder) -> OrderStatus:
        """What became of the order; an error here is no news (U7), because it may be about the question."""
        data: dict[str, object] = {} if order.invoice_id is None else {"invoice_id": order.invoice_id}
        reply = await self._ask("statusPayment", order, data | {"order_id": order.order_id})
        refusal = refusal_of(reply)
        if refusal is not None:
            return OrderStatus(OrderState.PROCESSING, reason=refusal)
        return status_of(reply, order.order_id)

    async def cancel(self, order: ProviderOrder) -> None:
        """Take the invoice back. ProviderUnavailable while its id is not known: nothing can be asked for."""
        if order.invoice_id is None:
            raise ProviderUnavailable
        await self._succeeded("invoiceCancel", order, {"invoice_id": order.invoice_id})

    async def refund(self, order: ProviderOrder, payment: Payment, amount_tyiyn: int) -> None:
        """Give back money of this payment."""
        await self._succeeded("refundPayment", order, {"trans_id": payment.trans_id, "amount": amount_tyiyn})

    def read_notice(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Notice:
        """Check and read a call to `result_url`; the query says nothing."""
        older = OlderForm(self._settings.webhook_secret, self._clock.now()) if self._settings.webhook_secret else None
        return read_notice(body, headers, sid=self._settings.sid, secret=self._settings.secret, older=older)

    async def _succeeded(self, cmd: str, order: ProviderOrder, data: Mapping[str, object]) -> None:
        reply = await self._obeyed(cmd, order, data)
        if reply.get("success") is not True:
            raise self._unreadable(cmd, order)

    async def _obeyed(self, cmd: str, order: ProviderOrder, data: Mapping[str, object]) -> dict[str, Any]:
        """The answer's `data`, which is no refusal."""
        reply = await self._ask(cmd, order, data)
        refusal = refusal_of(reply)
        if refusal is not None:
            logger.warning("%s: %s of order %s refused: %s", self.name, cmd, order.order_id, refusal)
            raise ProviderError
        return reply

    async def _ask(self, cmd: str, order: ProviderOrder, data: Mapping[str, object]) -> dict[str, Any]:
        """The answer's `data`."""
        message = canonical(cmd, self._settings.sid, mktime(self._clock.now()), data)
        body = await self._http.post(signed(message, self._settings.secret))
        try:
            # A sum with a point stays text: it is not a whole number of tyiyn, and must not become a binary float.
            reply = json.loads(body, parse_float=str)
        except (ValueError, RecursionError):
            reply = None
        if isinstance(reply, dict) and isinstance(reply.get("data"), dict):
            return dict(reply["data"])
        raise self._unreadable(cmd, order)

    def _unreadable(self, cmd: str, order: ProviderOrder) -> ProviderTimeout:
        logger.warning("%s: the answer to %s of order %s is unreadable", self.name, cmd, order.order_id)
        return ProviderTimeout()
