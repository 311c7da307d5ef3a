"""SMS through a gateway over HTTP: one request as configured, and which of the ways it ended."""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from html import escape
from urllib.parse import quote

import httpx2
import trio

from evpower.clock import RandomBytes
from evpower.identifiers import PhoneNumber
from evpower.outgoing_http import kind_of, open_client
from evpower.settings.sign_in import PLACEHOLDER, SmsSettings
from evpower.sign_in.errors import SmsNotSent, SmsUnanswered

logger = logging.getLogger("security")

#: The last resort: the caller ends a call earlier.
TIMEOUT = httpx2.Timeout(30, connect=5, pool=5)
#: Each call gets its own connection: on one that the gateway has closed, its outcome would be unknown.
LIMITS = httpx2.Limits(max_connections=20, max_keepalive_connections=0)
#: What can only happen before a byte of the request has left.
NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
ANSWER_BYTES_MAX = 64 * 1024
#: Some gateways take a message of the same id twice for one, and none of more characters than 12.
MESSAGE_ID_BYTES = 6


def _in_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _in_address(value: str) -> str:
    return quote(value, safe="")


#: How a value is written where the body's content type, or an address, takes it.
ESCAPES: Mapping[str, Callable[[str], str]] = {
    "application/json": _in_json,
    "application/x-www-form-urlencoded": _in_address,
    "application/xml": escape,
    "text/xml": escape,
}


class GatewaySms:
    """Implements `Sms` by the settings of `[sms]`. What is sent, the code in it, and its secrets are never logged."""

    def __init__(self, settings: SmsSettings, http: httpx2.AsyncClient, random_bytes: RandomBytes) -> None:
        self._settings = settings
        self._http = http
        self._random_bytes = random_bytes

    async def send(self, phone: PhoneNumber, text: str) -> None:
        """One request. Raises SmsNotSent: nothing left, or the gateway said no; SmsUnanswered: anything else."""
        failure: type[SmsNotSent] = SmsUnanswered
        try:
            url, content = self._request(phone, text)
            async with self._http.stream(self._settings.method, url, content=content) as answer:
                body = await _read(answer)
            if answer.is_success and self._settings.accepted in body:
                return
            # A 5xx may have come behind a message that was sent.
            failure = SmsUnanswered if answer.is_server_error else SmsNotSent
            why = f"HTTP {answer.status_code}" if not answer.is_success else "its answer lacks sms.accepted"
        except NOTHING_SENT as error:
            failure, why = SmsNotSent, kind_of(error)
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            why = kind_of(error)
        logger.warning("SMS gateway: no usable answer (%s): %s", failure.__name__, why)
        raise failure

    def _request(self, phone: PhoneNumber, text: str) -> tuple[str, bytes | None]:
        """Its address and body."""
        values = {
            "phone": phone,
            "digits": phone.removeprefix("+"),
            "text": text,
            "secret": self._settings.secret,
            "id": self._random_bytes(MESSAGE_ID_BYTES).hex(),
        }
        url = _filled(self._settings.url, values, _in_address)
        if self._settings.method == "GET":
            return url, None
        content = _filled(self._settings.body, values, ESCAPES[self._settings.content_type])
        return url, content.encode()


def _filled(template: str, values: Mapping[str, str], written: Callable[[str], str]) -> str:
    """Every placeholder once, so that a value with braces in it is not filled again."""
    return re.sub(PLACEHOLDER, lambda found: written(values[found[1]]), template)


async def _read(answer: httpx2.Response) -> str:
    """The body's beginning as text; more of it is not looked at."""
    body = bytearray()
    # Leaving the loop would abandon the library's generators half-way: the next read ends them instead.
    with trio.CancelScope() as reading:
        async for part in answer.aiter_raw():
            body += part
            if len(body) > ANSWER_BYTES_MAX:
                reading.cancel()
    return bytes(body[:ANSWER_BYTES_MAX]).decode(errors="replace")


@asynccontextmanager
async def open_gateway(
    settings: SmsSettings, random_bytes: RandomBytes, context: ssl.SSLContext | None = None
) -> AsyncIterator[GatewaySms]:
    """The gateway with a client of its own; `context` is whom it trusts, the system's authorities by default."""
    headers = {"Content-Type": f"{settings.content_type}; charset=utf-8"}
    if settings.authorization:
        headers["Authorization"] = settings.authorization
    async with open_client(headers, context or ssl.create_default_context(), TIMEOUT, LIMITS) as client:
        yield GatewaySms(settings, client, random_bytes)
