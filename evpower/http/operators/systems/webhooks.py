"""Webhooks to operators' systems: below the administrators' door and on the control socket (partner-api-ocpi)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import trio
from quart import Blueprint, Response, request

from evpower.digits import INT32_MAX
from evpower.http.operators.shapes.webhooks import (
    WebhookBody,
    WebhookDeliveryBody,
    secret_body,
    webhook_body,
    webhook_delivery_body,
)
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT, FieldKind, WrongValue, one_of, whole
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs
from evpower.staff.rights import Right
from evpower.webhooks.endpoint import WebhookEvent
from evpower.webhooks.service import Webhooks

#: A name is looked up.
WITHIN_S = 20
EVENT_NAMES: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
WRONG_EVENTS = "нужен список событий: " + ", ".join(EVENT_NAMES)


@dataclass(frozen=True)
class WebhookOrder:
    """What an endpoint is made of."""

    url: str
    events: Sequence[WebhookEvent]


def _read_events(value: Any) -> Sequence[WebhookEvent]:
    if not isinstance(value, list) or not value:
        raise WrongValue(WRONG_EVENTS)
    events = [name for name in EVENT_NAMES if name in value]
    if len(events) != len(value):
        raise WrongValue(WRONG_EVENTS)
    return events


EVENTS = FieldKind(
    {"type": "array", "items": {"enum": list(EVENT_NAMES)}, "minItems": 1, "uniqueItems": True}, _read_events
)


def webhook_order(fields: BodyFields) -> WebhookOrder:
    """`events`: all when there are none. Raises InvalidRequest."""
    url, events = fields.required("url", TEXT), fields.optional("events", EVENTS)
    fields.check()
    assert url is not None
    return WebhookOrder(url, events or EVENT_NAMES)


def deliveries_query(fields: BodyFields) -> str | None:
    """`?state=`. Raises InvalidRequest."""
    state = fields.optional("state", one_of("queued", "delivered", "dead"))
    fields.check()
    return state


def delivery_of(fields: BodyFields) -> int:
    """Which delivery. Raises InvalidRequest."""
    delivery_id = fields.required("delivery_id", whole(1, INT32_MAX))
    fields.check()
    assert delivery_id is not None
    return delivery_id


def webhook_routes_out(webhooks: Webhooks) -> Blueprint:
    """`/webhooks`: list and POST; of one DELETE, `POST /rotate`, `POST /enable`, `/deliveries`, `POST /redeliver`."""
    routes = Blueprint("webhooks_out", __name__, url_prefix="/webhooks")
    _endpoint_routes(routes, webhooks)
    _delivery_routes(routes, webhooks)
    return routes


def _endpoint_routes(routes: Blueprint, webhooks: Webhooks) -> None:
    @routes.get("")
    @needs(Right.STAFF)
    @described("Addresses that get events", data=list[WebhookBody])
    async def endpoints() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([webhook_body(each) for each in await webhooks.endpoints()])

    @routes.post("")
    @needs(Right.STAFF)
    @described("Add an address for events; its secret is shown this once", body=webhook_order, data=WebhookBody)
    async def add() -> Response:
        body = await read_object()
        refuse_actor(body)
        order = webhook_order(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            return written_data(secret_body(await webhooks.add(order.url, order.events, actor=acting())))

    @routes.delete("/<endpoint_id>")
    @needs(Right.STAFF)
    @described("Remove an address for events", data=list[WebhookBody])
    async def remove(endpoint_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            await webhooks.remove(endpoint_id, actor=acting())
            return written_data([webhook_body(each) for each in await webhooks.endpoints()])

    @routes.post("/<endpoint_id>/rotate")
    @needs(Right.STAFF)
    @described("A new secret, shown this once; for a day both sign", data=WebhookBody)
    async def rotate(endpoint_id: str) -> Response:
        refuse_actor(await read_object())
        with trio.fail_after(WITHIN_S):
            return written_data(secret_body(await webhooks.rotate(endpoint_id, actor=acting())))

    @routes.post("/<endpoint_id>/enable")
    @needs(Right.STAFF)
    @described("Have a disabled address get events again", data=WebhookBody)
    async def enable(endpoint_id: str) -> Response:
        refuse_actor(await read_object())
        with trio.fail_after(WITHIN_S):
            return written_data(webhook_body(await webhooks.enable(endpoint_id, actor=acting())))


def _delivery_routes(routes: Blueprint, webhooks: Webhooks) -> None:
    @routes.get("/<endpoint_id>/deliveries")
    @needs(Right.STAFF)
    @described("What an address was sent, the newest first", query=deliveries_query, data=list[WebhookDeliveryBody])
    async def deliveries(endpoint_id: str) -> Response:
        state = deliveries_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await webhooks.deliveries(endpoint_id, state)
        return written_data([webhook_delivery_body(each) for each in found])

    @routes.post("/<endpoint_id>/redeliver")
    @needs(Right.STAFF)
    @described("Send an event again, with its id of before", body=delivery_of, data=list[WebhookDeliveryBody])
    async def redeliver(endpoint_id: str) -> Response:
        body = await read_object()
        refuse_actor(body)
        delivery_id = delivery_of(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            await webhooks.redeliver(endpoint_id, delivery_id, actor=acting())
            found = await webhooks.deliveries(endpoint_id)
        return written_data([webhook_delivery_body(each) for each in found if each.id == delivery_id])
