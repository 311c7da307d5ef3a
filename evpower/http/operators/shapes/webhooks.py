"""Webhooks as operators read them."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

from evpower.http.wire.described import Instant
from evpower.http.wire.values import instant
from evpower.webhooks.endpoint import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint, WebhookEvent
from evpower.webhooks.service import NewSecret


class WebhookBody(TypedDict):
    """An endpoint; `secret` once, in the answer that made it."""

    id: str
    url: str
    events: list[WebhookEvent]
    created_at: Instant
    created_by: str
    old_secret_until: Instant | None
    disabled_at: Instant | None
    disabled_reason: DisabledReason | None
    waiting: int
    secret: NotRequired[str]


class WebhookDeliveryBody(TypedDict):
    """One event for one endpoint; `due_at` while it is queued."""

    id: int
    event: WebhookEvent
    object_type: str
    object_id: str
    occurred_at: Instant
    state: DeliveryState
    due_at: Instant | None
    attempts: int
    last_tried_at: Instant | None
    last_answer: str | None
    ended_at: Instant | None


def webhook_body(endpoint: WebhookEndpoint) -> WebhookBody:
    """An endpoint without its secret."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "created_at": instant(endpoint.created_at),
        "created_by": endpoint.created_by,
        "old_secret_until": _instant(endpoint.old_until),
        "disabled_at": _instant(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
        "waiting": endpoint.waiting,
    }


def secret_body(made: NewSecret) -> WebhookBody:
    """An endpoint with the secret that is shown this once."""
    return {**webhook_body(made.endpoint), "secret": made.secret}


def webhook_delivery_body(delivery: WebhookDelivery) -> WebhookDeliveryBody:
    """A delivery."""
    return {
        "id": delivery.id,
        "event": delivery.event,
        "object_type": delivery.object_type,
        "object_id": delivery.object_id,
        "occurred_at": instant(delivery.occurred_at),
        "state": delivery.state,
        "due_at": _instant(delivery.due_at),
        "attempts": delivery.attempts,
        "last_tried_at": _instant(delivery.last_tried_at),
        "last_answer": delivery.last_answer,
        "ended_at": _instant(delivery.ended_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
