"""Rows of `ocpp_reservations`. Expiry is computed at each reading; nothing writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import ConnectorId, StationId

INSERT = """
INSERT INTO evpower.ocpp_reservations
    (station_id, connector_id, id_tag, parent_id_tag, expires_at, status, created_at)
VALUES (%(station_id)s, %(connector_id)s, %(id_tag)s, %(parent_id_tag)s, %(expires_at)s, 'Asked', %(at)s) RETURNING id
"""

ACTIVATE = "UPDATE evpower.ocpp_reservations SET status = 'Active' WHERE id = %(id)s AND status = 'Asked'"

END = """
UPDATE evpower.ocpp_reservations
SET status = CASE WHEN expires_at <= %(at)s THEN 'Expired' ELSE %(status)s END, ended_at = least(expires_at, %(at)s)
WHERE id = %(id)s AND station_id = %(station_id)s AND status IN ('Asked', 'Active')
"""

# A station as a whole takes every reservation with it.
END_ON_CONNECTOR = """
UPDATE evpower.ocpp_reservations
SET status = CASE WHEN expires_at <= %(at)s THEN 'Expired' ELSE %(status)s END, ended_at = least(expires_at, %(at)s)
WHERE station_id = %(station_id)s AND %(connector_id)s IN (0, connector_id) AND status IN ('Asked', 'Active')
"""


async def insert(
    conn: AsyncConnection[Any],
    station_id: StationId,
    connector_id: ConnectorId,
    id_tag: str,
    parent_id_tag: str | None,
    expires_at: datetime,
    at: datetime,
) -> int:
    """A reservation that will be asked for; its id is OCPP's reservationId."""
    parameters = {
        "station_id": station_id,
        "connector_id": connector_id,
        "id_tag": id_tag,
        "parent_id_tag": parent_id_tag,
        "expires_at": expires_at,
        "at": at,
    }
    row = await (await conn.execute(INSERT, parameters)).fetchone()
    assert row is not None
    return int(row["id"])


async def activate(conn: AsyncConnection[Any], reservation_id: int) -> None:
    """The station took it, and did not end it in the same breath."""
    await conn.execute(ACTIVATE, {"id": reservation_id})


async def end(
    conn: AsyncConnection[Any], station_id: StationId, reservation_id: int, status: str, at: datetime
) -> None:
    """End a live reservation; one that is over stays as it ended."""
    await conn.execute(END, {"station_id": station_id, "id": reservation_id, "status": status, "at": at})


async def end_on_connector(
    conn: AsyncConnection[Any], station_id: StationId, connector_id: ConnectorId, status: str, at: datetime
) -> None:
    """End what is reserved on a connector, or at the whole station when it is 0."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "status": status, "at": at}
    await conn.execute(END_ON_CONNECTOR, parameters)
