"""Rows of `webhook_deliveries` as the deliverer works on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.webhooks.endpoint import DisabledReason, DueDelivery

# Claimed by moving it ahead: if the process dies, it becomes due again.
CLAIM = """
UPDATE evpower.webhook_deliveries d
SET due_at = %(until)s, attempts = attempts + 1, first_tried_at = coalesce(first_tried_at, %(at)s),
    last_tried_at = %(at)s
FROM evpower.webhook_endpoints e
WHERE e.id = d.endpoint_id AND d.id IN (
    SELECT w.id FROM evpower.webhook_deliveries w JOIN evpower.webhook_endpoints o ON o.id = w.endpoint_id
    WHERE w.state = 'queued' AND w.due_at <= %(at)s AND o.disabled_at IS NULL
    ORDER BY w.due_at, w.id LIMIT %(most)s FOR UPDATE OF w SKIP LOCKED)
RETURNING d.id, d.endpoint_id, e.url, e.secret, CASE WHEN e.old_until > %(at)s THEN e.old_secret END AS old_secret,
          d.event, d.object_type, d.object_id, d.occurred_at, d.data, d.attempts, d.first_tried_at
"""
CONCLUDE = """
UPDATE evpower.webhook_deliveries SET state = %(state)s, last_answer = %(answer)s, ended_at = %(at)s
WHERE id = %(id)s AND state = 'queued'
"""
PUT_OFF = """
UPDATE evpower.webhook_deliveries SET due_at = %(due_at)s, last_answer = %(answer)s
WHERE id = %(id)s AND state = 'queued'
"""
DISABLE = """
UPDATE evpower.webhook_endpoints SET disabled_at = %(at)s, disabled_reason = %(reason)s
WHERE id = %(id)s AND disabled_at IS NULL
"""
FORGET = "DELETE FROM evpower.webhook_deliveries WHERE occurred_at < %(before)s"
FIGURES = """
SELECT (SELECT count(*) FROM evpower.webhook_endpoints WHERE disabled_at IS NULL) AS enabled,
       (SELECT count(*) FROM evpower.webhook_endpoints WHERE disabled_at IS NOT NULL) AS disabled,
       (SELECT count(*) FROM evpower.webhook_deliveries WHERE state = 'queued') AS waiting
"""


@dataclass(frozen=True)
class WebhookFigures:
    """Endpoints that get messages, those that are disabled, and messages that wait."""

    enabled: int
    disabled: int
    waiting: int


async def claim_due(conn: Conn, at: datetime, until: datetime, most: int) -> list[DueDelivery]:
    """Deliveries that are due, in their order."""
    rows = await (await conn.execute(CLAIM, {"at": at, "until": until, "most": most})).fetchall()
    found = []
    for row in rows:
        secrets = tuple(bytes(each) for each in (row.pop("secret"), row.pop("old_secret")) if each is not None)
        found.append(DueDelivery(**row, secrets=secrets))
    return sorted(found, key=lambda delivery: delivery.id)


async def conclude(conn: Conn, delivery: DueDelivery, state: str, answer: str, at: datetime) -> None:
    """Nothing more is done about it."""
    await conn.execute(CONCLUDE, {"id": delivery.id, "state": state, "answer": answer, "at": at})


async def put_off(conn: Conn, delivery: DueDelivery, due_at: datetime, answer: str) -> None:
    """Try again then."""
    await conn.execute(PUT_OFF, {"id": delivery.id, "due_at": due_at, "answer": answer})


async def disable(conn: Conn, endpoint_id: str, reason: DisabledReason, at: datetime) -> bool:
    """It gets no more messages; False when it got none before."""
    return (await conn.execute(DISABLE, {"id": endpoint_id, "reason": reason, "at": at})).rowcount == 1


async def forget(conn: Conn, before: datetime) -> None:
    """Drop what happened before, whatever became of it."""
    await conn.execute(FORGET, {"before": before})


async def read_webhook_figures(conn: Conn) -> WebhookFigures:
    """Those of this moment."""
    return WebhookFigures(**(await (await conn.execute(FIGURES)).fetchall())[0])
