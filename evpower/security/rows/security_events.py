"""Rows of `ocpp_security_events`: what stations say of their own security, the newest of each station."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.security.security_report import SecurityMatter, SecurityReport

log = logging.getLogger("security")

#: Kept per station: a station that reports without end fills nothing.
KEPT_PER_STATION = 1000

# What is too old goes with the same statement; it does not see the new row, hence one less.
ADD = """
WITH too_old AS (
    DELETE FROM evpower.ocpp_security_events WHERE station_id = %(station_id)s AND id <= (
        SELECT id FROM evpower.ocpp_security_events WHERE station_id = %(station_id)s
        ORDER BY id DESC OFFSET %(kept)s - 1 LIMIT 1)
)
INSERT INTO evpower.ocpp_security_events
    (station_id, action, type, detail, request_id, alarming, occurred_at, received_at)
VALUES (%(station_id)s, %(action)s, %(type)s, %(detail)s, %(request_id)s, %(alarming)s, %(occurred_at)s, %(at)s)
"""

NEWEST = """
SELECT action, type, detail, request_id, alarming, occurred_at, received_at FROM evpower.ocpp_security_events
WHERE station_id = %(station_id)s ORDER BY id DESC LIMIT %(limit)s
"""


# What is dropped is counted in the one event of its hour.
COUNT_DROPPED = """
UPDATE evpower.ocpp_security_events SET request_id = request_id + 1
WHERE id = (SELECT max(id) FROM evpower.ocpp_security_events
            WHERE station_id = %(station_id)s AND type = %(type)s AND received_at > %(after)s) RETURNING id
"""
DROPPED = "ReportsDropped"


@dataclass(frozen=True)
class SecurityEvent:
    """What a station reported of its security; `alarming` wants a look. `action` is the standard's message."""

    action: str
    type: str
    detail: str | None
    request_id: int | None
    alarming: bool
    occurred_at: datetime | None
    received_at: datetime


async def add_event(conn: Conn, station_id: StationId, report: SecurityReport, at: datetime) -> None:
    """Store one."""
    parameters = {
        "station_id": station_id,
        "action": report.reported_as,
        "type": report.type,
        "detail": report.detail,
        "request_id": report.request_id,
        "alarming": report.is_alarming,
        "occurred_at": report.occurred_at,
        "at": at,
        "kept": KEPT_PER_STATION,
    }
    await conn.execute(ADD, parameters)


async def newest(conn: Conn, station_id: StationId, limit: int) -> list[SecurityEvent]:
    """A station's, newest first."""
    cursor = await conn.execute(NEWEST, {"station_id": station_id, "limit": limit})
    return [SecurityEvent(**row) for row in await cursor.fetchall()]


async def note_dropped(conn: Conn, station_id: StationId, action: str, at: datetime) -> None:
    """One more report of the station was dropped, for its quota: one alarming event an hour, with their number."""
    parameters = {"station_id": station_id, "type": DROPPED, "after": at - timedelta(hours=1)}
    if await (await conn.execute(COUNT_DROPPED, parameters)).fetchone() is None:
        detail = "more reports that match nothing than a station may have; `request` counts them"
        await add_event(conn, station_id, SecurityReport(SecurityMatter.EVENT, action, DROPPED, detail, 1), at)
        log.warning("reports are dropped, its quota is used up: station=%s, action=%s", station_id, action)
