"""Reports that matched nothing, and energy between charges that was not billed (duties 23, 31)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId, StationId, TransactionKey, WireTransactionId
from evpower.metering.energy_sql import ENERGY_WH
from evpower.metering.meter_value import MAX_ENERGY_WH
from evpower.narrowing import Narrowing

LIST_PARKED = """
SELECT id, station_id, action, reason, payload, received_at, resolution, resolved_at, resolved_by, resolution_reason,
       session_id
FROM evpower.ocpp_parked
WHERE (%(all)s OR resolved_at IS NULL)
  AND (%(station_id)s::text IS NULL OR station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
ORDER BY received_at DESC, id DESC LIMIT %(limit)s
"""

LOCK_PARKED = """
SELECT id, station_id, action, payload::text AS payload, received_at, resolved_at IS NOT NULL AS resolved
FROM evpower.ocpp_parked WHERE id = %(id)s FOR UPDATE
"""

RESOLVE = """
UPDATE evpower.ocpp_parked SET resolution = %(resolution)s, resolved_at = %(at)s, resolved_by = %(actor)s,
    resolution_reason = %(reason)s, session_id = %(session_id)s
WHERE id = %(id)s
"""

LOCK_SESSION_TRANSACTION = """
SELECT station_id, wire_transaction_id, meter_start_wh, meter_stop_wh FROM evpower.ocpp_transactions
WHERE charging_session_id = %(session_id)s ORDER BY id DESC LIMIT 1 FOR UPDATE
"""

# A register that was higher at the next start than the last believed one of the charge before, whether its stop came or
# not and whoever pays for it: energy flowed that no transaction has. A register that could not be read at a start is
# stored as the highest there is, and is skipped.
MISSING_ENERGY = """
SELECT station_id, connector_id, previous_transaction_id, previous_stop_wh, transaction_id, meter_start_wh,
       meter_start_wh - previous_stop_wh AS missing_wh, previous_stopped_at, started_at
FROM (SELECT station_id, connector_id, wire_transaction_id AS transaction_id, meter_start_wh, started_at, received_at,
             lag(meter_last_wh) OVER connector AS previous_stop_wh,
             lag(wire_transaction_id) OVER connector AS previous_transaction_id,
             lag(stopped_at) OVER connector AS previous_stopped_at
      FROM evpower.ocpp_transactions
      WINDOW connector AS (PARTITION BY station_id, connector_id ORDER BY received_at, id)) AS consecutive
WHERE previous_stop_wh >= 0 AND meter_start_wh > previous_stop_wh AND meter_start_wh < %(unreadable_wh)s
  AND (%(station_id)s::text IS NULL OR station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
  AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
ORDER BY received_at DESC LIMIT %(limit)s
"""

# What a session's charge delivered beyond its bill, and what flowed although its start was refused.
UNBILLED_ENERGY = f"""
SELECT * FROM (
SELECT s.station_id, s.connector_id, t.wire_transaction_id AS transaction_id, s.id AS session_id,
       s.user_id AS client_id, s.id_tag, t.verdict, p.unbilled_wh, p.unbilled_tyiyn, s.start_time AS started_at
FROM evpower.session_phases p JOIN public.charging_sessions s ON s.id = p.session_id
LEFT JOIN evpower.ocpp_transactions t ON t.charging_session_id = s.id
WHERE p.unbilled_wh > 0 OR p.unbilled_tyiyn > 0
UNION ALL
SELECT station_id, connector_id, wire_transaction_id, NULL, NULL, id_tag, verdict, {ENERGY_WH}, NULL, started_at
FROM evpower.ocpp_transactions
WHERE charging_session_id IS NULL AND NOT free_vend AND {ENERGY_WH} > 0) AS unbilled
WHERE (%(station_id)s::text IS NULL OR station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
  AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
  AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
ORDER BY started_at DESC LIMIT %(limit)s
"""

UNBILLED_WH = f"""
SELECT coalesce((SELECT sum(unbilled_wh) FROM evpower.session_phases WHERE unbilled_wh > 0 OR unbilled_tyiyn > 0), 0)
       + coalesce((SELECT sum({ENERGY_WH}) FROM evpower.ocpp_transactions
                   WHERE charging_session_id IS NULL AND NOT free_vend), 0) AS energy_wh
"""
REFUSED_WH = f"SELECT {ENERGY_WH} AS energy_wh FROM evpower.ocpp_transactions WHERE id = %(key)s"


@dataclass(frozen=True)
class ParkedReport:
    """A report that matched nothing, as it came, and what a person decided of it."""

    id: int
    station_id: StationId
    action: str
    reason: str
    #: The station's message, as JSON.
    payload: object
    received_at: datetime
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_reason: str | None
    session_id: SessionId | None


@dataclass(frozen=True)
class TakenReport:
    """A parked report whose row is held; `payload` is the JSON text that came."""

    id: int
    station_id: StationId
    action: str
    payload: str
    received_at: datetime
    resolved: bool


@dataclass(frozen=True)
class ChargersTransaction:
    """The station's transaction of a session: its id there, and its registers in Wh."""

    station_id: StationId
    wire_transaction_id: WireTransactionId
    meter_start_wh: int
    meter_stop_wh: int | None


@dataclass(frozen=True)
class MissingEnergy:
    """Energy between two charges of a connector, in Wh."""

    station_id: StationId
    connector_id: int
    previous_transaction_id: str
    previous_stop_wh: int
    transaction_id: str
    meter_start_wh: int
    missing_wh: int
    previous_stopped_at: datetime | None
    started_at: datetime


@dataclass(frozen=True)
class UnbilledEnergy:
    """Energy that was delivered and nobody pays for, in Wh: of a session, or of a start that was refused.

    The sum is known for a session alone: a refused start has no tariff.
    """

    station_id: StationId
    connector_id: int
    transaction_id: str | None
    session_id: SessionId | None
    client_id: ClientId | None
    id_tag: str | None
    verdict: str | None
    unbilled_wh: int
    unbilled_tyiyn: int | None
    started_at: datetime


async def list_parked(conn: Conn, wanted: Narrowing, *, resolved_too: bool) -> list[ParkedReport]:
    """Parked reports with all their data, newest first."""
    cursor = await conn.execute(LIST_PARKED, {**wanted.parameters, "all": resolved_too})
    return [ParkedReport(**row) for row in await cursor.fetchall()]


async def lock_parked(conn: Conn, parked_id: int) -> TakenReport | None:
    """One parked report, taken for this unit of work."""
    row = await (await conn.execute(LOCK_PARKED, {"id": parked_id})).fetchone()
    return None if row is None else TakenReport(**row)


async def resolve(
    conn: Conn,
    parked_id: int,
    *,
    resolution: str,
    session_id: SessionId | None,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Store what a person decided; the caller holds the report's row."""
    parameters = {
        "id": parked_id,
        "resolution": resolution,
        "session_id": session_id,
        "actor": actor,
        "reason": reason,
        "at": at,
    }
    await conn.execute(RESOLVE, parameters)


async def lock_session_transaction(conn: Conn, session_id: SessionId) -> ChargersTransaction | None:
    """The station's transaction of a session, taken for this unit of work."""
    row = await (await conn.execute(LOCK_SESSION_TRANSACTION, {"session_id": session_id})).fetchone()
    return None if row is None else ChargersTransaction(**row)


async def list_missing_energy(conn: Conn, wanted: Narrowing) -> list[MissingEnergy]:
    """Where a start register lies above the last one of the charge before it, newest first."""
    cursor = await conn.execute(MISSING_ENERGY, {**wanted.parameters, "unreadable_wh": MAX_ENERGY_WH})
    return [MissingEnergy(**row) for row in await cursor.fetchall()]


async def list_unbilled_energy(conn: Conn, wanted: Narrowing) -> list[UnbilledEnergy]:
    """What nobody pays for, newest first."""
    cursor = await conn.execute(UNBILLED_ENERGY, wanted.parameters)
    return [UnbilledEnergy(**row) for row in await cursor.fetchall()]


async def unbilled_wh(conn: Conn) -> int:
    """All energy so far that nobody pays for, in Wh."""
    (row,) = await (await conn.execute(UNBILLED_WH)).fetchall()
    return int(row["energy_wh"])


async def refused_wh(conn: Conn, key: TransactionKey) -> int:
    """What flowed in a transaction without a session, in Wh."""
    (row,) = await (await conn.execute(REFUSED_WH, {"key": key})).fetchall()
    return int(row["energy_wh"])
