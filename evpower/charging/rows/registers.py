"""Charges whose limit has no register to go by (field ruling 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import SessionId
from evpower.metering.doubts import DoubtfulCharge

# Every charge has a limit: what is held for it.
WITHOUT_REGISTER = """
SELECT t.id AS transaction_key, t.wire_transaction_id, t.station_id, t.connector_id,
       t.charging_session_id AS session_id,
       extract(epoch FROM %(now)s - greatest(coalesce(t.meter_last_received_at, t.received_at), %(since)s))::bigint
           AS silent_s
FROM evpower.session_phases p
JOIN evpower.ocpp_transactions t ON t.charging_session_id = p.session_id AND t.status = 'Started'
WHERE p.phase IN ('charging', 'stopping') AND coalesce(t.meter_last_received_at, t.received_at) <= %(before)s
  AND NOT EXISTS (SELECT FROM evpower.doubts d WHERE d.transaction_key = t.id AND d.kind = 'no_register')
"""

# Each power holds since the reading before it; a power that the connector cannot have counts as none.
BY_POWER = """
SELECT coalesce(sum(m.power_w * m.seconds), 0) / 3600 AS energy_wh
FROM (SELECT m.power_w, t.rated_power_w,
             extract(epoch FROM m.received_at - lag(m.received_at, 1, coalesce(t.meter_last_received_at, t.received_at))
                     OVER (ORDER BY m.received_at, m.measured_at)) AS seconds
      FROM evpower.ocpp_transactions t
      JOIN evpower.ocpp_meter_values m ON m.station_id = t.station_id
           AND m.received_at > coalesce(t.meter_last_received_at, t.received_at)
           AND (m.wire_transaction_id = t.wire_transaction_id
                OR (m.wire_transaction_id IS NULL AND m.connector_id = t.connector_id))
      WHERE t.charging_session_id = %(session_id)s AND t.status = 'Started') m
WHERE m.power_w BETWEEN 0 AND coalesce(nullif(m.rated_power_w, 0), %(unknown_w)s) * 1.25
"""


@dataclass(frozen=True)
class SilentRegister:
    """A charge without a believed register, and for how many seconds."""

    charge: DoubtfulCharge
    silent_s: int


async def without_register(conn: Conn, *, before: datetime, since: datetime, now: datetime) -> Sequence[SilentRegister]:
    """Running charges whose last believed register came before then; counted from `since` at the earliest.

    Those a person is asked about are left out.
    """
    cursor = await conn.execute(WITHOUT_REGISTER, {"before": before, "since": since, "now": now})
    return [
        SilentRegister(silent_s=row.pop("silent_s"), charge=DoubtfulCharge(**row)) for row in await cursor.fetchall()
    ]


async def energy_by_power_wh(conn: Conn, session_id: SessionId, unknown_power_w: int) -> float:
    """What the powers that were reported since the last believed register add up to."""
    parameters = {"session_id": session_id, "unknown_w": unknown_power_w}
    row = await (await conn.execute(BY_POWER, parameters)).fetchone()
    return 0.0 if row is None else float(row["energy_wh"])
