"""O!Dengi's server: one JSON endpoint whose requests are signed byte by byte (contract/payments §2).

It is as strict as the strictest reading: the bytes received must be canonical JSON with the members in their order,
and the signature must be that of exactly these bytes. Errors are HTTP 200 with `data.error` and `data.desc`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from evpower.simulator.providers.odengi import elqr
from evpower.simulator.providers.odengi.invoices import (
    FIELDS_MISSING,
    PART_RETURNED,
    UNKNOWN,
    Attempt,
    Invoice,
    InvoiceBook,
    InvoiceRefused,
)
from evpower.simulator.providers.surroundings.clock import BISHKEK
from evpower.simulator.providers.surroundings.courier import Letter
from evpower.simulator.providers.surroundings.faults import spoiled
from evpower.simulator.providers.surroundings.surroundings import Surroundings
from evpower.simulator.providers.surroundings.wire import HttpReply, HttpRequest

PATH = "/api/json/json.php"
VERSION = 1005
MEMBERS = ["cmd", "version", "sid", "mktime", "lang", "data", "hash"]
NO_DATA, HASH_MISMATCH = 1, 2
ORDER_ID_MAX, DESCRIPTION_MAX = 64, 1000
#: The payer; personal data that must not be in a log.
PAYER = {"account_id": "996555010203", "mobile": "996555010203", "fname": "Айгуль", "lname": "Тестова"}


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who may call: `sid` and the API password that signs both ways."""

    sid: str
    secret: str

    def sign(self, message: bytes) -> str:
        """Lower-case hex of HMAC-MD5."""
        return hmac.new(self.secret.encode(), message, hashlib.md5).hexdigest()


class OdengiServer:
    """The endpoint. `repeats_order` answers a repeated order with its old invoice."""

    def __init__(self, merchant: Merchant, around: Surroundings, choices: random.Random) -> None:
        self.merchant = merchant
        self.repeats_order = False
        self._around = around
        self._clock = around.clock
        self.book = InvoiceBook(around.clock, choices, self._notify)
        self._commands: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "createInvoice": self._create_invoice,
            "statusPayment": self._status_payment,
            "invoiceCancel": self._invoice_cancel,
            "refundPayment": self._refund_payment,
        }

    async def answer(self, request: HttpRequest) -> HttpReply:
        """One request of the merchant."""
        if request.path != PATH:
            return HttpReply(404)
        if request.method != "POST":
            return HttpReply(405, headers=(("Allow", "POST"),))
        message = _object(request.body)
        command, order = _command_and_order(message)
        fault = self._around.fault("odengi", command, order)
        try:
            if fault is not None and not fault.carried_out:
                raise InvoiceRefused(UNKNOWN, "Временная ошибка")
            data = self._checked(request, message)
        except InvoiceRefused as refusal:
            data = {"error": refusal.number, "desc": refusal.message}
        reply = self._reply(message, data)
        return reply if fault is None else spoiled(reply, fault, self._around.sleep)

    def _reply(self, message: Mapping[str, Any] | None, data: dict[str, Any]) -> HttpReply:
        asked = message or {}
        envelope = {"cmd": asked.get("cmd"), "version": VERSION, "sid": self.merchant.sid}
        text = _canonical({**envelope, "mktime": self._clock.milliseconds(), "lang": "ru", "data": data})
        return HttpReply(200, text.encode(), "application/json; charset=utf-8")

    def _checked(self, request: HttpRequest, message: dict[str, Any] | None) -> dict[str, Any]:
        if request.media_type != "application/json" or message is None:
            raise InvoiceRefused(NO_DATA, "Нет данных в запросе")
        self._verify(request.body, message)
        if message["version"] != VERSION or message["sid"] != self.merchant.sid:
            raise InvoiceRefused(UNKNOWN, "Неизвестный мерчант или версия")
        if not _is_digits(message["mktime"]) or not isinstance(message["lang"], str):
            raise InvoiceRefused(FIELDS_MISSING, "Неверное поле mktime или lang")
        command, data = self._commands.get(message["cmd"]), message["data"]
        if command is None:
            raise InvoiceRefused(UNKNOWN, "Неизвестная команда")
        if not isinstance(data, dict) or None in data.values():
            raise InvoiceRefused(FIELDS_MISSING, "Неверное поле data")
        return command(data)

    def _verify(self, body: bytes, message: dict[str, Any]) -> None:
        """The bytes without `hash` must be canonical, and signed as they are."""
        unsigned = {name: value for name, value in message.items() if name != "hash"}
        given = message.get("hash")
        canonical = _canonical(unsigned)
        expected = self.merchant.sign(canonical.encode())
        sent = f'{canonical[:-1]},"hash":"{expected}"}}'.encode()
        if list(message) != MEMBERS or not isinstance(given, str) or not hmac.compare_digest(sent, body):
            raise InvoiceRefused(HASH_MISMATCH, "Неверная подпись")

    def _create_invoice(self, data: Mapping[str, Any]) -> dict[str, Any]:
        order_id, description = _text(data, "order_id", ORDER_ID_MAX), _text(data, "desc", DESCRIPTION_MAX)
        amount = _whole(data, "amount", 0)
        if data.get("currency", "KGS") != "KGS" or data.get("test", 0) not in (0, 1):
            raise InvoiceRefused(FIELDS_MISSING, "Неверное поле currency или test")
        invoice = self.book.with_order(order_id)
        if invoice is not None and not self.repeats_order:
            raise InvoiceRefused(UNKNOWN, "Счёт с таким order_id уже существует")
        if invoice is None:
            invoice = self.book.create(
                order_id,
                amount,
                description,
                is_test=data.get("test", 0) == 1,
                result_url=_text(data, "result_url") if "result_url" in data else None,
                expires_at=_moment(data["date_life"]) if "date_life" in data else None,
            )
        return self._shown(invoice)

    def _shown(self, invoice: Invoice) -> dict[str, Any]:
        qr_text, page = self.qr_text(invoice), f"{self._around.page_url}/pay/{invoice.invoice_id}"
        picture = f"{self._around.page_url}/qr.php?type=emvQr&data={quote(qr_text, safe='')}"
        return {"invoice_id": invoice.invoice_id, "qr": picture, "emv_qr": picture, "link_app": page, "site_pay": page}

    def qr_text(self, invoice: Invoice) -> str:
        """What is in the picture."""
        return elqr.payload(invoice.invoice_id, invoice.amount_tyiyn)

    def _status_payment(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if "invoice_id" not in data and "order_id" not in data:
            raise InvoiceRefused(FIELDS_MISSING, "Нет invoice_id и order_id")
        invoice = self.book.find(data.get("invoice_id"), data.get("order_id"))
        status: dict[str, Any] = {"status": invoice.status}
        if invoice.attempts:
            status["payments"] = [_payment(invoice, attempt) for attempt in invoice.attempts]
        return status

    def _invoice_cancel(self, data: Mapping[str, Any]) -> dict[str, Any]:
        self.book.cancel(self.book.find(_text(data, "invoice_id")))
        return {"success": True}

    def _refund_payment(self, data: Mapping[str, Any]) -> dict[str, Any]:
        self.book.refund(_text(data, "trans_id"), _whole(data, "amount", 1))
        return {"success": True}

    def _notify(self, invoice: Invoice, attempt: Attempt, status_pay: int) -> None:
        letter = self.letter(invoice, attempt, status_pay)
        if letter is not None:
            self._around.send(letter)

    def letter(self, invoice: Invoice, attempt: Attempt, status_pay: int, *, forged: bool = False) -> Letter | None:
        """The webhook call for a change; None when the merchant has named no `result_url` (payments §2.6)."""
        if invoice.result_url is None:
            return None
        amount = attempt.left_tyiyn if status_pay == PART_RETURNED else attempt.amount_tyiyn
        signed: dict[str, Any] = {
            "trans_id": attempt.trans_id,
            "status_pay": status_pay,
            "site_id": self.merchant.sid,
            "order_id": invoice.order_id,
            "amount": amount,
            "currency": attempt.currency,
            "mktime": self._clock.milliseconds(),
            "test": int(invoice.is_test),
        }
        text = ":::".join("" if value is None else str(value) for value in signed.values())
        true, false = (self.merchant.sign(each.encode()) for each in (text, text + "!"))
        notice = {name: value for name, value in signed.items() if value is not None}
        right, wrong = (_canonical({**notice, **PAYER, "hash": each}).encode() for each in (true, false))
        body = wrong if forged else right
        return Letter("odengi", invoice.order_id, "POST", invoice.result_url, body, forged=wrong)


def _payment(invoice: Invoice, attempt: Attempt) -> dict[str, Any]:
    """One element of `payments`: sums are strings; the currency is named only when it is not the invoice's."""
    shown: dict[str, Any] = {
        "trans_id": attempt.trans_id,
        "payment_id": attempt.payment_id,
        "order_id": invoice.order_id,
        "status": attempt.status,
        "date_pay": attempt.at.astimezone(BISHKEK).strftime("%Y-%m-%d %H:%M:%S"),
        "test": int(invoice.is_test),
        "description": invoice.description,
        **{name: PAYER[name] for name in ("mobile", "fname", "lname")},
    }
    if attempt.amount_tyiyn is not None:
        part_is_back = 0 < attempt.left_tyiyn < attempt.amount_tyiyn
        shown["amount"] = str(attempt.left_tyiyn if part_is_back else attempt.amount_tyiyn)
        shown["amount_old"] = str(attempt.amount_tyiyn)
    if attempt.currency != "KGS":
        shown["currency"] = attempt.currency
    return shown


def _canonical(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _command_and_order(message: Mapping[str, Any] | None) -> tuple[str, str]:
    """The command and the order of whatever was sent, for faults and for the log."""
    if message is None:
        return "", ""
    data = message.get("data")
    named = [data.get(name) for name in ("order_id", "invoice_id", "trans_id")] if isinstance(data, dict) else []
    return str(message.get("cmd", "")), next((str(each) for each in named if each), "")


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _text(data: Mapping[str, Any], name: str, length_max: int = 2000) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= length_max:
        raise InvoiceRefused(FIELDS_MISSING, f"Неверное поле {name}")
    return value


def _whole(data: Mapping[str, Any], name: str, least: int) -> int:
    value = data.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvoiceRefused(FIELDS_MISSING, f"Неверное поле {name}")
    return value


def _moment(value: object) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BISHKEK)
    except ValueError:
        raise InvoiceRefused(FIELDS_MISSING, "Неверное поле date_life") from None
