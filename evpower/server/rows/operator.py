"""What an operator looks at: lists for the command line, oldest facts included."""

from __future__ import annotations

from typing import Any

from evpower.db.connection import Conn
from evpower.http.operators.views import IDS_MAX, ConnectorLine, Counts, IdKind, SessionLine, StationLine
from evpower.narrowing import Narrowing
from evpower.network.spots.evses_sql import CONFIGURED

LIST_STATIONS = f"""
SELECT s.id, s.serial_number, s.model, s.status AS admin_status, s.location_id, l.name AS location_name,
       s.last_heartbeat_at, s.firmware_version, s.connectors_count, o.status AS whole_status, o.ocpp_version,
       o.reported_evses, {CONFIGURED} AS configured_evses,
       coalesce(json_agg(json_build_object('connector_id', c.connector_number, 'status', c.status,
                'ocpp_status', c.ocpp_status, 'is_enabled', c.is_enabled, 'error_code', c.error_code,
                'busy', r.id IS NOT NULL)
                ORDER BY c.connector_number) FILTER (WHERE c.id IS NOT NULL), '[]') AS connectors
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN public.connectors c ON c.station_id = s.id
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
GROUP BY s.id, l.name, o.station_id ORDER BY s.id
"""

LIST_SESSIONS = """
SELECT s.id AS session_id, s.user_id AS client_id, s.station_id, s.connector_id, s.status, p.phase, s.start_time,
       s.stop_time, s.energy AS energy_kwh, s.amount, s.reserved_amount, s.refunded_amount, s.additional_charge,
       s.debt_amount, s.limit_type, s.limit_value, s.transaction_id, p.end_cause, s.stop_reason, p.stop_requested_at,
       p.stop_requested_by, p.estimated, p.corrected_at, p.overshoot_wh, p.unbilled_wh,
       EXISTS (SELECT FROM evpower.doubts d WHERE d.session_id = s.id AND d.settled_at IS NULL) AS doubtful,
       p.unbilled_tyiyn / 100.0 AS unbilled_som
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE (NOT %(running_only)s OR s.status = 'started')
  AND (%(station_id)s::text IS NULL OR s.station_id = %(station_id)s)
  AND (%(client_id)s::text IS NULL OR s.user_id = %(client_id)s)
  AND (%(phase)s::text IS NULL OR p.phase = %(phase)s)
  AND (%(since)s::timestamptz IS NULL OR s.created_at >= %(since)s)
ORDER BY s.created_at DESC LIMIT %(limit)s
"""

COUNTS = """
SELECT (SELECT count(*) FROM public.stations) AS stations,
       (SELECT count(*) FROM public.charging_sessions WHERE status = 'started') AS running_sessions,
       (SELECT count(*) FROM evpower.session_phases WHERE phase = 'ended') AS unsettled_sessions,
       (SELECT count(*) FROM evpower.ocpp_parked WHERE resolved_at IS NULL) AS parked_reports,
       (SELECT count(*) FROM evpower.parked_payments WHERE resolved_at IS NULL) AS parked_payments,
       current_setting('server_version') AS postgresql
"""
#: What begins with a text, an exact one first; a client also by the number of its phone, an invoice by its order.
IDS = {
    "sessions": "SELECT id FROM public.charging_sessions WHERE id LIKE %(begins)s",
    "stations": "SELECT id FROM public.stations WHERE id LIKE %(begins)s",
    "clients": "SELECT id FROM public.clients WHERE id LIKE %(begins)s OR phone LIKE %(begins)s"
    " OR phone LIKE '+' || %(begins)s",
    "payments": "SELECT invoice_id AS id FROM public.balance_topups"
    " WHERE invoice_id LIKE %(begins)s OR order_id LIKE %(begins)s",
    "id-tags": "SELECT id_tag AS id FROM evpower.ocpp_authorization WHERE id_tag LIKE %(begins)s",
    "locations": "SELECT id FROM public.locations WHERE id LIKE %(begins)s",
}


async def list_stations(conn: Conn) -> tuple[StationLine, ...]:
    """Every station with its connectors, inactive ones too."""
    return tuple(_station(**row) for row in await (await conn.execute(LIST_STATIONS)).fetchall())


def _station(*, connectors: list[dict[str, Any]], **row: Any) -> StationLine:
    return StationLine(**row, connectors=tuple(ConnectorLine(**each) for each in connectors))


async def list_sessions(conn: Conn, wanted: Narrowing, *, running_only: bool) -> tuple[SessionLine, ...]:
    """Sessions, newest first."""
    cursor = await conn.execute(LIST_SESSIONS, {**wanted.parameters, "running_only": running_only})
    return tuple(SessionLine(**row) for row in await cursor.fetchall())


async def read_counts(conn: Conn) -> Counts:
    """How much of everything there is."""
    (row,) = await (await conn.execute(COUNTS)).fetchall()
    return Counts(**row)


async def list_ids(conn: Conn, kind: IdKind, begins: str) -> list[str]:
    """Whole ids that begin so, in their order, at most `IDS_MAX`; the one that is exactly so stands alone."""
    pattern = begins.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    statement = f"{IDS[kind]} ORDER BY 1 LIMIT %(limit)s"
    rows = await (await conn.execute(statement, {"begins": pattern, "limit": IDS_MAX})).fetchall()
    found = [str(row["id"]) for row in rows]
    return [begins] if begins in found else found
