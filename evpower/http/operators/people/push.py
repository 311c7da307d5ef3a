"""Messages to phones: below the administrators' door and on the control socket (history-favorites-push §5)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.errors import NotFound
from evpower.http.operators.shapes.push import PushStatusBody, PushTestBody, push_status_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import Resolve, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.requests import client_id_in_path, read_object
from evpower.http.wire.rights import needs
from evpower.push.graph import Push
from evpower.push.recipient import Recipient
from evpower.staff.rights import Right

OFF = "Сообщения на телефоны выключены: в разделе [push] нет ключей"
WITHIN_S = 20


def push_admin_routes(push: Push, resolve: Resolve) -> Blueprint:
    """`/push`, `POST /push/test/{client_id}`; 404 while nothing is set up. `resolve`: whose an id is (identity §2)."""
    routes = Blueprint("push_admin", __name__, url_prefix="/push")

    @routes.get("")
    @needs(Right.CLIENTS)
    @described("How messages to phones fare", data=PushStatusBody)
    async def status() -> Response:
        _must_be_on(push)
        with trio.fail_after(WITHIN_S):
            return written_data(push_status_body(await push.figures()))

    @routes.post("/test/<client_id>")
    @needs(Right.CLIENTS)
    @described("Send a test to a client's devices", data=PushTestBody)
    async def test(client_id: str) -> Response:
        _must_be_on(push)
        refuse_actor(await read_object())
        known_id = resolve(client_id_in_path(client_id))
        with trio.fail_after(WITHIN_S):
            sent_to = await push.test(Recipient("client", known_id))
        return written_data({"client_id": known_id, "sent_to": sent_to})

    return routes


def _must_be_on(push: Push) -> None:
    if not push.devices.rules.is_on:
        raise NotFound(OFF, reason="push_off")
