"""Rows of `idle_fees` and `idle_times`, and what other rows say of the cars they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from evpower.billing.tariff import ParkingTerms
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId, StationId
from evpower.idle_fees.waiting import DRAWS_W, FULL_WH, LastLook, Scene

#: The readings of so long say since when a car draws nothing.
LOOK_BACK = timedelta(minutes=40)
#: More are looked at in the next round: the ones that were looked at longest ago come first.
MOST = 2000

OPEN_FEE = """
INSERT INTO evpower.idle_fees
    (session_id, rate_per_minute, grace_minutes, cap_tyiyn, only_above_occupancy, quiet_from, quiet_until)
VALUES (%(session_id)s, %(rate_per_minute)s, %(grace_minutes)s, %(cap_tyiyn)s, %(only_above_occupancy)s, %(quiet_from)s,
        %(quiet_until)s)
"""
_TERMS = "f.rate_per_minute, f.grace_minutes, f.cap_tyiyn, f.only_above_occupancy, f.quiet_from, f.quiet_until"
# A car that draws is not looked at further: its readings are many.
OPEN_FEES = f"""
SELECT f.session_id, {_TERMS}, f.notice, f.notices, f.looked_at, f.waited_until, s.station_id, s.connector_id,
       (coalesce(s.energy, 0) * 1000)::bigint AS energy_wh, s.settled_at, t.status = 'Started' AS is_charging,
       c.ocpp_status,
       c.ocpp_status IS NOT DISTINCT FROM 'Faulted' OR o.status IS NOT DISTINCT FROM 'Faulted'
           OR coalesce(c.error_code, 'NoError') NOT IN ('NoError', '') AS has_fault,
       EXISTS (SELECT FROM public.charging_sessions n WHERE n.station_id = s.station_id
               AND n.connector_id = s.connector_id AND n.status = 'started' AND n.id <> s.id)
           OR EXISTS (SELECT FROM evpower.ocpp_transactions n WHERE n.station_id = s.station_id
                      AND n.connector_id = s.connector_id AND n.status = 'Started' AND n.id > t.id) AS has_next,
       low.low_since, low.read_at, p.ended_at AS noticed_at,
       CASE WHEN t.id IS NOT NULL AND EXISTS (SELECT FROM evpower.power_grants g WHERE g.session_id = s.id)
            THEN evpower.paused_times(s.id, t.received_at) END AS paused_times,
       CASE WHEN f.only_above_occupancy IS NOT NULL THEN (
           SELECT 100 * count(*) FILTER (WHERE k.status = 'occupied') / nullif(count(*), 0)
           FROM public.stations a JOIN public.stations b ON b.location_id = a.location_id
           JOIN public.connectors k ON k.station_id = b.id AND k.is_enabled WHERE a.id = s.station_id) END AS occupied
FROM evpower.idle_fees f
JOIN public.charging_sessions s ON s.id = f.session_id
LEFT JOIN public.connectors c ON c.station_id = s.station_id AND c.connector_number = s.connector_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.station_id
LEFT JOIN LATERAL (SELECT * FROM evpower.ocpp_transactions x WHERE x.charging_session_id = s.id
                   ORDER BY x.id LIMIT 1) t ON true
LEFT JOIN evpower.push_outbox p ON p.event_key = 'idle_fee_starts_at:' || f.session_id || ':' || f.notice
     AND p.state = 'sent'
LEFT JOIN LATERAL (
    SELECT min(received_at) FILTER (WHERE drawn_at IS NULL OR received_at > drawn_at) AS low_since,
           max(received_at) FILTER (WHERE drawn_at IS NULL OR received_at > drawn_at) AS read_at
    FROM (SELECT received_at, max(received_at) FILTER (WHERE drawn_w >= {DRAWS_W}) OVER () AS drawn_at
          FROM (SELECT m.received_at, coalesce(m.power_w, 3600 * (m.energy_wh - lag(m.energy_wh) OVER reading)
                       / nullif(extract(epoch FROM m.received_at - lag(m.received_at) OVER reading), 0)) AS drawn_w
                FROM evpower.ocpp_meter_values m
                WHERE m.station_id = s.station_id AND m.received_at BETWEEN %(since)s AND %(at)s
                  AND (m.wire_transaction_id = t.wire_transaction_id
                       OR (m.wire_transaction_id IS NULL AND m.connector_id = t.connector_id))
                WINDOW reading AS (ORDER BY m.received_at, m.measured_at)) readings) drawn
    WHERE t.status = 'Started' AND s.energy * 1000 >= {FULL_WH} AND coalesce(t.power_w, 0) < {DRAWS_W}) low ON true
WHERE f.ended_at IS NULL
ORDER BY f.looked_at NULLS FIRST, f.session_id LIMIT %(most)s
"""
# Another process may have looked meanwhile: then this look is none.
STORE_LOOK = """
UPDATE evpower.idle_fees SET looked_at = %(at)s, waited_until = %(waited_until)s, notice = %(notice)s,
    notices = greatest(notices, coalesce(%(notice)s, 0))
WHERE session_id = %(session_id)s AND ended_at IS NULL AND looked_at IS NOT DISTINCT FROM %(looked_at)s
"""
ADD_TIME = """
WITH longer AS (
    UPDATE evpower.idle_times SET until = %(until)s WHERE session_id = %(session_id)s AND until = %(since)s
    RETURNING session_id)
INSERT INTO evpower.idle_times (session_id, since, until)
SELECT %(session_id)s, %(since)s, %(until)s WHERE NOT EXISTS (SELECT FROM longer)
"""
LOCK_OPEN = f"""
SELECT {_TERMS}, (SELECT coalesce(sum(i.until - i.since), '0') FROM evpower.idle_times i
                  WHERE i.session_id = f.session_id) AS waited
FROM evpower.idle_fees f WHERE f.session_id = %(session_id)s AND f.ended_at IS NULL FOR UPDATE
"""
OWNER = "SELECT user_id AS client_id FROM public.charging_sessions WHERE id = %(session_id)s"
END_FEE = """
UPDATE evpower.idle_fees SET ended_at = %(at)s, minutes = %(minutes)s, fee_tyiyn = %(fee)s, taken_tyiyn = %(taken)s
WHERE session_id = %(session_id)s
"""


@dataclass(frozen=True)
class OpenFee:
    """A fee that may still be, what the last look left of it, and what is known of its car now."""

    session_id: SessionId
    station_id: StationId
    terms: ParkingTerms
    #: The number of the notice of the waiting that goes on, how many there were, and when this one left.
    notice: int | None
    notices: int
    noticed_at: datetime | None
    before: LastLook
    scene: Scene


async def open_fee(conn: Conn, session_id: SessionId, terms: ParkingTerms) -> None:
    """Keep the terms of a charge that begins."""
    await conn.execute(OPEN_FEE, {**vars(terms), "session_id": session_id})


async def read_open(conn: Conn, now: datetime) -> list[OpenFee]:
    """What is known of every car whose fee is open; whether its station is connected is not in rows."""
    cursor = await conn.execute(OPEN_FEES, {"at": now, "since": now - LOOK_BACK, "most": MOST})
    return [_open(row, now) for row in await cursor.fetchall()]


def _open(row: dict[str, Any], now: datetime) -> OpenFee:
    paused = row["paused_times"] or ()
    scene = Scene(
        at=now,
        energy_wh=row["energy_wh"],
        is_charging=bool(row["is_charging"]) and row["settled_at"] is None,
        settled_at=row["settled_at"],
        ocpp_status=row["ocpp_status"],
        has_fault=row["has_fault"],
        is_connected=True,
        has_next=row["has_next"],
        low_since=row["low_since"],
        read_at=row["read_at"],
        paused=tuple((_moment(since), _moment(until)) for since, until in paused),
        occupied=row["occupied"] or 0,
    )
    return OpenFee(
        SessionId(row["session_id"]),
        StationId(row["station_id"]),
        _terms(row),
        row["notice"],
        row["notices"],
        row["noticed_at"],
        LastLook(row["looked_at"], row["waited_until"]),
        scene,
    )


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(float(epoch_s), UTC)


def _terms(row: dict[str, Any]) -> ParkingTerms:
    names = ("rate_per_minute", "grace_minutes", "cap_tyiyn", "only_above_occupancy", "quiet_from", "quiet_until")
    return ParkingTerms(**{name: row[name] for name in names})


async def store_look(conn: Conn, fee: OpenFee, *, waited_until: datetime | None, notice: int | None) -> bool:
    """What this look leaves; False when another process has looked since."""
    parameters = {
        "session_id": fee.session_id,
        "looked_at": fee.before.looked_at,
        "at": fee.scene.at,
        "waited_until": waited_until,
        "notice": notice,
    }
    return (await conn.execute(STORE_LOOK, parameters)).rowcount == 1


async def add_time(conn: Conn, session_id: SessionId, since: datetime, until: datetime) -> None:
    """Time that is paid for; the fee's row is taken."""
    await conn.execute(ADD_TIME, {"session_id": session_id, "since": since, "until": until})


async def read_owner(conn: Conn, session_id: SessionId) -> ClientId:
    """Whose charge it is by now."""
    (row,) = await (await conn.execute(OWNER, {"session_id": session_id})).fetchall()
    return ClientId(row["client_id"])


async def lock_open(conn: Conn, session_id: SessionId) -> tuple[ParkingTerms, timedelta] | None:
    """The terms of an open fee and how long is paid for, its row taken after the client's; None: it has ended."""
    row = await (await conn.execute(LOCK_OPEN, {"session_id": session_id})).fetchone()
    return None if row is None else (_terms(row), row["waited"])


async def end_fee(conn: Conn, session_id: SessionId, at: datetime, *, minutes: int, fee: int, taken: int) -> None:
    """What it came to, in tyiyn, and what of it was there."""
    parameters = {"session_id": session_id, "at": at, "minutes": minutes, "fee": fee, "taken": taken}
    await conn.execute(END_FEE, parameters)
