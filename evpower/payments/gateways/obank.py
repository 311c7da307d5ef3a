"""OBANK: cards, over mutual TLS (contract/payments §3)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from evpower.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.money import TYIYN_PER_SOM
from evpower.payments.gateway import (
    Card,
    CardAnswer,
    HostedPage,
    Notice,
    OrderState,
    OrderStatus,
    Payer,
    Payment,
    ProviderOrder,
)
from evpower.payments.gateways.obank_answers import (
    CURRENCY_NUMBER,
    card_answer,
    fetched_status,
    given_back_tyiyn,
    hosted_page,
    numbers_of,
    state_of,
    status_of,
)
from evpower.payments.gateways.obank_notice import notify_token, read_notice
from evpower.payments.gateways.obank_xml import Result, UnreadableXml, element, request, results
from evpower.payments.gateways.provider_http import ProviderHttp
from evpower.settings.payments import OBANK_NOTICE_PATH, ObankSettings

logger = logging.getLogger("payment")

ZONE = ZoneInfo("Asia/Bishkek")
RETURN_PATH = "/api/v1/payment/3ds-return"
#: The payer's place as the platform wants it; we know no other (contract/payments §3.4).
PLACE = {"city": "BISHKEK", "country_code": "KGZ"}


class Obank:
    """The gateway. No answer, or one that is not about our operation, is an unknown outcome, never a decline."""

    name = "OBANK"

    def __init__(self, settings: ObankSettings, http: ProviderHttp, *, public_url: str) -> None:
        """Without a `public_url` it is asked neither to call us nor to send the payer back."""
        self._settings = settings
        self._http = http
        self._public_url = public_url

    async def pay(self, order: ProviderOrder, card: Card, payer: Payer) -> CardAnswer:
        """Charge a card entered through our API. ProviderUnavailable while that is off (design §9.4)."""
        if not self._settings.h2h:
            raise ProviderUnavailable
        return await self._pay(
            order,
            card.pan[-4:],
            {
                "card_pan": card.pan,
                "card_name": card.holder,
                "card_cvv": card.cvv,
                "card_year": card.year,
                "card_month": card.month,
            },
            payer,
        )

    async def pay_with_token(self, order: ProviderOrder, token: str, payer: Payer) -> CardAnswer:
        """Charge a card the bank has stored."""
        return await self._pay(order, "", {"card-token": token}, payer)

    async def store_card(self, days: int) -> HostedPage:
        """A page where a person stores a card."""
        return await self._page("stored-cards", {"days": days})

    async def status(self, order: ProviderOrder) -> OrderStatus:
        """What became of the order: by our number, and when that is not known there, by the bank's own key."""
        result = await self._operation("status", order, element("status", {"id": order.number}))
        status = status_of(result, self._settings.minor_units_per_som)
        key = order.invoice_id
        if status.state is not OrderState.NOT_FOUND or key in (None, str(order.number), order.order_id):
            return status
        asked = element("advanced", self._function("fetch-operation"), {"key": key})
        for fetched in await self._results("fetch-operation", asked):
            return fetched_status(fetched, self._settings.minor_units_per_som)
        raise self._unreadable("fetch-operation")

    async def cancel(self, order: ProviderOrder) -> None:
        """Nothing: here `<cancel>` of what was paid meanwhile is a refund. The order ends by its lifetime."""

    async def refund(self, order: ProviderOrder, payment: Payment, amount_tyiyn: int) -> None:
        """Give back money of this order; ProviderTimeout also while the bank is still about it."""
        operation = element("cancel", {"id": order.number, "sum": self._sum(amount_tyiyn)})
        result = await self._operation("cancel", order, operation)
        state = state_of(result)
        given_back = given_back_tyiyn(result, self._settings.minor_units_per_som) or 0
        if state is OrderState.APPROVED or (state is OrderState.CANCELED and given_back >= amount_tyiyn):
            return
        logger.warning("%s: refund of order %s: %s", self.name, order.order_id, numbers_of(result))
        # A rejected operation may be one that was given back: its code does not show which.
        raise ProviderError if state is OrderState.NOT_FOUND else ProviderTimeout

    def read_notice(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Notice:
        """A hint, its token checked; the route puts the token of the path into `query` as NOTIFY_TOKEN."""
        return read_notice(body, headers, query, notify_key=self._settings.notify_key)

    def notify_token(self, order: ProviderOrder) -> str:
        """Ends the address of this order's notices; empty, and no address given, without a notify key."""
        return notify_token(self._settings.notify_key, order.number) if self._settings.notify_key else ""

    async def _pay(self, order: ProviderOrder, account: str, paid_by: Mapping[str, str], payer: Payer) -> CardAnswer:
        operation = element(
            "payment",
            {
                "id": order.number,
                "sum": self._sum(order.amount_tyiyn),
                "check": 0,
                "service": self._settings.service,
                "date": order.created_at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S%z"),
                "account": account,
            },
            {
                "amount_currency": CURRENCY_NUMBER,
                **self._addresses(order),
                **paid_by,
                "email": payer.email,
                "phone_number": payer.phone or "",
                **PLACE,
            },
        )
        result = await self._operation("payment", order, operation)
        return card_answer(result, self._settings.minor_units_per_som)

    async def _page(self, function: str, values: Mapping[str, object]) -> HostedPage:
        for result in await self._results(function, element("advanced", self._function(function), values)):
            page = hosted_page(result)
            if page is not None:
                return page
            if state_of(result) is OrderState.CANCELED:
                logger.warning("%s: %s refused: %s", self.name, function, numbers_of(result))
                raise ProviderError
        raise self._unreadable(function)

    async def _operation(self, name: str, order: ProviderOrder, operation: Element) -> Result:
        """The result of this order's operation; another's is no answer."""
        for result in await self._results(name, operation):
            if result.attributes.get("id") == str(order.number) and "state" in result.attributes:
                return result
        raise self._unreadable(name)

    async def _results(self, name: str, operation: Element) -> list[Result]:
        body = await self._http.post(request(self._settings.point, operation))
        with suppress(UnreadableXml):
            return results(body)
        raise self._unreadable(name)

    def _unreadable(self, name: str) -> ProviderTimeout:
        """The content is not logged: it may echo the card."""
        logger.warning("%s: the answer to %s is unreadable", self.name, name)
        return ProviderTimeout()

    def _function(self, function: str) -> dict[str, object]:
        return {"service": self._settings.service, "function": function}

    def _sum(self, amount_tyiyn: int) -> int:
        return amount_tyiyn * self._settings.minor_units_per_som // TYIYN_PER_SOM

    def _addresses(self, order: ProviderOrder) -> dict[str, object]:
        """Where the bank calls us and sends the payer's browser, as far as we can be reached."""
        if not self._public_url:
            return {}
        addresses: dict[str, object] = {"redirect_url": self._public_url + RETURN_PATH}
        token = self.notify_token(order)
        return {"notify_url": f"{self._public_url}{OBANK_NOTICE_PATH}{token}", **addresses} if token else addresses
