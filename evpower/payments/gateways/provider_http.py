"""One POST to a provider, and which of the ways it ended (billing/gateway.py).

An exception of the HTTP library carries the request, and that may carry a card: it ends here, only its kind is logged.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from evpower.errors import ConfigError, ProviderFailure, ProviderTimeout, ProviderUnavailable
from evpower.outgoing_http import Transport, kind_of, open_client, read_whole, tls_reason

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
        failure: ProviderFailure
        try:
            async with self._client.stream("POST", self._url, content=content) as answer:
                body, why = await read_whole(answer, self._answer_bytes_max)
                if body is not None:
                    return body
            failure = ProviderTimeout()
        except NOTHING_SENT as error:
            failure, why = ProviderUnavailable(tls=tls_reason(error)), kind_of(error)
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            failure, why = ProviderTimeout(tls=tls_reason(error)), kind_of(error)
        logger.warning("%s: no usable answer (%s): %s", self._name, failure.code, why)
        raise failure


@asynccontextmanager
async def open_http(
    name: str,
    url: str,
    setting: str,
    *,
    content_type: str,
    accept: str,
    context: ssl.SSLContext,
    answer_bytes_max: int,
    transport: Transport | None = None,
) -> AsyncIterator[ProviderHttp]:
    """A client of its own for one provider; `setting` names `url`. Raises ConfigError when the address is none."""
    try:
        httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ConfigError([f"{setting}: is not an address"]) from None
    headers = {"Content-Type": content_type, "Accept": accept}
    # What is signed or secret goes to the configured address alone.
    async with open_client(headers, context, TIMEOUT, LIMITS, transport) as client:
        yield ProviderHttp(name, client, url, answer_bytes_max=answer_bytes_max)
