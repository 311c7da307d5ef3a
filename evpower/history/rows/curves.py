"""Rows of `evpower.session_curves`, and the readings they are drawn from."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.history.curve import MOST_BUCKETS, Curve, CurvePoint, MeteredCharge, ReadingsBucket
from evpower.identifiers import SessionId
from evpower.metering.advance import SIGNED_FLAG
from evpower.metering.belief import CLOCK_MAX
from evpower.metering.registers import BelievedRegister

# How long it was by our clock, and by the station's where that can be true: a queued charge has only the latter.
CHARGE = f"""
SELECT t.station_id, t.connector_id, t.wire_transaction_id, t.started_at, t.received_at, t.rated_power_w,
       t.meter_start_wh, (s.energy * 1000)::bigint AS energy_wh,
       '{SIGNED_FLAG}' = ANY(t.flags) OR coalesce(t.stop_payload::text LIKE '%%SignedData%%', false) AS signed,
       coalesce(t.stop_received_at, t.meter_last_received_at, t.received_at) AS until_at,
       greatest(
           CASE WHEN t.stopped_at - t.started_at BETWEEN '0' AND %(clock_max)s THEN t.stopped_at - t.started_at END,
           coalesce(t.stop_received_at, t.meter_last_received_at, t.received_at) - t.received_at, '1 second') AS span
FROM public.charging_sessions s JOIN evpower.ocpp_transactions t ON t.charging_session_id = s.id
WHERE s.id = %(id)s ORDER BY t.id LIMIT 1
"""
# A reading is placed by the station's clock, or by ours where that one is not within the charge.
READ_BUCKETS = """
SELECT max(t_s)::int AS t_s, max(power_w) AS power_w, max(measured_at) AS measured_at, max(received_at) AS received_at,
       (array_agg(energy_wh ORDER BY received_at DESC, t_s DESC) FILTER (WHERE energy_wh IS NOT NULL))[1]
           AS register_wh,
       (array_agg(soc_percent ORDER BY received_at DESC, t_s DESC) FILTER (WHERE soc_percent IS NOT NULL))[1]
           AS soc_percent
FROM (SELECT v.*, greatest(0, extract(epoch FROM CASE
                 WHEN v.measured_at BETWEEN %(started_at)s AND %(started_at)s + %(span)s
                 THEN v.measured_at - %(started_at)s ELSE v.received_at - %(received_at)s END)) AS t_s
      FROM evpower.ocpp_meter_values v
      WHERE v.station_id = %(station_id)s AND v.received_at BETWEEN %(received_at)s AND %(until_at)s
        AND (v.wire_transaction_id = %(wire_transaction_id)s
             OR (v.wire_transaction_id IS NULL AND v.connector_id = %(connector_id)s))) reading
WHERE t_s <= extract(epoch FROM %(span)s::interval)
GROUP BY least(%(buckets)s - 1, floor(t_s * %(buckets)s / extract(epoch FROM %(span)s::interval))::int)
ORDER BY 1
"""
# Once more by a correction; not where the readings are gone by then.
STORE_CURVE = """
INSERT INTO evpower.session_curves AS c (session_id, points, rising_s, max_power_w, soc_start, soc_end, drawn_at)
VALUES (%(id)s, %(points)s, %(rising_s)s, %(max_power_w)s, %(soc_start)s, %(soc_end)s, %(at)s)
ON CONFLICT (session_id) DO UPDATE SET points = excluded.points, rising_s = excluded.rising_s,
    max_power_w = excluded.max_power_w, soc_start = excluded.soc_start, soc_end = excluded.soc_end,
    redrawn_at = excluded.drawn_at
WHERE c.redrawn_at IS NULL AND jsonb_array_length(excluded.points) >= jsonb_array_length(c.points)
"""
READ_CURVE = "SELECT points, rising_s, max_power_w FROM evpower.session_curves WHERE session_id = %(id)s"


async def read_metered_charge(conn: Conn, session_id: SessionId) -> MeteredCharge | None:
    """The register and the readings of a charge that ended; None for one that never began."""
    charge = await (await conn.execute(CHARGE, {"id": session_id, "clock_max": CLOCK_MAX})).fetchone()
    if charge is None:
        return None
    register = BelievedRegister(
        charge["meter_start_wh"],
        charge["started_at"],
        charge["received_at"],
        charge["rated_power_w"],
        base_wh=charge["meter_start_wh"],
        last_wh=charge["meter_start_wh"],
    )
    rows = await (await conn.execute(READ_BUCKETS, charge | {"buckets": MOST_BUCKETS})).fetchall()
    buckets = [ReadingsBucket(**row) for row in rows]
    until_s, energy_wh = int(charge["span"].total_seconds()), charge["energy_wh"] or 0
    return MeteredCharge(register, buckets, until_s, energy_wh, signed=charge["signed"])


async def store_curve(conn: Conn, session_id: SessionId, curve: Curve, at: datetime) -> None:
    """Keep it; a second one, of a correction, replaces the first once."""
    points = Jsonb([asdict(point) for point in curve.points])
    soc_start, soc_end = curve.soc_percents
    parameters = {
        "id": session_id,
        "points": points,
        "rising_s": curve.rising_s,
        "max_power_w": curve.max_power_w,
        "soc_start": soc_start,
        "soc_end": soc_end,
        "at": at,
    }
    await conn.later(STORE_CURVE, parameters)


async def read_curve(conn: Conn, session_id: SessionId) -> Curve | None:
    """What is kept of a charge's readings."""
    row = await (await conn.execute(READ_CURVE, {"id": session_id})).fetchone()
    return None if row is None else curve_of(row)


def curve_of(row: dict[str, Any]) -> Curve:
    """The curve of a row of this table."""
    return Curve(tuple(CurvePoint(**point) for point in row["points"]), row["rising_s"], row["max_power_w"])
