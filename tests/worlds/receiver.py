"""An operator's system that takes webhooks: it checks signatures by the text of Standard Webhooks, not by our code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from evpower.clock import ClockWatch
from evpower.webhooks.deliverer import WebhookDeliverer
from evpower.webhooks.service import NewSecret, Webhooks
from tests.worlds.charging import World
from tests.worlds.push_services import Reply, Request, serve_https, trusting


class Receiver:
    """What came, and what the next requests are answered."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.replies: deque[Reply] = deque()
        #: Called when a request has come, before it is answered.
        self.on_request: Callable[[], object] = lambda: None

    async def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        self.on_request()
        return self.replies.popleft() if self.replies else Reply(204)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """In the order of what happened: messages come in any."""
        return sorted((json.loads(request.body) for request in self.requests), key=lambda body: body["sequence"])

    @property
    def events(self) -> list[str]:
        return [body["type"] for body in self.bodies]


def is_signed(request: Request, secret: str, *, now_s: float, tolerance_s: float = 300) -> bool:
    """Whether one of the signatures is right and the message not old."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    head = request.headers
    if abs(now_s - int(head["webhook-timestamp"])) > tolerance_s:
        return False
    signed = b".".join((head["webhook-id"].encode(), head["webhook-timestamp"].encode(), request.body))
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(right, given) for given in head["webhook-signature"].split(" "))


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serve_https(receiver.answer) as receiver.url:
        yield receiver


class Sender:
    """A world's webhooks, to a receiver on this machine."""

    def __init__(self, world: World, receiver: Receiver) -> None:
        self.world = world
        self.receiver = receiver
        self._watch = ClockWatch(world.clock, world.clock.steady_s)
        self.deliverer = WebhookDeliverer(world.pool, self._watch, is_public=lambda _: True, context=trusting())
        self._made = 0
        self.webhooks = Webhooks(world.pool, world.clock, self, self._bytes, look_up=self._public)

    def new(self) -> str:
        self._made += 1
        return str(self._made)

    def new_id_tag(self) -> str:
        raise NotImplementedError

    def _bytes(self, size: int) -> bytes:
        self._made += 1
        return bytes([self._made]) * size

    async def _public(self, host: str, port: int) -> list[str]:
        del host, port
        return ["93.184.216.34"]

    async def add(self, *events: str, path: str = "/hook") -> NewSecret:
        wanted: Sequence[Any] = events or ("session.started", "session.ended", "session.corrected")
        return await self.webhooks.add(self.receiver.url + path, wanted, actor="test")

    async def deliver(self, *, after_s: float = 0) -> None:
        """Time goes by, and what is due is tried once."""
        self.world.clock.advance(after_s)
        await self.deliverer.deliver_due()

    async def rows(self) -> list[dict[str, Any]]:
        return await self.world.sql(
            "SELECT event, state, attempts, last_answer FROM evpower.webhook_deliveries ORDER BY id"
        )
