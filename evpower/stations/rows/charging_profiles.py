"""Rows of `ocpp_charging_profiles`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection

from evpower.identifiers import ConnectorId, StationId, WireTransactionId
from evpower.link.commands import ChargingProfile

IS_RUNNING = """
SELECT 1 AS one FROM evpower.ocpp_transactions t
LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
WHERE t.station_id = %(station_id)s AND t.connector_id = %(connector_id)s
  AND t.wire_transaction_id = %(transaction_id)s AND t.status = 'Started' AND s.settled_at IS NULL
"""

# An id names one profile of the station, wherever it was before (OCPP 1.6 §5.16).
FORGET_ID = """
DELETE FROM evpower.ocpp_charging_profiles WHERE station_id = %(station_id)s AND profile_id = %(profile_id)s
"""

STORE = """
INSERT INTO evpower.ocpp_charging_profiles
    (station_id, connector_id, profile_id, purpose, stack_level, profile, set_at)
VALUES (%(station_id)s, %(connector_id)s, %(profile_id)s, %(purpose)s, %(stack_level)s, %(profile)s, %(at)s)
ON CONFLICT (station_id, connector_id, purpose, stack_level) DO UPDATE
SET profile_id = excluded.profile_id, profile = excluded.profile, set_at = excluded.set_at
"""

CLEAR = """
DELETE FROM evpower.ocpp_charging_profiles
WHERE station_id = %(station_id)s
  AND (%(profile_id)s::int IS NULL OR profile_id = %(profile_id)s)
  AND (%(connector_id)s::int IS NULL OR connector_id = %(connector_id)s)
  AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s)
  AND (%(stack_level)s::int IS NULL OR stack_level = %(stack_level)s)
"""

_encode = msgspec.json.Encoder(decimal_format="number").encode


async def is_running(
    conn: AsyncConnection[Any], station_id: StationId, connector_id: ConnectorId, transaction_id: WireTransactionId
) -> bool:
    """Whether the transaction runs on this connector."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "transaction_id": transaction_id}
    return await (await conn.execute(IS_RUNNING, parameters)).fetchone() is not None


async def store(
    conn: AsyncConnection[Any],
    station_id: StationId,
    connector_id: ConnectorId,
    profile: ChargingProfile,
    at: datetime,
) -> None:
    """Store a profile the station took, within a unit of work: what it replaces goes with it."""
    parameters = {
        "station_id": station_id,
        "connector_id": connector_id,
        "profile_id": profile.profile_id,
        "purpose": profile.purpose,
        "stack_level": profile.stack_level,
        "profile": _encode(profile.as_written).decode(),
        "at": at,
    }
    await conn.execute(FORGET_ID, parameters)
    await conn.execute(STORE, parameters)


async def clear(
    conn: AsyncConnection[Any],
    station_id: StationId,
    profile_id: int | None,
    connector_id: ConnectorId | None,
    purpose: str | None,
    stack_level: int | None,
) -> None:
    """Forget the profiles that match everything given."""
    parameters = {
        "station_id": station_id,
        "profile_id": profile_id,
        "connector_id": connector_id,
        "purpose": purpose,
        "stack_level": stack_level,
    }
    await conn.execute(CLEAR, parameters)
