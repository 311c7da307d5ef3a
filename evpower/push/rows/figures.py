"""What an operator looks at: how many messages wait, were sent, and were not."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.push.figures import PushFigures

READ = """
SELECT (SELECT count(*) FROM evpower.push_outbox WHERE state = 'queued') AS queued,
       (SELECT min(queued_at) FROM evpower.push_outbox WHERE state = 'queued') AS oldest_queued_at,
       (SELECT count(*) FROM evpower.push_outbox WHERE state = 'sent' AND ended_at > %(since)s) AS sent,
       (SELECT count(*) FROM evpower.push_outbox WHERE state = 'expired' AND ended_at > %(since)s) AS expired,
       (SELECT coalesce(jsonb_object_agg(d.reason, d.number), '{}') FROM (
            SELECT coalesce(end_reason, 'unknown') AS reason, count(*) AS number FROM evpower.push_outbox
            WHERE state = 'dead' AND ended_at > %(since)s GROUP BY 1) d) AS dead,
       (SELECT coalesce(jsonb_object_agg(t.kind, t.number), '{}') FROM (
            SELECT kind, count(*) AS number FROM evpower.push_targets WHERE ended_at IS NULL GROUP BY 1) t) AS devices,
       (SELECT coalesce(jsonb_object_agg(t.end_reason, t.number), '{}') FROM (
            SELECT end_reason, count(*) AS number FROM evpower.push_targets
            WHERE ended_at > %(since)s GROUP BY 1) t) AS ended_devices
"""


async def read_push_figures(conn: Conn, since: datetime) -> PushFigures:
    """Of what ended since then."""
    row = await (await conn.execute(READ, {"since": since})).fetchone()
    assert row is not None
    return PushFigures(**row)
