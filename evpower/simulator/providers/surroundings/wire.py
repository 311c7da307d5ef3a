"""HTTP/1.1 on a trio stream, with h11, so that a reply can also be spoiled byte by byte.

No framework: a fault (`faults.py`) needs the stream itself, to reset it, to drip, to stop in the middle, and an outage
needs the listener. h11 knows the protocol and leaves the bytes to us; Hypercorn brings it along anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import h11
import trio

log = logging.getLogger("evpower.simulator.providers")

BODY_BYTES_MAX = 256 * 1024
READ_BYTES = 65536
REASONS = {
    200: "OK",
    303: "See Other",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}

#: Puts the encoded reply on the stream in a way of its own; the connection is not used again.
Delivery = Callable[[trio.abc.Stream, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, whole. `client_name` is the common name of the client's certificate."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    client_name: str | None = None

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The fields of a posted form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What is answered; with `deliver`, how it gets lost on the way."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    deliver: Delivery | None = None


AnswerRequest = Callable[[HttpRequest], Awaitable[HttpReply]]


class TooLarge(Exception):
    """A request body above BODY_BYTES_MAX."""


async def converse(stream: trio.abc.Stream, answer: AnswerRequest) -> None:
    """Answer requests on one connection until it ends; whatever goes wrong in it ends it alone."""
    async with stream:
        try:
            await _converse(stream, answer)
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
            log.debug("a connection broke")
        except Exception:
            log.exception("a request could not be answered")


async def _converse(stream: trio.abc.Stream, answer: AnswerRequest) -> None:
    client_name = await _client_name(stream)
    connection = h11.Connection(h11.SERVER)
    while True:
        try:
            request = await _read(connection, stream, client_name)
        except TooLarge:
            await stream.send_all(_encoded(connection, HttpReply(413)))
            return
        if request is None:
            return
        reply = await answer(request)
        data = _encoded(connection, reply)
        if reply.deliver is not None:
            await reply.deliver(stream, data)
            return
        await stream.send_all(data)
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _client_name(stream: trio.abc.Stream) -> str | None:
    if not isinstance(stream, trio.SSLStream):
        return None
    await stream.do_handshake()
    subject = (stream.getpeercert() or {}).get("subject", ())
    return next((value for part in subject for name, value in part if name == "commonName"), None)


async def _read(connection: h11.Connection, stream: trio.abc.Stream, client_name: str | None) -> HttpRequest | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(READ_BYTES)))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_BYTES_MAX:
                raise TooLarge
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body), client_name)
        else:
            return None


def _request(head: h11.Request, body: bytes, client_name: str | None) -> HttpRequest:
    target = urlsplit(head.target.decode("ascii"))
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return HttpRequest(head.method.decode("ascii"), target.path, query, headers, body, client_name)


def _encoded(connection: h11.Connection, reply: HttpReply) -> bytes:
    headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))), *reply.headers]
    head = h11.Response(status_code=reply.status, headers=headers, reason=REASONS.get(reply.status, "").encode())
    return b"".join(connection.send(event) or b"" for event in (head, h11.Data(data=reply.body), h11.EndOfMessage()))
