"""The sandbox's control interface: JSON under /control, apart from both providers' wires (docs/sandbox.md)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from evpower.errors import EvPowerError
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.courier import WebhookFault
from evpower.simulator.providers.surroundings.faults import Fault, WrongControl, known_provider
from evpower.simulator.providers.surroundings.wire import HttpReply, HttpRequest

ControlFields = dict[str, Any]
PREFIX = "/control"


class Control:
    """Does what the methods of `Sandbox` do, for callers that have only a socket."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._shown: dict[str, Callable[[HttpRequest], Any]] = {
            "": lambda _: sandbox.shown(),
            "/received": self._received,
            "/webhooks": lambda _: [each.shown() for each in sandbox.courier.delivered],
        }
        self._done: dict[str, Callable[[ControlFields], Awaitable[Any]]] = {
            "/faults": self._add_fault,
            "/faults/clear": self._clear,
            "/webhook-faults": self._add_webhook_fault,
            "/webhooks/again": self._again,
            "/outage": self._outage,
            "/behaviour": self._behave,
            "/odengi": self._act_on_invoice,
            "/obank": self._act_on_operation,
        }

    async def answer(self, request: HttpRequest) -> HttpReply:
        """A look (GET), or something done (POST of a JSON object)."""
        path = request.path.removeprefix(PREFIX).rstrip("/")
        try:
            if request.method == "GET" and path in self._shown:
                return _json(self._shown[path](request))
            if request.method == "POST" and path in self._done:
                return _json(await self._done[path](_fields(request)))
        except (EvPowerError, TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"error": "no such control"}, 404)

    def _received(self, request: HttpRequest) -> list[ControlFields]:
        names = ("provider", "command", "order")
        asked = {name: request.query.get(name) for name in names}
        return [each.shown() for each in self._sandbox.received.entries(**asked)]

    async def _add_fault(self, fields: ControlFields) -> ControlFields:
        self._sandbox.faults.add(Fault(**fields))
        return self._pending()

    async def _add_webhook_fault(self, fields: ControlFields) -> ControlFields:
        self._sandbox.courier.faults.append(WebhookFault(**fields))
        return self._pending()

    async def _clear(self, fields: ControlFields) -> ControlFields:
        await self._sandbox.heal()
        return self._pending()

    async def _again(self, fields: ControlFields) -> ControlFields:
        self._sandbox.courier.again(int(fields.get("number", 0)))
        return {"ok": True}

    async def _outage(self, fields: ControlFields) -> ControlFields:
        await self._sandbox.outage(known_provider(str(fields.get("provider"))), on=fields.get("on") is not False)
        return {"ok": True}

    async def _behave(self, fields: ControlFields) -> ControlFields:
        return self._sandbox.behave(**fields)

    async def _act_on_invoice(self, fields: ControlFields) -> ControlFields:
        return self._sandbox.act_on_invoice(**fields)

    async def _act_on_operation(self, fields: ControlFields) -> ControlFields:
        return self._sandbox.act_on_operation(**fields)

    def _pending(self) -> ControlFields:
        return {
            "faults": [asdict(each) for each in self._sandbox.faults.pending],
            "webhook_faults": [asdict(each) for each in self._sandbox.courier.faults],
        }


def _fields(request: HttpRequest) -> ControlFields:
    """Raises WrongControl. The content type is insisted on so that no page in a browser can post here."""
    if request.media_type != "application/json":
        raise WrongControl("send a JSON object as application/json")
    fields = json.loads(request.body or b"{}")
    if not isinstance(fields, dict):
        raise WrongControl("send a JSON object")
    return fields


def _json(data: object, status: int = 200) -> HttpReply:
    text = json.dumps(data, ensure_ascii=False, default=str)
    return HttpReply(status, text.encode() + b"\n", "application/json; charset=utf-8")
