"""What the page of the system asks of the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from evpower.db.connection import Conn
from evpower.pages.system import DatabaseState, RunningProcess

#: A refund that was sent so shortly before may still be under way.
REFUND_LASTS = timedelta(minutes=1)

PROCESSES = """
SELECT p.process_id, p.started_at, p.lease_until, p.version, count(c.station_id) AS stations
FROM evpower.processes p LEFT JOIN evpower.charger_connections c USING (process_id)
GROUP BY p.process_id ORDER BY p.started_at, p.process_id
"""
DATABASE = """
SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes,
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
       (SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
           AS oldest_transaction_at,
       (SELECT count(*) FROM evpower.session_phases WHERE phase = 'starting') AS starting,
       (SELECT count(*) FROM evpower.session_phases WHERE phase = 'stopping') AS stopping,
       (SELECT count(*) FROM evpower.top_up_refunds WHERE state = 'open' AND sent_at > %(sent_since)s) AS refunds_sent
"""


async def read_database_facts(conn: Conn, now: datetime) -> DatabaseState:
    """PostgreSQL, the processes on it, and what is under way."""
    processes = [RunningProcess(**row) for row in await (await conn.execute(PROCESSES)).fetchall()]
    (row,) = await (await conn.execute(DATABASE, {"sent_since": now - REFUND_LASTS})).fetchall()
    return DatabaseState(**row, processes=processes)
