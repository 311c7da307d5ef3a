"""OBANK's pages for the payer: 3-D Secure, the hosted payment page, storing a card (contract/payments §3.5, §3.7)."""

from __future__ import annotations

from html import escape

from evpower.simulator.providers.obank import cards
from evpower.simulator.providers.obank.cards import PayerCard
from evpower.simulator.providers.obank.operations import DONE, CardOperation, OperationBook, OperationRefused
from evpower.simulator.providers.surroundings.html import button, hidden_field, page, see, som, text_field
from evpower.simulator.providers.surroundings.wire import HttpReply, HttpRequest

TITLE = "OBANK (песочница)"
HINT = (
    f"<p>Тестовые карты: {cards.SUCCESS_PAN} (успех, TEST CARD), {cards.CHALLENGE_PAN} (3-D Secure), "
    f"{cards.DECLINED_PAN} (отказ); срок {cards.MONTH}/{cards.YEAR}, CVV {cards.CVV}.</p>"
)


class CardPages:
    """What the payer's browser sees of the bank."""

    def __init__(self, book: OperationBook) -> None:
        self._book = book

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """A page of the bank; None when the address is not one of its own."""
        try:
            match request.method, *request.path.strip("/").split("/"):
                case "GET" | "POST", "acs":
                    return self._challenge({**request.query, **request.form()})
                case "POST", "acs", "answer":
                    return self._answered(request.form())
                case "GET", "card", key:
                    return self._card_form(self._book.find(key))
                case "POST", "card", key:
                    return self._pay(self._book.find(key), _card(request.form()))
                case "GET", "store", token:
                    return self._store_form(token)
                case "POST", "store", token:
                    return self._store(token, _card(request.form()))
        except OperationRefused:
            return page(TITLE, "<p>Операция не найдена или уже завершена.</p>", 404)
        return None

    def _challenge(self, fields: dict[str, str]) -> HttpReply:
        """Asks for the code; a merchant may post PaReq and TermUrl with MD, or only send the browser here."""
        operation = self._book.find(fields.get("MD", ""))
        pa_req = fields.get("PaReq", operation.pa_req)
        term_url = fields.get("TermUrl", operation.addresses.redirect_url or "")
        if operation.pa_req is None or pa_req != operation.pa_req:
            return page(TITLE, "<p>Проверка не нужна или уже пройдена.</p>", 400)
        hidden = hidden_field("MD", operation.md) + hidden_field("TermUrl", term_url)
        form = (
            f'<form method="post" action="/acs/answer">{hidden}{text_field("code", "Код из SMS (подойдёт любой)")}'
            '<button name="act" value="confirm">Подтвердить</button> '
            '<button name="act" value="refuse">Отказаться</button></form>'
        )
        return page("3-D Secure (песочница)", f"<p>Оплата {som(operation.sum)}</p>{form}")

    def _answered(self, fields: dict[str, str]) -> HttpReply:
        operation = self._book.find(fields.get("MD", ""))
        if operation.pa_req is None:
            raise OperationRefused("no challenge is open")
        refused = fields.get("act") == "refuse"
        if not refused and not fields.get("code", "").strip():
            return page(TITLE, "<p>Введите код.</p>", 400)
        if refused:
            self._book.decline(operation)
        else:
            self._book.approve(operation)
        answer = {"PaRes": f"sandbox-{'N' if refused else 'Y'}", "MD": operation.md}
        term_url = fields.get("TermUrl", "")
        back = button(term_url, "Вернуться в магазин", answer) if term_url else ""
        return page("3-D Secure (песочница)", f"<p>{'Отказано' if refused else 'Подтверждено'}.</p>{back}")

    def _card_form(self, operation: CardOperation) -> HttpReply:
        form = _form(f"/card/{operation.auth_key}", "Оплатить")
        body = form if not operation.is_final else "<p>Операция завершена.</p>"
        return page(TITLE, f"<p>Оплата {som(operation.sum)}</p>{body}")

    def _pay(self, operation: CardOperation, card: PayerCard) -> HttpReply:
        if operation.is_final or operation.card_mask:
            raise OperationRefused("operation has its card")
        self._book.charge(operation, card)
        if operation.pa_req is not None:
            return see(f"/acs?MD={operation.md}")
        done = operation.state == DONE or bool(operation.ahead)
        addresses = operation.addresses
        back = (addresses.success_url if done else addresses.fail_url) or addresses.redirect_url
        if back:
            return see(back)
        return page(TITLE, f"<p>{'Оплачено' if done else escape(cards.TEXTS[operation.code])}.</p>")

    def _store_form(self, token: str) -> HttpReply:
        self._book.stored(token)
        return page(TITLE, f"<p>Сохранение карты</p>{_form(f'/store/{token}', 'Сохранить')}")

    def _store(self, token: str, card: PayerCard) -> HttpReply:
        stored = self._book.store(token, card)
        return page(TITLE, f"<p>Карта {escape(stored.card_mask)} сохранена. Токен: <code>{stored.token}</code></p>")


def _form(action: str, text: str) -> str:
    fields = (
        text_field("pan", "Номер карты")
        + text_field("month", "Месяц (MM)", cards.MONTH)
        + text_field("year", "Год (YY)", cards.YEAR)
        + text_field("cvv", "CVV")
        + text_field("holder", "Имя", cards.HOLDER)
    )
    return f'{HINT}<form method="post" action="{escape(action)}">{fields}<button>{escape(text)}</button></form>'


def _card(fields: dict[str, str]) -> PayerCard:
    pan = fields.get("pan", "").replace(" ", "")
    return PayerCard(
        pan, fields.get("year", ""), fields.get("month", ""), fields.get("cvv", ""), fields.get("holder", "")
    )
