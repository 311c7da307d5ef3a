"""What every HTTP client of ours does alike: it goes to the set address alone, and reads whole, bounded answers."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2
import msgspec
import trio

#: No service of the kind has more to say.
ANSWER_BYTES_MAX = 64 * 1024

#: What carries requests instead of sockets.
Transport: TypeAlias = httpx2.AsyncBaseTransport


def open_client(
    headers: Mapping[str, str],
    context: ssl.SSLContext,
    timeout: httpx2.Timeout,
    limits: httpx2.Limits,
    transport: Transport | None = None,
) -> httpx2.AsyncClient:
    """A client to be entered: no redirects, proxies or netrc, nothing compressed. A `transport` stands for the net."""
    return httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity", "User-Agent": "EvPower", **headers},
        verify=context,
        timeout=timeout,
        limits=limits,
        transport=transport,
        follow_redirects=False,
        trust_env=False,
    )


def kind_of(error: Exception) -> str:
    """What went wrong, fit for a log: its kind, with the reason when TLS failed. Never its own text: that may carry the
    request.
    """
    reason = tls_reason(error)
    return f"{type(error).__name__}, {reason}" if reason else type(error).__name__


def tls_reason(error: BaseException) -> str:
    """Why TLS failed, as OpenSSL says it, such as "TLS: certificate verify failed: certificate has expired"; "" when it
    did not fail.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: certificate verify failed: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return f"TLS: {cause.reason.lower().replace('_', ' ')}"
        cause = cause.__cause__ or cause.__context__
    return ""


async def read_whole(answer: httpx2.Response, bytes_max: int) -> tuple[bytes | None, str]:
    """The body of an answer with HTTP 200, or None and why it is of no use."""
    if answer.status_code != 200:
        return None, f"HTTP {answer.status_code}"
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return None, "it is compressed, which was not asked for"
    body = await read_bounded(answer, bytes_max)
    return body, "" if body is not None else f"it is longer than {bytes_max} bytes"


async def read_bounded(answer: httpx2.Response, bytes_max: int) -> bytes | None:
    """The body as it comes, whatever its status; None for one that is longer."""
    body = bytearray()
    # Leaving the loop would abandon the library's generators half-way: the next read ends them instead.
    with trio.CancelScope() as reading:
        async for part in answer.aiter_raw():
            body += part
            if len(body) > bytes_max:
                reading.cancel()
    return bytes(body) if len(body) <= bytes_max else None


class ServiceUnanswered(Exception):
    """No answer; the message is the kind of what went wrong."""


@dataclass(frozen=True)
class ServiceAnswer:
    """What a service said; a body that is too long is as good as none."""

    status: int
    retry_after: str | None
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Mapping[str, Any]:
        """The body as an object; an empty one when it is none."""
        try:
            body = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}


async def post(
    http: httpx2.AsyncClient,
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    extensions: Mapping[str, Any] | None = None,
) -> ServiceAnswer:
    """One POST to a service that delivers. Raises ServiceUnanswered."""
    try:
        async with http.stream(
            "POST", url, content=content, headers=dict(headers), extensions=dict(extensions or {})
        ) as answer:
            body = await read_bounded(answer, ANSWER_BYTES_MAX)
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
        raise ServiceUnanswered(kind_of(error)) from None
    return ServiceAnswer(answer.status_code, answer.headers.get("Retry-After"), body or b"")
