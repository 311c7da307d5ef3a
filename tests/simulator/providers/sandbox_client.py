"""A merchant's side of both providers, written from contract/payments §2-3: it shares no code with the sandbox."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import h11
import httpx2
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from evpower.simulator.providers.sandbox import Sandbox

SECRET, SID = "sandbox-secret-0001", "1000000042"
NOW = datetime(2025, 9, 30, 12, 0, tzinfo=UTC)
CARD = {"card_pan": "4169585512345678", "card_name": "TEST CARD", "card_cvv": "123"}
CARD |= {"card_year": "25", "card_month": "12"}


class SetClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Waits:
    """Sleeping that ends when the test says so; `asked` is for how long."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = trio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def signature(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.md5).hexdigest()


def envelope(command: str, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    message = {"cmd": command, "version": 1005, "sid": SID, "mktime": "1759233600000", "lang": "ru", "data": data}
    return {**message, **changes}


def signed(text: str, secret: str = SECRET) -> bytes:
    """The canonical text with its hash appended."""
    return f'{text[:-1]},"hash":"{signature(text, secret)}"}}'.encode()


class Merchant:
    """Talks to one sandbox."""

    def __init__(self, sandbox: Sandbox, http: httpx2.AsyncClient) -> None:
        self.sandbox = sandbox
        self.http = http

    async def post(self, body: bytes, content_type: str = "application/json; charset=utf-8") -> httpx2.Response:
        return await self.http.post(self.sandbox.odengi_url, content=body, headers={"Content-Type": content_type})

    async def odengi(self, command: str, **data: Any) -> dict[str, Any]:
        """The reply's `data`."""
        response = await self.post(signed(compact(envelope(command, data))))
        assert response.status_code == 200
        answered: dict[str, Any] = response.json()["data"]
        return answered

    async def invoice(self, order_id: str = "tu_1", **data: Any) -> dict[str, Any]:
        fields = {"order_id": order_id, "desc": "Пополнение баланса", "amount": 10000, "currency": "KGS", **data}
        return await self.odengi("createInvoice", **fields)

    async def status(self, order_id: str = "tu_1") -> dict[str, Any]:
        return await self.odengi("statusPayment", order_id=order_id)

    async def control(self, path: str, **fields: Any) -> Any:
        response = await self.http.post(f"{self.sandbox.page_url}/control{path}", json=fields)
        assert response.status_code == 200, response.text
        return response.json()


class Point:
    """OBANK's client, with a certificate."""

    def __init__(self, sandbox: Sandbox, context: ssl.SSLContext) -> None:
        self.sandbox = sandbox
        self.http = httpx2.AsyncClient(verify=context, trust_env=False)

    async def post(self, body: bytes, content_type: str = "application/xml; charset=utf-8") -> httpx2.Response:
        return await self.http.post(self.sandbox.obank_url, content=body, headers={"Content-Type": content_type})

    async def ask(self, operation: ET.Element, *, point: str = "4354") -> ET.Element:
        """The reply's root."""
        root = ET.Element("request", {"point": point})
        root.append(operation)
        response = await self.post(ET.tostring(root, encoding="utf-8"))
        assert response.status_code == 200
        return ET.fromstring(response.content)

    async def pay(self, number: int = 1, attributes: Mapping[str, str] = CARD) -> dict[str, str]:
        return flat(await self.ask(payment(number, attributes)))

    async def status(self, number: int = 1) -> dict[str, str]:
        return flat(await self.ask(ET.Element("status", {"id": str(number)})))

    async def advanced(self, function: str, **attributes: str) -> dict[str, str]:
        element = ET.Element("advanced", {"service": "1331", "function": function})
        return flat(await self.ask(with_attributes(element, attributes)))

    async def cancel(self, number: int, **attributes: str) -> ET.Element:
        return await self.ask(ET.Element("cancel", {"id": str(number), **attributes}))


def payment(number: int, attributes: Mapping[str, str], sum: int = 10000) -> ET.Element:
    head = {"id": str(number), "sum": str(sum), "check": "0", "service": "1331"}
    element = ET.Element("payment", {**head, "date": "2025-09-30T18:00:00+0600", "account": "5678"})
    return with_attributes(element, {"amount_currency": "417", **attributes})


def with_attributes(element: ET.Element, attributes: dict[str, str]) -> ET.Element:
    for name, value in attributes.items():
        ET.SubElement(element, "attribute", {"name": name, "value": value})
    return element


def flat(response: ET.Element) -> dict[str, str]:
    """The attributes of the one result, its inputs and attributes among them."""
    assert response.tag == "response", ET.tostring(response, encoding="unicode")
    (result,) = response.findall("result")
    inputs = {each.get("key", ""): each.get("value", "") for each in result.iterfind("data/input")}
    named = {each.get("name", ""): each.get("value", "") for each in result.iterfind("attribute")}
    return {**result.attrib, **inputs, **named}


def trusting(sandbox: Sandbox) -> ssl.SSLContext:
    """Trusts the sandbox and shows nothing."""
    return ssl.create_default_context(cafile=str(sandbox.authority_file))


def showing(sandbox: Sandbox, point_file: bytes, password: str) -> ssl.SSLContext:
    """Shows the certificate of a PKCS#12 file."""
    context = trusting(sandbox)
    key, certificate, _ = pkcs12.load_key_and_certificates(point_file, password.encode())
    assert key is not None
    assert certificate is not None
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(pem))
        file.flush()
        context.load_cert_chain(file.name)
    return context


@asynccontextmanager
async def own_point(sandbox: Sandbox) -> AsyncIterator[Point]:
    context = showing(sandbox, sandbox.point_file.read_bytes(), sandbox.certificate_password)
    point = Point(sandbox, context)
    async with point.http:
        yield point


class Webhook:
    """The merchant's server: takes what comes, answers 200."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self._sandbox = sandbox
        self.url = url
        self.requests: list[tuple[str, str, bytes]] = []

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.requests]

    async def wait_for(self, count: int) -> None:
        """Until the sandbox has carried that many letters, lost ones among them."""
        await self._sandbox.courier.wait_until(lambda: len(self._sandbox.courier.delivered) >= count)


async def serve_webhook(sandbox: Sandbox, *, task_status: trio.TaskStatus[Webhook] = trio.TASK_STATUS_IGNORED) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    webhook = Webhook(sandbox, f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/webhook")
    task_status.started(webhook)
    await trio.serve_listeners(partial(_take, webhook), listeners)


async def _take(webhook: Webhook, stream: trio.SocketStream) -> None:
    async with stream:
        connection = h11.Connection(h11.SERVER)
        head, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(bytes(await stream.receive_some()))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return
        assert head is not None
        webhook.requests.append((head.method.decode(), head.target.decode(), body))
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
