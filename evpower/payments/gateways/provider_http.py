"""One POST to a provider, and which of the ways it ended (billing/gateway.py).

An exception of the HTTP library carries the request, and that may carry a card: it ends here, only its kind is logged.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import trio

from evpower.errors import ConfigError, ProviderFailure, ProviderTimeout, ProviderUnavailable

logger = logging.getLogger("payment")

#: The last resort: callers end a call earlier (contract/payments §6).
TIMEOUT = httpx2.Timeout(30, connect=5, pool=5)
#: An idle connection that the provider has closed would make the outcome of the next call unknown: each call gets its
#: own.
LIMITS = httpx2.Limits(max_connections=50, max_keepalive_connections=0)
#: What can only happen before a byte of the request has left.
NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class ProviderHttp:
    """A provider's one address. Only a whole answer with HTTP 200 is an answer: all else is an unknown outcome."""

    def __init__(self, name: str, client: httpx2.AsyncClient, url: str, *, answer_bytes_max: int) -> None:
        self._name = name
        self._client = client
        self._url = url
        self._answer_bytes_max = answer_bytes_max

    async def post(self, content: bytes) -> bytes:
        """The answer's body. Raises ProviderUnavailable and ProviderTimeout."""
        failure: type[ProviderFailure] = ProviderTimeout
        try:
            async with self._client.stream("POST", self._url, content=content) as answer:
                body, why = await self._read(answer)
                if body is not None:
                    return body
        except NOTHING_SENT as error:
            failure, why = ProviderUnavailable, type(error).__name__
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            why = type(error).__name__
        logger.warning("%s: no usable answer (%s): %s", self._name, failure.code, why)
        raise failure

    async def _read(self, answer: httpx2.Response) -> tuple[bytes | None, str]:
        """The body, or None and why it is of no use."""
        if answer.status_code != 200:
            return None, f"HTTP {answer.status_code}"
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            return None, "it is compressed, which was not asked for"
        body = bytearray()
        # Leaving the loop would abandon the library's generators half-way: the next read ends them instead.
        with trio.CancelScope() as reading:
            async for part in answer.aiter_raw():
                body += part
                if len(body) > self._answer_bytes_max:
                    reading.cancel()
        if len(body) > self._answer_bytes_max:
            return None, f"it is longer than {self._answer_bytes_max} bytes"
        return bytes(body), ""


@asynccontextmanager
async def open_http(
    name: str, url: str, setting: str, *, content_type: str, accept: str, context: ssl.SSLContext, answer_bytes_max: int
) -> AsyncIterator[ProviderHttp]:
    """A client of its own for one provider; `setting` names `url`. Raises ConfigError when the address is none."""
    try:
        httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ConfigError([f"{setting}: is not an address"]) from None
    headers = {
        "Content-Type": content_type,
        "Accept": accept,
        "Accept-Encoding": "identity",
        "User-Agent": "EvPower",
    }
    # No redirects, proxies or netrc: what is signed or secret goes to the configured address alone.
    async with httpx2.AsyncClient(
        headers=headers, verify=context, timeout=TIMEOUT, limits=LIMITS, follow_redirects=False, trust_env=False
    ) as client:
        yield ProviderHttp(name, client, url, answer_bytes_max=answer_bytes_max)
