"""Rows of `device_variables`, `device_inventories` and `device_monitors`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable, KnownVariable

#: A report that does not come is not asked for again sooner, also of a station that boots again and again.
ASKED_APART = timedelta(minutes=10)

ASK = """
INSERT INTO evpower.device_inventories AS i (station_id, request_id, firmware_version, asked_at)
SELECT o.station_id, nextval('evpower.device_report_ids'), o.firmware_version, %(at)s
FROM evpower.ocpp_station_status o WHERE o.station_id = %(station_id)s
ON CONFLICT (station_id) DO UPDATE SET request_id = excluded.request_id, firmware_version = excluded.firmware_version,
    asked_at = excluded.asked_at, reported_at = NULL
WHERE i.firmware_version IS DISTINCT FROM excluded.firmware_version
   OR (i.reported_at IS NULL AND i.asked_at <= %(asked_before)s)
RETURNING request_id
"""
NEW_NUMBER = "SELECT nextval('evpower.device_report_ids') AS number"
_COLUMNS = """
    component text, component_instance text, evse_id int, connector_id int, variable text, variable_instance text,
    attribute text, value text, mutability text, persistent boolean"""
STORE = f"""
INSERT INTO evpower.device_variables AS v
    (station_id, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute, value,
     mutability, persistent, reported_at)
SELECT DISTINCT ON (component, component_instance, evse_id, connector_id, variable, variable_instance, attribute)
       %(station_id)s, r.*, %(at)s::timestamptz
FROM {batch_table(_COLUMNS)} r
ON CONFLICT (station_id, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute)
DO UPDATE SET value = excluded.value, mutability = excluded.mutability, persistent = excluded.persistent,
    reported_at = excluded.reported_at
"""
# What an inventory does not name is there no more.
INVENTORY_CAME = """
UPDATE evpower.device_inventories SET reported_at = %(at)s
WHERE station_id = %(station_id)s AND request_id = %(request_id)s
"""
FORGET_OLDER = "DELETE FROM evpower.device_variables WHERE station_id = %(station_id)s AND reported_at < %(at)s"
# Which EVSEs there are is compared with the configured connectors wherever those are shown.
SET_EVSES = """
UPDATE evpower.ocpp_station_status SET reported_evses = %(evses)s WHERE station_id = %(station_id)s
"""
STORE_MONITORS = f"""
INSERT INTO evpower.device_monitors (station_id, monitor_id, variable, severity, reported_at)
SELECT %(station_id)s, r.*, %(at)s::timestamptz FROM {batch_table("monitor_id int, variable text, severity int")} r
ON CONFLICT (station_id, monitor_id)
DO UPDATE SET variable = excluded.variable, severity = excluded.severity, reported_at = excluded.reported_at
"""
FORGET_MONITORS = """
DELETE FROM evpower.device_monitors WHERE station_id = %(station_id)s AND monitor_id IN (
    SELECT monitor_id FROM evpower.device_monitors WHERE station_id = %(station_id)s
    ORDER BY reported_at DESC, monitor_id OFFSET %(most)s)
"""
SEVERITY = """
SELECT severity FROM evpower.device_monitors
WHERE station_id = %(station_id)s AND monitor_id = %(monitor_id)s AND variable = %(variable)s
"""
READ = """
SELECT component, component_instance, evse_id, connector_id, variable, variable_instance, attribute, value, mutability,
       persistent, reported_at
FROM evpower.device_variables
WHERE station_id = %(station_id)s AND (%(component)s::text IS NULL OR lower(component) = lower(%(component)s))
ORDER BY component, component_instance, evse_id, connector_id, variable, variable_instance, attribute
"""


async def ask(conn: Conn, station_id: StationId, at: datetime) -> int | None:
    """The number under which the whole inventory is to be asked for; None when it is known."""
    parameters = {"station_id": station_id, "at": at, "asked_before": at - ASKED_APART}
    row = await (await conn.execute(ASK, parameters)).fetchone()
    return None if row is None else int(row["request_id"])


async def new_number(conn: Conn) -> int:
    """Of a request for a report."""
    row = await (await conn.execute(NEW_NUMBER)).fetchone()
    assert row is not None
    return int(row["number"])


async def store(conn: Conn, station_id: StationId, variables: Sequence[DeviceVariable], at: datetime) -> None:
    """Write variables; others that are known stay."""
    if variables:
        parameters = {**batch([asdict(each) for each in variables]), "station_id": station_id, "at": at}
        await conn.execute(STORE, parameters)


async def store_report(
    conn: Conn, station_id: StationId, request_id: int, variables: Sequence[DeviceVariable], at: datetime
) -> bool:
    """Write a whole report. True for one that was asked for as the inventory: it takes the place of all there was."""
    await store(conn, station_id, variables, at)
    where = {"station_id": station_id, "at": at, "request_id": request_id}
    if not (await conn.execute(INVENTORY_CAME, where)).rowcount:
        return False
    await conn.execute(FORGET_OLDER, where)
    evses = sorted({each.evse_id for each in variables if each.evse_id > 0})
    await conn.execute(SET_EVSES, {"station_id": station_id, "evses": evses or None})
    return True


async def read(conn: Conn, station_id: StationId, component: str | None) -> list[KnownVariable]:
    """What is known of a station, or of one component of it."""
    cursor = await conn.execute(READ, {"station_id": station_id, "component": component})
    return [KnownVariable(**row) for row in await cursor.fetchall()]


async def store_monitors(
    conn: Conn, station_id: StationId, monitors: Sequence[DeviceMonitor], at: datetime, *, most: int
) -> None:
    """Write monitors; of one number the last counts, and of a station `most` are kept."""
    rows = {each.monitor_id: asdict(each) for each in monitors}
    where = {"station_id": station_id, "at": at, "most": most}
    await conn.execute(STORE_MONITORS, {**batch(rows.values()), **where})
    await conn.execute(FORGET_MONITORS, where)


async def severity(conn: Conn, station_id: StationId, monitor_id: int, variable: str) -> int | None:
    """Of what a monitor of this variable notifies; None when it is not known."""
    parameters = {"station_id": station_id, "monitor_id": monitor_id, "variable": variable}
    row = await (await conn.execute(SEVERITY, parameters)).fetchone()
    return None if row is None else int(row["severity"])
