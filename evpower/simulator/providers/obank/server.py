"""OBANK's gateway: XML over mutual TLS at one address (contract/payments §3).

What cannot be read is answered by a root `<error>`, and nothing is done. A field the bank would refuse is refused here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from evpower.simulator.providers.obank.cards import PayerCard
from evpower.simulator.providers.obank.operations import Addresses, CardOperation, OperationBook, OperationRefused
from evpower.simulator.providers.obank.replies import error, error_detail, not_found, response, result
from evpower.simulator.providers.surroundings.courier import Letter
from evpower.simulator.providers.surroundings.faults import spoiled
from evpower.simulator.providers.surroundings.surroundings import Surroundings
from evpower.simulator.providers.surroundings.wire import HttpReply, HttpRequest

PATH = "/external/extended-cert"
MEDIA_TYPES = ("application/xml", "text/xml")
INT64_MAX = 2**63 - 1
NAME_MAX, VALUE_MAX, ACCOUNT_MAX = 50, 100, 100
STORED_DAYS_MAX = 14
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
KGS = "417"
#: The form of a notice to `notify_url`; three forms are on record (payments §3.9).
NOTICE_SHAPES = ("form", "get", "xml")

Attributes = dict[str, str]


class ObankServer:
    """The gateway for one point. `notice_shape` is the form of its notices."""

    def __init__(self, point: str, service: str, around: Surroundings, choices: random.Random) -> None:
        self.point = point
        self.service = service
        self.notice_shape = NOTICE_SHAPES[0]
        #: So many status queries are answered -2 although the operation is there (payments U19).
        self.status_misses = 0
        self._around = around
        self.book = OperationBook(around.clock, choices, self._notify)
        self._functions: dict[str, Callable[[Attributes], ET.Element]] = {
            "auth-acquiring": self._payment_page,
            "fetch-operation": self._fetch_operation,
            "stored-cards": self._stored_cards,
        }

    async def answer(self, request: HttpRequest) -> HttpReply:
        """One request of the point."""
        if request.path != PATH:
            return HttpReply(404)
        if request.method != "POST":
            return HttpReply(405, headers=(("Allow", "POST"),))
        if request.media_type not in MEDIA_TYPES:
            return HttpReply(415)
        root = _parsed(request.body)
        command, order = _command_and_order(root)
        fault = self._around.fault("obank", command, order)
        try:
            if fault is not None and not fault.carried_out:
                raise OperationRefused("temporary failure")
            document = self._checked(root, request.client_name)
        except OperationRefused as refusal:
            document = error(refusal.message)
        reply = HttpReply(200, document, "application/xml; charset=utf-8")
        return reply if fault is None else spoiled(reply, fault, self._around.sleep)

    def _checked(self, root: ET.Element | None, client_name: str | None) -> bytes:
        if root is None or root.tag != "request" or len(root) == 0:
            raise OperationRefused("request cannot be read")
        if root.get("point") != self.point or client_name != self.point:
            raise OperationRefused("point is unknown, or the certificate is another point's")
        if {each.tag for each in root} == {"status"}:
            return response(*(self._status(each) for each in root))
        if len(root) != 1:
            raise OperationRefused("one operation at a time")
        operation = root[0]
        if operation.tag == "payment":
            return response(self._payment(operation))
        if operation.tag == "cancel":
            return response(self._cancel(operation))
        if operation.tag == "advanced" and operation.get("function") in self._functions:
            self._check_service(operation)
            return response(self._functions[operation.get("function", "")](_attributes(operation)))
        raise OperationRefused("operation is unknown")

    def _check_service(self, element: ET.Element) -> None:
        if element.get("service") != self.service:
            raise OperationRefused("service is unknown")

    def _payment(self, element: ET.Element) -> ET.Element:
        number, amount = _number(element.get("id")), _number(element.get("sum"))
        attributes = _attributes(element)
        self._check_service(element)
        if element.get("check") != "0" or not DATE.fullmatch(element.get("date", "")):
            raise OperationRefused("check or date is wrong")
        if element.get("account") is None or len(element.get("account", "")) > ACCOUNT_MAX:
            raise OperationRefused("account is wrong")
        if attributes.get("amount_currency") != KGS:
            raise OperationRefused("amount_currency is wrong")
        token = attributes.get("card-token") or attributes.get("card_token")
        card = None if token else _card(attributes)
        # Once used, a number is this operation for ever, whatever else is sent with it (payments U18).
        if number in self.book.by_number:
            return self._result(self.book.by_number[number])
        operation = self.book.open(number, amount, self.service, _addresses(attributes))
        if card is not None:
            self.book.charge(operation, card)
        else:
            self.book.charge_stored(operation, token or "")
        return self._result(operation)

    def _result(self, operation: CardOperation) -> ET.Element:
        inputs = {"auth-key": operation.auth_key}
        if operation.pa_req is not None:
            acs = f"{self._around.page_url}/acs?{urlencode({'MD': operation.md})}"
            inputs |= {"acs-url": acs, "pa-req": operation.pa_req, "md": operation.md}
            inputs |= {"term-url": operation.addresses.redirect_url or ""}
        return result(operation, self._around.clock.local(), inputs)

    def _status(self, element: ET.Element) -> ET.Element:
        number = _number(element.get("id"))
        operation = self.book.by_number.get(number)
        if operation is None or self.status_misses > 0:
            self.status_misses = max(0, self.status_misses - 1)
            return not_found(number, self._around.clock.local())
        self.book.advance(operation)
        return result(operation, self._around.clock.local(), {"auth-key": operation.auth_key})

    def _cancel(self, element: ET.Element) -> ET.Element:
        number = _number(element.get("id"))
        operation = self.book.by_number.get(number)
        if operation is None:
            return not_found(number, self._around.clock.local())
        amount = _number(element.get("sum")) if "sum" in element.keys() else None  # noqa: SIM118 - no mapping
        try:
            self.book.cancel(operation, amount)
        except OperationRefused as refusal:
            return error_detail(1, refusal.message)
        return result(operation, self._around.clock.local(), {})

    def _payment_page(self, attributes: Attributes) -> ET.Element:
        number, amount = _number(attributes.get("id") or attributes.get("order_id")), _number(attributes.get("sum"))
        if attributes.get("amount_currency") != KGS:
            raise OperationRefused("amount_currency is wrong")
        operation = self.book.by_number.get(number)
        if operation is None:
            operation = self.book.open(number, amount, self.service, _addresses(attributes))
        inputs = {"pay-url": f"{self._around.page_url}/card/{operation.auth_key}", "auth-key": operation.auth_key}
        return result(operation, self._around.clock.local(), inputs)

    def _fetch_operation(self, attributes: Attributes) -> ET.Element:
        operation = self.book.find(attributes.get("key", ""))
        self.book.advance(operation)
        inputs = {"status": operation.status_text, "sum": str(operation.sum), "auth-key": operation.auth_key}
        return result(operation, self._around.clock.local(), inputs)

    def _stored_cards(self, attributes: Attributes) -> ET.Element:
        days = _number(attributes.get("days", str(STORED_DAYS_MAX)))
        if days > STORED_DAYS_MAX:
            raise OperationRefused("days is more than 14")
        stored = self.book.page_for_card(days)
        element = ET.Element("result", {"state": "60", "substate": "0", "code": "0", "final": "1"})
        data = ET.SubElement(element, "data")
        for key, value in (("url", f"{self._around.page_url}/store/{stored.token}"), ("token", stored.token)):
            ET.SubElement(data, "input", {"key": key, "value": value})
        return element

    def _notify(self, operation: CardOperation) -> None:
        letter = self.letter(operation)
        if letter is not None:
            self._around.send(letter)

    def letter(self, operation: CardOperation) -> Letter | None:
        """The unsigned notice of a change; None without `notify_url`."""
        url, order = operation.addresses.notify_url, str(operation.number)
        if url is None:
            return None
        if self.notice_shape == "xml":
            root = ET.Element("notification")
            for name, value in (("invoice_id", order), ("status", operation.status_text), ("sum", str(operation.sum))):
                ET.SubElement(root, name).text = value
            body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
            return Letter("obank", order, "POST", url, body, "application/xml; charset=utf-8")
        fields = {"id": operation.trans, "order.id": order, "refNo": operation.auth_key, "state": operation.state}
        notice = urlencode(fields)
        if self.notice_shape == "get":
            return Letter("obank", order, "GET", f"{url}{'&' if '?' in url else '?'}{notice}")
        return Letter("obank", order, "POST", url, notice.encode(), "application/x-www-form-urlencoded")


def _parsed(body: bytes) -> ET.Element | None:
    """The document; None for what is none, and for one that defines entities."""
    if b"<!" in body:
        return None
    try:
        return ET.fromstring(body)
    except ET.ParseError:
        return None


def _command_and_order(root: ET.Element | None) -> tuple[str, str]:
    """The command and the operation of whatever was sent, for faults and for the log; never card data."""
    if root is None or len(root) == 0:
        return "", ""
    first = root[0]
    if first.tag != "advanced":
        return first.tag, first.get("id", "")
    named = {each.get("name"): each.get("value", "") for each in first}
    return first.get("function", ""), named.get("id") or named.get("order_id") or named.get("key") or ""


def _attributes(element: ET.Element) -> Attributes:
    """The `<attribute name value/>` children. Raises Refused beyond the platform's limits."""
    found: Attributes = {}
    for child in element:
        name, value = child.get("name"), child.get("value")
        if child.tag != "attribute" or not name or value is None or len(name) > NAME_MAX or len(value) > VALUE_MAX:
            raise OperationRefused(f"attribute {(name or '')[:NAME_MAX]} cannot be taken")
        found[name] = value
    return found


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or not 0 < int(text) <= INT64_MAX:
        raise OperationRefused("id, sum or days is no positive number")
    return int(text)


def _card(attributes: Attributes) -> PayerCard:
    try:
        return PayerCard(
            pan=attributes["card_pan"],
            year=attributes["card_year"],
            month=attributes["card_month"],
            cvv=attributes["card_cvv"],
            holder=attributes["card_name"],
        )
    except KeyError as missing:
        raise OperationRefused(f"attribute {missing.args[0]} is missing") from None


def _addresses(attributes: Attributes) -> Addresses:
    return Addresses(
        notify_url=attributes.get("notify_url"),
        redirect_url=attributes.get("redirect_url"),
        success_url=attributes.get("redirect_success_url"),
        fail_url=attributes.get("redirect_fail_url"),
    )
