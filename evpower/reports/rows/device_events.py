"""Rows of `device_events`: the newest of each station, and the parts of a report that has not come whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, NamedTuple

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.reports.device_event import DeviceEvent, EventsPart, KeptEvent

#: Kept per station: one that notifies without end fills nothing.
KEPT_PER_STATION = 1000

_NAMES = ", ".join(each.name for each in fields(DeviceEvent))
_COLUMNS = """
    event_id int, occurred_at timestamptz, trigger text, notification text, component text, variable text,
    actual_value text, component_instance text, evse_id int, connector_id int, variable_instance text, cause int,
    monitor_id int, transaction_id text, tech_code text, tech_info text, cleared boolean"""
# A part that comes again takes its own place.
REPLACE = """
DELETE FROM evpower.device_events WHERE station_id = %(station_id)s AND NOT is_whole AND seq_no = %(seq_no)s
"""
ADD = f"""
INSERT INTO evpower.device_events ({_NAMES}, grave, station_id, seq_no, is_last, is_whole, generated_at, received_at)
SELECT {_NAMES}, grave, %(station_id)s, %(seq_no)s, %(is_last)s, %(is_whole)s, %(generated_at)s, %(at)s
FROM {batch_table(f"{_COLUMNS}, grave boolean")} r
"""
FORGET = """
DELETE FROM evpower.device_events WHERE station_id = %(station_id)s AND is_whole AND id <= (
    SELECT id FROM evpower.device_events WHERE station_id = %(station_id)s ORDER BY id DESC OFFSET %(kept)s LIMIT 1)
"""
HELD = """
SELECT seq_no, bool_or(is_last) AS is_last, min(generated_at) AS generated_at, min(received_at) AS received_at
FROM evpower.device_events WHERE station_id = %(station_id)s AND NOT is_whole GROUP BY seq_no
"""
COMPLETE = f"""
WITH whole AS (UPDATE evpower.device_events SET is_whole = true WHERE station_id = %(station_id)s AND NOT is_whole
               RETURNING id, seq_no, grave, {_NAMES})
SELECT {_NAMES} FROM whole WHERE grave ORDER BY seq_no, id
"""
DROP = """
WITH dropped AS (DELETE FROM evpower.device_events WHERE station_id = %(station_id)s AND NOT is_whole
                 RETURNING id, seq_no, component, variable)
SELECT component, variable FROM dropped ORDER BY seq_no, id
"""
OVERDUE = """
SELECT DISTINCT station_id FROM evpower.device_events WHERE NOT is_whole AND received_at < %(before)s
"""
NEWEST = f"""
SELECT {_NAMES}, grave, received_at FROM evpower.device_events
WHERE station_id = %(station_id)s AND is_whole ORDER BY id DESC LIMIT %(limit)s
"""


class HeldPart(NamedTuple):
    """A part of a report of events that waits for the others."""

    seq_no: int
    is_last: bool
    generated_at: datetime
    received_at: datetime


async def held(conn: Conn, station_id: StationId) -> list[HeldPart]:
    """The parts that wait."""
    cursor = await conn.execute(HELD, {"station_id": station_id})
    return [HeldPart(**row) for row in await cursor.fetchall()]


async def add(
    conn: Conn, station_id: StationId, part: EventsPart, graves: Sequence[bool], at: datetime, *, is_whole: bool
) -> None:
    """Write a part; of a station's events the newest stay."""
    where: dict[str, Any] = {
        "station_id": station_id,
        "seq_no": part.seq_no,
        "is_last": not part.more,
        "is_whole": is_whole,
        "generated_at": part.generated_at,
        "at": at,
        "kept": KEPT_PER_STATION,
    }
    if not is_whole:
        await conn.execute(REPLACE, where)
    found = [asdict(each) | {"grave": grave} for each, grave in zip(part.events, graves, strict=True)]
    await conn.execute(ADD, {**batch(found), **where})
    await conn.execute(FORGET, where)


async def complete(conn: Conn, station_id: StationId) -> list[DeviceEvent]:
    """All parts have come; the grave events, in the order of their numbers."""
    cursor = await conn.execute(COMPLETE, {"station_id": station_id})
    return [DeviceEvent(**row) for row in await cursor.fetchall()]


async def drop(conn: Conn, station_id: StationId) -> list[str]:
    """Delete the parts that wait; what they were events of."""
    cursor = await conn.execute(DROP, {"station_id": station_id})
    return [f"{row['component']}.{row['variable']}" for row in await cursor.fetchall()]


async def overdue(conn: Conn, before: datetime) -> list[StationId]:
    """Stations with a part that came before then and waits."""
    cursor = await conn.execute(OVERDUE, {"before": before})
    return [StationId(row["station_id"]) for row in await cursor.fetchall()]


async def newest(conn: Conn, station_id: StationId, limit: int) -> list[KeptEvent]:
    """A station's, newest first."""
    cursor = await conn.execute(NEWEST, {"station_id": station_id, "limit": limit})
    return [KeptEvent(**row) for row in await cursor.fetchall()]
