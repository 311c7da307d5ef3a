"""Rows of `ocpp_transactions`: what stations reported of their charges, and what matched nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evpower.charging.transaction import MARK, TransactionStart, TransactionStop
from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, IdTag, SessionId, StationId, TransactionKey, WireTransactionId
from evpower.security.records import note_dropped
from evpower.tags.id_tag import VerdictStatus

# The connector's running charge with this tag and this register, whatever time the start carries now; else the very
# same start, whatever became of it (duty 21, field rulings 2.1 and 2.2).
FIND_REPEAT = """
SELECT *, started_at <> %(started_at)s AS has_new_time
FROM (SELECT t.id, t.wire_transaction_id, t.verdict, t.started_at,
             t.status = 'Started' AND (t.verdict = 'Accepted' OR s.id IS NOT NULL)
             AND (s.settled_at IS NULL OR p.phase = 'released') AS is_running
      FROM evpower.ocpp_transactions t
      LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
      LEFT JOIN evpower.session_phases p ON p.session_id = s.id
      WHERE t.station_id = %(station_id)s AND t.connector_id = %(connector_id)s
        AND t.meter_start_wh = %(meter_start_wh)s
        AND lower(t.id_tag) IN (lower(%(id_tag)s), lower('+' || %(id_tag)s), ltrim(lower(%(id_tag)s), '+'))) same
WHERE is_running OR started_at = %(started_at)s
ORDER BY is_running DESC, id DESC LIMIT 1
"""

FLAG = """
UPDATE evpower.ocpp_transactions SET flags = flags || %(flag)s::text WHERE id = %(key)s AND NOT %(flag)s = ANY(flags)
"""

LOCK_TRANSACTION = """
SELECT id, wire_transaction_id, connector_id, id_tag, verdict, charging_session_id AS session_id,
       meter_stop_wh IS NOT NULL AS has_stop
FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s FOR UPDATE
"""

RUNNING_ON_CONNECTOR = """
SELECT id, wire_transaction_id, connector_id, id_tag, verdict, charging_session_id AS session_id,
       meter_stop_wh IS NOT NULL AS has_stop
FROM evpower.ocpp_transactions
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s AND status = 'Started'
  AND (%(began_at)s::timestamptz IS NULL OR least(started_at, received_at) <= %(began_at)s)
"""

# A transaction the station still runs although its session is final: to be stopped. One that is given away has no
# session and was accepted, so it is not among them.
RUNNING_BUT_FINAL = """
SELECT t.station_id, t.wire_transaction_id AS wire_id FROM evpower.ocpp_transactions t
LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
WHERE t.station_id = ANY(%(station_ids)s) AND t.status = 'Started'
  AND (s.settled_at IS NOT NULL OR t.verdict <> 'Accepted')
"""

# One that spoke 2.0.1 before may have given the number to a transaction of its own.
NEW_WIRE_ID = """
SELECT wire_id, EXISTS (SELECT FROM evpower.ocpp_transactions t
                        WHERE t.station_id = %(station_id)s AND t.wire_transaction_id = wire_id)
             OR EXISTS (SELECT FROM evpower.station_transactions t
                        WHERE t.station_id = %(station_id)s AND t.wire_transaction_id = %(mark)s || wire_id) AS taken
FROM (SELECT nextval('evpower.ocpp16_transaction_ids')::text AS wire_id) next
"""

# What its readings are judged by: the connector's power, unknown the station's, as it is now. A transaction of 2.0.1
# that was refused may get another token.
INSERT_TRANSACTION = """
INSERT INTO evpower.ocpp_transactions AS t
    (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh, meter_last_wh, started_at,
     received_at, charging_session_id, free_vend, flags, start_payload, ocpp_version, remote_start_id, offline,
     rated_power_w, rate_boundaries)
VALUES (%(station_id)s, %(wire_id)s, %(connector_id)s, %(id_tag)s, %(verdict)s, %(meter_start_wh)s, %(meter_start_wh)s,
        %(started_at)s, %(at)s, %(session_id)s, %(free_vend)s, %(flags)s, %(payload)s, %(ocpp_version)s,
        %(remote_start_id)s, %(offline)s,
        (SELECT round(1000 * coalesce(nullif(c.power_kw, 0), nullif(s.power_capacity, 0))) FROM public.stations s
         LEFT JOIN public.connectors c ON c.station_id = s.id AND c.connector_number = %(connector_id)s
         WHERE s.id = %(station_id)s),
        (SELECT jsonb_agg(jsonb_build_object('at', rate->'from') ORDER BY place)
         FROM public.charging_sessions s JOIN public.pricing_history h ON h.id = s.pricing_history_id
         CROSS JOIN jsonb_array_elements(h.rate_schedule) WITH ORDINALITY scheduled (rate, place)
         WHERE s.id = %(session_id)s AND place > 1))
ON CONFLICT (station_id, wire_transaction_id) DO UPDATE
SET connector_id = excluded.connector_id, id_tag = excluded.id_tag, verdict = excluded.verdict,
    meter_start_wh = excluded.meter_start_wh, meter_last_wh = excluded.meter_last_wh, started_at = excluded.started_at,
    received_at = excluded.received_at, charging_session_id = excluded.charging_session_id,
    free_vend = excluded.free_vend, flags = t.flags || 'another_token'::text, start_payload = excluded.start_payload,
    remote_start_id = excluded.remote_start_id, offline = excluded.offline, rated_power_w = excluded.rated_power_w,
    meter_base_wh = NULL, meter_carried_wh = 0, meter_before_wh = NULL, meter_last_measured_at = NULL,
    meter_last_received_at = NULL, rate_boundaries = excluded.rate_boundaries
WHERE t.verdict <> 'Accepted' AND t.charging_session_id IS NULL
RETURNING id
"""

LINK_SESSION = """
UPDATE public.charging_sessions
SET transaction_id = %(wire_id)s, energy = coalesce(energy, 0), updated_at = %(at)s,
    connector_id = CASE WHEN status = 'started' THEN %(connector_id)s ELSE connector_id END
WHERE id = %(session_id)s
"""

STOP_TRANSACTION = """
UPDATE evpower.ocpp_transactions
SET meter_stop_wh = %(meter_stop_wh)s, stopped_at = %(stopped_at)s, stop_received_at = %(at)s, stop_reason = %(reason)s,
    stop_payload = %(payload)s, status = 'Stopped',
    flags = flags || ARRAY(SELECT unnest(%(flags)s::text[]) EXCEPT SELECT unnest(flags))
WHERE id = %(key)s
"""

# The next charge began on the connector, so this one is over although the station did not report its end.
CLOSE_UNFINISHED = """
UPDATE evpower.ocpp_transactions SET status = 'Stopped', flags = flags || %(flag)s::text WHERE id = %(key)s
"""

#: What one station may have waiting for a person, and of that within an hour: beyond it nobody reads, and a disk fills.
PARKED_MOST = 1_000
PARKED_BYTES_AN_HOUR = 16 * 1024 * 1024

PARK = """
INSERT INTO evpower.ocpp_parked (station_id, action, reason, payload, received_at)
SELECT %(station_id)s, %(action)s, %(reason)s, %(payload)s, %(at)s
FROM (SELECT count(*) AS waiting,
             coalesce(sum(pg_column_size(payload)) FILTER (WHERE received_at > %(hour_ago)s), 0) AS bytes
      FROM evpower.ocpp_parked WHERE station_id = %(station_id)s AND resolved_at IS NULL) AS station
WHERE waiting < %(most)s AND bytes < %(bytes_most)s RETURNING id
"""


@dataclass(frozen=True)
class NewTransaction:
    """A start about to be written, with the id it gets and the verdict on its tag."""

    station_id: StationId
    start: TransactionStart
    wire_id: WireTransactionId
    verdict: str
    session_id: SessionId | None
    #: It is free.
    free_vend: bool
    flags: Sequence[str]


@dataclass(frozen=True)
class TransactionRow:
    """The part of a transaction that decides what to do with a report."""

    id: TransactionKey
    wire_transaction_id: WireTransactionId
    connector_id: ConnectorId
    id_tag: IdTag
    verdict: VerdictStatus
    session_id: SessionId | None
    has_stop: bool


@dataclass(frozen=True)
class Repeated:
    """The transaction that a repeated start has made already."""

    id: TransactionKey
    wire_transaction_id: WireTransactionId
    verdict: VerdictStatus
    started_at: datetime
    #: Its charge goes on; else it was refused, or is over.
    is_running: bool
    #: The repeat carries another time than the start did.
    has_new_time: bool


async def find_repeat(conn: Conn, station_id: StationId, start: TransactionStart) -> Repeated | None:
    """The transaction this StartTransaction already made, when it is a repeat (duty 21; field rulings 2.1 and 2.2)."""
    parameters = {
        "station_id": station_id,
        "connector_id": start.connector_id,
        "id_tag": start.id_tag,
        "started_at": start.started_at,
        "meter_start_wh": start.meter_start_wh,
    }
    row = await (await conn.execute(FIND_REPEAT, parameters)).fetchone()
    return None if row is None else Repeated(**row)


async def lock_transaction(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> TransactionRow | None:
    """The station's transaction by its own id, taken for this unit of work."""
    parameters = {"station_id": station_id, "wire_id": wire_id}
    return _row(await (await conn.execute(LOCK_TRANSACTION, parameters)).fetchone())


async def running_on_connector(
    conn: Conn, station_id: StationId, connector_id: ConnectorId, began_at: datetime | None
) -> list[TransactionRow]:
    """Transactions of this connector that never ended and began before this; None: all of them."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "began_at": began_at}
    cursor = await conn.execute(RUNNING_ON_CONNECTOR, parameters)
    return [TransactionRow(**row) for row in await cursor.fetchall()]


async def new_wire_id(conn: Conn, station_id: StationId) -> WireTransactionId:
    """The next OCPP 1.6 transaction id that this station has not, nor has made itself: positive, 32 bits, from a
    sequence, never a clock (duty 22)."""
    while True:
        (row,) = await (await conn.execute(NEW_WIRE_ID, {"station_id": station_id, "mark": MARK})).fetchall()
        if not row["taken"]:
            return WireTransactionId(row["wire_id"])


async def insert_transaction(conn: Conn, new: NewTransaction, at: datetime) -> None:
    """Store a start; with a session, link both ways."""
    start = new.start
    await conn.later(
        INSERT_TRANSACTION,
        {
            "station_id": new.station_id,
            "wire_id": new.wire_id,
            "connector_id": start.connector_id,
            "id_tag": start.id_tag,
            "verdict": new.verdict,
            "meter_start_wh": start.meter_start_wh,
            "started_at": start.started_at,
            "at": at,
            "session_id": new.session_id,
            "free_vend": new.free_vend,
            "flags": list(new.flags),
            "payload": start.payload.decode(),
            "ocpp_version": start.ocpp_version,
            "remote_start_id": start.remote_start_id,
            "offline": start.offline,
        },
    )
    if new.session_id is not None:
        link = {"session_id": new.session_id, "wire_id": new.wire_id, "connector_id": start.connector_id, "at": at}
        await conn.later(LINK_SESSION, link)


async def stop_transaction(conn: Conn, key: TransactionKey, stop: TransactionStop, at: datetime) -> None:
    """Store the facts of a StopTransaction."""
    await conn.later(
        STOP_TRANSACTION,
        {
            "key": key,
            "meter_stop_wh": stop.meter_stop_wh,
            "stopped_at": stop.stopped_at,
            "reason": stop.reason,
            "payload": stop.payload.decode(),
            "at": at,
            "flags": [f"without_{name}" for name in stop.unread],
        },
    )


async def close_unfinished(conn: Conn, key: TransactionKey) -> None:
    """End a transaction whose stop never came; flagged for the operator."""
    await conn.execute(CLOSE_UNFINISHED, {"key": key, "flag": "stop_missing"})


async def flag(conn: Conn, key: TransactionKey, flag: str) -> None:
    """Mark a transaction for the operator, once."""
    await conn.execute(FLAG, {"key": key, "flag": flag})


async def running_but_final(conn: Conn, station_ids: Sequence[StationId]) -> list[tuple[StationId, WireTransactionId]]:
    """Transactions these stations still run although they are no longer paid for."""
    cursor = await conn.execute(RUNNING_BUT_FINAL, {"station_ids": list(station_ids)})
    return [(row["station_id"], WireTransactionId(row["wire_id"])) for row in await cursor.fetchall()]


async def park(conn: Conn, station_id: StationId, action: str, reason: str, payload: bytes, at: datetime) -> None:
    """Keep a report that matches nothing, with all its data (duty 23); what is beyond the station's quota is dropped,
    which is an alarming security event of it once an hour."""
    parameters = {"station_id": station_id, "action": action, "reason": reason, "payload": payload.decode(), "at": at}
    hour_ago = at - timedelta(hours=1)
    quota = {"hour_ago": hour_ago, "most": PARKED_MOST, "bytes_most": PARKED_BYTES_AN_HOUR}
    if await (await conn.execute(PARK, {**parameters, **quota})).fetchone() is None:
        await note_dropped(conn, station_id, action, at)


def _row(row: dict[str, Any] | None) -> TransactionRow | None:
    return None if row is None else TransactionRow(**row)
