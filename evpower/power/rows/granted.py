"""What members held in the past: the accepted grants of `power_grants`, each until the next one or its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId
from evpower.power.rows.groups import TREE
from evpower.power.site import GroupId, OutletId

#: Of each connector, the newest first: grants are kept for ever, and a page shows hours of them.
ROWS_MOST = 3_000

# As `evpower.paused_times` reads them; a grant ends with its charge too.
GRANTED = f"""
{TREE}, held AS (
    SELECT m.station_id, m.connector_id, g.id, g.current_da, coalesce(g.acked_at, t.received_at) AS since,
           CASE WHEN g.transaction IS NULL THEN t.received_at + make_interval(secs => g.lease_s)
                ELSE g.lease_until END AS lease_ends,
           CASE WHEN t.status <> 'Started' THEN t.stop_received_at END AS ended_at
    FROM evpower.power_group_members m JOIN tree ON tree.id = m.group_id
    CROSS JOIN LATERAL (
        SELECT * FROM evpower.power_grants g
        WHERE g.station_id = m.station_id AND g.connector_id = m.connector_id ORDER BY g.id DESC LIMIT {ROWS_MOST}) g
    LEFT JOIN LATERAL (
        SELECT * FROM evpower.ocpp_transactions t
        WHERE t.charging_session_id = g.session_id
              OR (t.station_id = g.station_id AND t.wire_transaction_id = g.transaction)
        ORDER BY t.id DESC LIMIT 1) t ON true
    WHERE g.granted_at >= %(since)s - interval '1 hour' AND g.granted_at < %(until)s
      AND (g.state = 'accepted' OR (g.state = 'sent' AND g.transaction IS NULL))
)
SELECT * FROM (
    SELECT station_id, connector_id, current_da, since,
           least(lease_ends, ended_at, lead(since) OVER (PARTITION BY station_id, connector_id ORDER BY since, id))
               AS until
    FROM held WHERE since IS NOT NULL) steps
WHERE until > since AND until > %(since)s AND since < %(until)s ORDER BY station_id, connector_id, since
"""


@dataclass(frozen=True)
class GrantedTime:
    """What one connector held for a time, in tenths of an ampere of each phase that it loads."""

    outlet: OutletId
    current_da: int
    since: datetime
    until: datetime


async def read_granted(conn: Conn, group_id: GroupId, since: datetime, until: datetime) -> Sequence[GrantedTime]:
    """Of every connector below the group, in the order of time."""
    rows = await (await conn.execute(GRANTED, {"root": group_id, "since": since, "until": until})).fetchall()
    return [
        GrantedTime(
            (StationId(row["station_id"]), ConnectorId(row["connector_id"])),
            row["current_da"],
            row["since"],
            row["until"],
        )
        for row in rows
    ]
