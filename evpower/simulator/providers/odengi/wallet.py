"""The payer of a QR code: a page where a person pays or refuses, and the picture of the code."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from urllib.parse import quote

from evpower.simulator.providers.odengi import elqr
from evpower.simulator.providers.odengi.invoices import Invoice, InvoiceRefused
from evpower.simulator.providers.odengi.server import OdengiServer
from evpower.simulator.providers.surroundings.html import button, page, see, som
from evpower.simulator.providers.surroundings.wire import HttpReply, HttpRequest

WORDS = {"processing": "ожидает оплаты", "approved": "оплачен", "canceled": "отменён"}
SHOWN_MAX = 50


class Wallet:
    """What a bank's app on the payer's telephone would do."""

    def __init__(self, odengi: OdengiServer) -> None:
        self._odengi = odengi
        self._book = odengi.book

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """A page of this wallet; None when the address is not one of its own."""
        match request.method, *request.path.strip("/").split("/"):
            case "GET", "":
                return self._list()
            case "GET", "qr.php":
                return _picture(request)
            case "GET", "pay", invoice_id:
                return self._with(invoice_id, self._one)
            case "POST", "pay", invoice_id, "approve":
                return self._with(invoice_id, self._pay)
            case "POST", "pay", invoice_id, "refuse":
                return self._with(invoice_id, self._refuse)
        return None

    def _with(self, invoice_id: str, act: Callable[[Invoice], HttpReply]) -> HttpReply:
        try:
            return act(self._book.find(invoice_id))
        except InvoiceRefused as refusal:
            return page("O!Dengi (песочница)", f"<p>{escape(refusal.message)}</p>", 404)

    def _list(self) -> HttpReply:
        """Those that wait first, newest first."""
        invoices = sorted(self._book.by_id.values(), key=lambda each: (each.status != "processing", -_age(each)))
        rows = "".join(self._row(each) for each in invoices[:SHOWN_MAX])
        table = f"<table><tr><th>Счёт</th><th>Сумма</th><th>Состояние</th><th></th></tr>{rows}</table>"
        return page("Счета O!Dengi (песочница)", table if rows else "<p>Счетов пока нет.</p>")

    def _row(self, invoice: Invoice) -> str:
        link = f'<a href="/pay/{invoice.invoice_id}">{invoice.invoice_id}</a><br>{escape(invoice.description)}'
        actions = self._buttons(invoice) if invoice.status == "processing" else ""
        cells = (link, som(invoice.amount_tyiyn), self._state(invoice), actions)
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    def _one(self, invoice: Invoice) -> HttpReply:
        picture = f"/qr.php?type=emvQr&amp;data={quote(self._odengi.qr_text(invoice), safe='')}"
        body = (
            f"<p>{escape(invoice.description)}</p><p><b>{som(invoice.amount_tyiyn)}</b>, {self._state(invoice)}</p>"
            f'<p><img src="{picture}" alt="QR"></p><p>{self._buttons(invoice)}</p><p><a href="/">Все счета</a></p>'
        )
        return page(f"Счёт {invoice.invoice_id}", body)

    def _state(self, invoice: Invoice) -> str:
        late = ", срок истёк" if invoice.status == "processing" and self._book.is_expired(invoice) else ""
        return WORDS[invoice.status] + late

    def _buttons(self, invoice: Invoice) -> str:
        """Always both: a code that was canceled or has expired may still be in front of somebody."""
        own = f"/pay/{invoice.invoice_id}"
        return button(f"{own}/approve", "Оплатить") + button(f"{own}/refuse", "Отказаться")

    def _pay(self, invoice: Invoice) -> HttpReply:
        self._book.pay(invoice, invoice.amount_tyiyn)
        return see(f"/pay/{invoice.invoice_id}")

    def _refuse(self, invoice: Invoice) -> HttpReply:
        self._book.refuse(invoice)
        return see(f"/pay/{invoice.invoice_id}")


def _age(invoice: Invoice) -> float:
    return invoice.created_at.timestamp()


def _picture(request: HttpRequest) -> HttpReply:
    text = request.query.get("data", "")
    if not 0 < len(text) <= elqr.QR_TEXT_MAX:
        return HttpReply(400)
    return HttpReply(200, elqr.picture(text), "image/png")
