"""Rows of `power_released`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId
from evpower.power.site import OutletId

NOTE = """
INSERT INTO evpower.power_released (station_id, connector_id, released_at)
VALUES (%(station_id)s, %(connector_id)s, %(at)s)
ON CONFLICT (station_id, connector_id) DO UPDATE SET released_at = excluded.released_at, asked_at = NULL
"""
_DUE = """
FROM evpower.power_released r
WHERE (r.asked_at IS NULL OR r.asked_at < %(again)s)
  AND EXISTS (SELECT FROM evpower.charger_connections k WHERE k.station_id = r.station_id)
"""
IS_ANY_DUE = f"SELECT {_DUE} LIMIT 1"
CLAIM_DUE = f"""
UPDATE evpower.power_released SET asked_at = %(now)s
WHERE (station_id, connector_id) IN (SELECT r.station_id, r.connector_id {_DUE} FOR UPDATE SKIP LOCKED)
RETURNING station_id, connector_id
"""
# A connector that is a member again, of whichever group, has a limit of ours.
FORGET = """
DELETE FROM evpower.power_released WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s
"""


async def note(conn: Conn, outlets: Sequence[OutletId], at: datetime) -> None:
    """They left their group."""
    for station_id, connector_id in outlets:
        await conn.execute(NOTE, {"station_id": station_id, "connector_id": connector_id, "at": at})


async def is_any_due(conn: Conn, again: datetime) -> bool:
    """Whether one can be asked whose last try was before `again`."""
    return (await conn.execute(IS_ANY_DUE, {"again": again})).rowcount > 0


async def claim_due(conn: Conn, now: datetime, again: datetime) -> list[OutletId]:
    """Those, noted as asked now."""
    rows = await (await conn.execute(CLAIM_DUE, {"now": now, "again": again})).fetchall()
    return [(StationId(row["station_id"]), ConnectorId(row["connector_id"])) for row in rows]


async def forget(conn: Conn, outlet: OutletId) -> bool:
    """Nothing of ours is there, or it is wanted again; False when somebody was faster."""
    return (await conn.execute(FORGET, {"station_id": outlet[0], "connector_id": outlet[1]})).rowcount > 0
