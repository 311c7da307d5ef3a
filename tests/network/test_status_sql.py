"""A connector's status in SQL is the one of the domain, for every status a charger can report."""

from __future__ import annotations

from itertools import product

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.network.status import STORED_STATUS, connector_status
from evpower.network.status_sql import SAID, STORED

REPORTED = (*STORED_STATUS, None, "", "Something", "available", "Свободен")
CASES = list(product(REPORTED, (True, False), (True, False)))
STATUSES = f"""
SELECT {SAID} AS said, {STORED} AS stored
FROM (SELECT u.*, 'S' AS station_id, 1 AS connector_number
      FROM unnest(%(reported)s::text[], %(enabled)s::bool[], %(busy)s::text[])
           WITH ORDINALITY AS u(ocpp_status, is_enabled, session_id, n)) c
     CROSS JOIN LATERAL (SELECT c.session_id AS id) r
ORDER BY n
"""


async def test_sql_and_python_agree_on_every_status(pool: Pool) -> None:
    reported, enabled, busy = (list(column) for column in zip(*CASES, strict=True))
    sessions = ["a session" if each else None for each in busy]
    async with reading(pool) as conn:
        found = await conn.execute(STATUSES, {"reported": reported, "enabled": enabled, "busy": sessions})
        rows = await found.fetchall()
    for (status, is_enabled, is_busy), row in zip(CASES, rows, strict=True):
        counts = status if is_enabled or is_busy else "Unavailable"
        expected = connector_status(counts, None, busy=is_busy)
        assert row == {"said": counts, "stored": expected}, (status, is_enabled, is_busy)
