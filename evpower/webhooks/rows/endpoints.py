"""Rows of `webhook_endpoints`, and their deliveries as operators look at them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from evpower.db.connection import Conn
from evpower.webhooks.endpoint import WebhookDelivery, WebhookEndpoint

#: Whoever adds one waits for the other who does.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('evpower.webhook_endpoints'))"
COUNT = "SELECT count(*) AS number FROM evpower.webhook_endpoints"
ADD = """
INSERT INTO evpower.webhook_endpoints (id, url, events, secret, created_at, created_by)
VALUES (%(id)s, %(url)s, %(events)s, %(secret)s, %(at)s, %(actor)s)
"""
LIST = """
SELECT e.id, e.url, e.events, e.created_at, e.created_by,
       CASE WHEN e.old_until > %(at)s THEN e.old_until END AS old_until, e.disabled_at, e.disabled_reason,
       (SELECT count(*) FROM evpower.webhook_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'queued') AS waiting
FROM evpower.webhook_endpoints e WHERE %(id)s::text IS NULL OR e.id = %(id)s ORDER BY e.created_at, e.id
"""
REMOVE = "DELETE FROM evpower.webhook_endpoints WHERE id = %(id)s"
REMOVE_DELIVERIES = "DELETE FROM evpower.webhook_deliveries WHERE endpoint_id = %(id)s"
ROTATE = """
UPDATE evpower.webhook_endpoints SET old_secret = secret, old_until = %(until)s, secret = %(secret)s WHERE id = %(id)s
"""
ENABLE = "UPDATE evpower.webhook_endpoints SET disabled_at = NULL, disabled_reason = NULL WHERE id = %(id)s"
DELIVERIES = """
SELECT id, event, object_type, object_id, occurred_at, state, CASE WHEN state = 'queued' THEN due_at END AS due_at,
       attempts, last_tried_at, last_answer, ended_at
FROM evpower.webhook_deliveries
WHERE endpoint_id = %(id)s AND (%(state)s::text IS NULL OR state = %(state)s) ORDER BY id DESC LIMIT %(most)s
"""
# What is queued begins anew: the week that is over is not held against it.
BEGIN_ANEW = """
UPDATE evpower.webhook_deliveries SET due_at = %(at)s, attempts = 0, first_tried_at = NULL
WHERE endpoint_id = %(id)s AND state = 'queued'
"""
# Begun anew, also one that was delivered: with the same id, so that a receiver knows it.
REDELIVER = """
UPDATE evpower.webhook_deliveries
SET state = 'queued', due_at = %(at)s, attempts = 0, first_tried_at = NULL, ended_at = NULL
WHERE id = %(delivery_id)s AND endpoint_id = %(id)s
"""
#: A person looks at so many.
DELIVERIES_MOST = 200


async def count_locked(conn: Conn) -> int:
    """How many endpoints there are, until the end of this unit of work."""
    await conn.execute(LOCK)
    row = await (await conn.execute(COUNT)).fetchone()
    assert row is not None
    return int(row["number"])


async def add_endpoint(
    conn: Conn, endpoint_id: str, url: str, events: Collection[str], secret: bytes, *, at: datetime, actor: str
) -> None:
    parameters = {"id": endpoint_id, "url": url, "events": list(events), "secret": secret, "at": at, "actor": actor}
    await conn.execute(ADD, parameters)


async def list_endpoints(conn: Conn, at: datetime, endpoint_id: str | None = None) -> list[WebhookEndpoint]:
    """All, or the one of this id, the oldest first."""
    rows = await (await conn.execute(LIST, {"at": at, "id": endpoint_id})).fetchall()
    return [WebhookEndpoint(**row) for row in rows]


async def remove_endpoint(conn: Conn, endpoint_id: str) -> bool:
    """Whether it was there; what it has not got is dropped with it."""
    removed = (await conn.execute(REMOVE, {"id": endpoint_id})).rowcount == 1
    await conn.execute(REMOVE_DELIVERIES, {"id": endpoint_id})
    return removed


async def rotate_secret(conn: Conn, endpoint_id: str, secret: bytes, until: datetime) -> bool:
    """The present secret becomes the old one, until then; whether the endpoint is there."""
    return (await conn.execute(ROTATE, {"id": endpoint_id, "secret": secret, "until": until})).rowcount == 1


async def enable_endpoint(conn: Conn, endpoint_id: str, at: datetime) -> bool:
    """Whether it is there; what waits for it is due."""
    is_there = (await conn.execute(ENABLE, {"id": endpoint_id})).rowcount == 1
    await conn.execute(BEGIN_ANEW, {"id": endpoint_id, "at": at})
    return is_there


async def list_deliveries(conn: Conn, endpoint_id: str, state: str | None) -> list[WebhookDelivery]:
    """The newest first, at most `DELIVERIES_MOST`."""
    parameters = {"id": endpoint_id, "state": state, "most": DELIVERIES_MOST}
    return [WebhookDelivery(**row) for row in await (await conn.execute(DELIVERIES, parameters)).fetchall()]


async def queue_again(conn: Conn, endpoint_id: str, delivery_id: int, at: datetime) -> bool:
    """Whether the endpoint has such a delivery."""
    parameters = {"id": endpoint_id, "delivery_id": delivery_id, "at": at}
    return (await conn.execute(REDELIVER, parameters)).rowcount == 1
