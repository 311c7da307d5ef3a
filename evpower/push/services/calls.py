"""One POST to a service that delivers, or to one that gives access to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec

from evpower.outgoing_http import kind_of, read_bounded

#: The last resort: the deliverer ends a call earlier.
TIMEOUT = httpx2.Timeout(30, connect=5, pool=10)
LIMITS = httpx2.Limits(max_connections=40, max_keepalive_connections=20, keepalive_expiry=30)
ANSWER_BYTES_MAX = 64 * 1024


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


async def post(http: httpx2.AsyncClient, url: str, content: bytes, headers: Mapping[str, str]) -> ServiceAnswer:
    """Raises ServiceUnanswered."""
    try:
        async with http.stream("POST", url, content=content, headers=dict(headers)) as answer:
            body = await read_bounded(answer, ANSWER_BYTES_MAX)
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
        raise ServiceUnanswered(kind_of(error)) from None
    return ServiceAnswer(answer.status_code, answer.headers.get("Retry-After"), body or b"")
