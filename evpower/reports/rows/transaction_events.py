"""Rows of `station_transactions` and `transaction_events`: each event once, applied by its number.

Readings that come in their order are events too, kept as rows of `ocpp_meter_values` (`metering/rows/event_order.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.reports.transaction_event import (
    EventAnswer,
    EventStage,
    OpenTransaction,
    ReportedEvent,
)

#: An event that waits for its predecessors longer than this is applied without them.
GAP_AFTER = timedelta(minutes=10)
#: A station repeats for hours, a queue lasts days.
KEPT_FOR = timedelta(days=30)

OPEN = """
INSERT INTO evpower.station_transactions AS t (station_id, wire_transaction_id, last_event_at)
VALUES (%(station_id)s, %(wire_id)s, %(at)s)
ON CONFLICT (station_id, wire_transaction_id) DO UPDATE SET last_event_at = greatest(t.last_event_at, %(at)s)
RETURNING next_seq_no
"""
KEEP = """
INSERT INTO evpower.transaction_events
    (station_id, wire_transaction_id, seq_no, kind, occurred_at, received_at, offline, facts)
VALUES (%(station_id)s, %(wire_id)s, %(seq_no)s, %(kind)s, %(occurred_at)s, %(at)s, %(offline)s, %(facts)s)
ON CONFLICT (station_id, wire_transaction_id, seq_no) DO NOTHING
"""
# How many wait is in the transaction's row, where readings that come in order look (`metering/rows/event_order.py`).
WAIT = """
UPDATE evpower.station_transactions SET waiting = waiting + 1
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s
"""
READ = """
SELECT occurred_at, kind, answer, applied_at FROM evpower.transaction_events
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND seq_no = %(seq_no)s
"""
READ_READING = """
SELECT occurred_at FROM evpower.ocpp_meter_values
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND seq_no = %(seq_no)s
  AND received_at >= %(since)s
LIMIT 1
"""
# In the order of their numbers: the next one; the first, whatever number its station gives it; one that comes after
# later ones; and, once an event has waited too long for its predecessors, the lowest there is.
NEXT = """
SELECT e.facts, e.received_at FROM evpower.transaction_events e
JOIN evpower.station_transactions t USING (station_id, wire_transaction_id)
WHERE e.station_id = %(station_id)s AND e.wire_transaction_id = %(wire_id)s AND e.applied_at IS NULL
  AND (e.seq_no <= t.next_seq_no OR e.kind = 'Started' OR EXISTS (
      SELECT FROM evpower.transaction_events w WHERE w.station_id = e.station_id
      AND w.wire_transaction_id = e.wire_transaction_id AND w.applied_at IS NULL AND w.received_at <= %(waited_since)s))
ORDER BY e.seq_no LIMIT 1
"""
# Two tasks may apply the same event, each a repeat of the other; the first answer stays.
APPLIED = """
UPDATE evpower.transaction_events SET answer = %(answer)s, applied_at = %(at)s
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND seq_no = %(seq_no)s AND applied_at IS NULL
"""
MOVE = """
UPDATE evpower.station_transactions
SET next_seq_no = greatest(next_seq_no, %(next)s), waiting = greatest(waiting - %(waited)s, 0), id_tag = %(id_tag)s,
    connector_id = %(connector_id)s, remote_start_id = %(remote_start_id)s, reservation_id = %(reservation_id)s,
    awaits_register = %(awaits_register)s, claimed = %(claimed)s, ended_at = %(ended_at)s,
    charging_state = coalesce(%(charging_state)s, charging_state)
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s
"""
READ_TRANSACTION = """
SELECT wire_transaction_id, connector_id, id_tag, remote_start_id, reservation_id, awaits_register, claimed, ended_at
FROM evpower.station_transactions WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s
"""
READ_END = """
SELECT facts FROM evpower.transaction_events
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND kind = 'Ended' AND applied_at IS NOT NULL
ORDER BY seq_no DESC LIMIT 1
"""
OVERDUE = """
SELECT DISTINCT station_id, wire_transaction_id FROM evpower.transaction_events
WHERE applied_at IS NULL AND received_at <= %(waited_since)s
"""
UNENDED = """
SELECT wire_transaction_id FROM evpower.station_transactions
WHERE station_id = %(station_id)s AND ended_at IS NULL ORDER BY last_event_at
"""
CHARGING_STATES = """
SELECT connector_id, charging_state FROM evpower.station_transactions
WHERE station_id = %(station_id)s AND ended_at IS NULL AND connector_id IS NOT NULL AND charging_state IS NOT NULL
ORDER BY last_event_at
"""
LOST = """
UPDATE evpower.station_transactions SET ended_at = %(at)s
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND ended_at IS NULL
"""
# What the transaction measured before anybody's charge began.
MEASURED = """
SELECT min(energy_wh) AS least_wh, max(energy_wh) AS most_wh, min(measured_at) AS since
FROM evpower.ocpp_meter_values
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND energy_wh IS NOT NULL
"""
IS_A_CHARGE = """
SELECT FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s
"""
TAG_OF_START = """
SELECT s.id_tag FROM evpower.session_phases p JOIN public.charging_sessions s ON s.id = p.session_id
WHERE s.station_id = %(station_id)s AND p.remote_start_id = %(remote_start_id)s
"""
SESSION_OF = """
SELECT charging_session_id AS id FROM evpower.ocpp_transactions
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND charging_session_id IS NOT NULL
"""
# An event whose transaction goes on keeps it; of what waits nothing is dropped.
FORGET = """
WITH old AS (
    DELETE FROM evpower.station_transactions t WHERE last_event_at < %(before)s AND NOT EXISTS (
        SELECT FROM evpower.ocpp_transactions o WHERE o.station_id = t.station_id
        AND o.wire_transaction_id = t.wire_transaction_id AND o.status = 'Started')
    RETURNING station_id, wire_transaction_id)
DELETE FROM evpower.transaction_events e USING old
WHERE e.station_id = old.station_id AND e.wire_transaction_id = old.wire_transaction_id
"""

_encode = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(ReportedEvent).decode
_decode_answer = msgspec.json.Decoder(EventAnswer).decode


@dataclass(frozen=True)
class KeptEvent:
    """What is known of an event that came before."""

    occurred_at: datetime
    kind: EventStage
    #: None: it was not applied yet.
    answer: EventAnswer | None
    is_applied: bool


async def keep(conn: Conn, station_id: StationId, event: ReportedEvent, at: datetime) -> KeptEvent | None:
    """Write an event, and its transaction when it is the first; what was kept under its number, when it is a repeat."""
    where = {"station_id": station_id, "wire_id": event.wire_transaction_id, "at": at}
    opened = await (await conn.execute(OPEN, where)).fetchone()
    assert opened is not None
    if event.seq_no < opened["next_seq_no"] and (reading := await _reading(conn, station_id, event, at)) is not None:
        return reading
    parameters = {
        **where,
        "seq_no": event.seq_no,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "offline": event.offline,
        "facts": _encode(event).decode(),
    }
    if (await conn.execute(KEEP, parameters)).rowcount:
        await conn.execute(WAIT, where)
        return None
    return await read_kept(conn, station_id, event)


async def _reading(conn: Conn, station_id: StationId, event: ReportedEvent, at: datetime) -> KeptEvent | None:
    """What was taken in its order under the number of an event: a row of readings, and no row of events."""
    parameters = {
        "station_id": station_id,
        "wire_id": event.wire_transaction_id,
        "seq_no": event.seq_no,
        "since": at - KEPT_FOR,
    }
    row = await (await conn.execute(READ_READING, parameters)).fetchone()
    return None if row is None else KeptEvent(row["occurred_at"], "Updated", None, is_applied=True)


async def read_kept(conn: Conn, station_id: StationId, event: ReportedEvent) -> KeptEvent:
    """What is kept under the number of an event."""
    parameters = {"station_id": station_id, "wire_id": event.wire_transaction_id, "seq_no": event.seq_no}
    row = await (await conn.execute(READ, parameters)).fetchone()
    assert row is not None, "events are dropped long after their last repeat"
    answer = None if row["answer"] is None else _decode_answer(row["answer"])
    return KeptEvent(row["occurred_at"], row["kind"], answer, row["applied_at"] is not None)


async def next_due(
    conn: Conn, station_id: StationId, wire_id: WireTransactionId, at: datetime
) -> tuple[ReportedEvent, datetime] | None:
    """The event to be applied now, and when it came; None while all that wait have to."""
    parameters = {"station_id": station_id, "wire_id": wire_id, "waited_since": at - GAP_AFTER}
    row = await (await conn.execute(NEXT, parameters)).fetchone()
    return None if row is None else (_decode_event(row["facts"]), row["received_at"])


async def read_transaction(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> OpenTransaction:
    """A transaction that has an event."""
    row = await (await conn.execute(READ_TRANSACTION, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    assert row is not None
    return OpenTransaction(**row)


async def read_end(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> ReportedEvent | None:
    """The event with which it ended, once that was applied."""
    row = await (await conn.execute(READ_END, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    return None if row is None or row["facts"] is None else _decode_event(row["facts"])


async def applied(
    conn: Conn,
    station_id: StationId,
    event: ReportedEvent,
    transaction: OpenTransaction,
    answer: EventAnswer,
    at: datetime,
) -> None:
    """An event was applied, and left its transaction like this."""
    parameters: dict[str, Any] = {
        "station_id": station_id,
        "wire_id": event.wire_transaction_id,
        "seq_no": event.seq_no,
        "next": event.seq_no + 1,
        "answer": _encode(replace(answer, total_cost_tyiyn=None)).decode(),
        "at": at,
        "connector_id": transaction.connector_id,
        "id_tag": transaction.id_tag,
        "remote_start_id": transaction.remote_start_id,
        "reservation_id": transaction.reservation_id,
        "awaits_register": transaction.awaits_register,
        "claimed": transaction.claimed,
        "ended_at": transaction.ended_at,
        "charging_state": event.charging_state,
    }
    waited = (await conn.execute(APPLIED, parameters)).rowcount
    await conn.execute(MOVE, parameters | {"waited": waited})


async def overdue(conn: Conn, at: datetime) -> Sequence[tuple[StationId, WireTransactionId]]:
    """Transactions with an event that has waited too long for its predecessors."""
    cursor = await conn.execute(OVERDUE, {"waited_since": at - GAP_AFTER})
    return [(row["station_id"], row["wire_transaction_id"]) for row in await cursor.fetchall()]


async def unended(conn: Conn, station_id: StationId) -> list[WireTransactionId]:
    """Transactions whose end has not come."""
    cursor = await conn.execute(UNENDED, {"station_id": station_id})
    return [WireTransactionId(row["wire_transaction_id"]) for row in await cursor.fetchall()]


async def charging_states(conn: Conn, station_id: StationId) -> dict[ConnectorId, str]:
    """By connector, of its latest transaction that goes on."""
    cursor = await conn.execute(CHARGING_STATES, {"station_id": station_id})
    return {row["connector_id"]: row["charging_state"] for row in await cursor.fetchall()}


async def end_as_lost(conn: Conn, station_id: StationId, wire_id: WireTransactionId, at: datetime) -> None:
    """Its station knows it no more."""
    await conn.execute(LOST, {"station_id": station_id, "wire_id": wire_id, "at": at})


@dataclass(frozen=True)
class Measured:
    """The lowest and the highest register of a transaction in Wh, and when the first was measured."""

    least_wh: int | None
    most_wh: int | None
    since: datetime | None


async def measured(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> Measured:
    """What the meter said during a transaction."""
    row = await (await conn.execute(MEASURED, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    assert row is not None
    return Measured(**row)


async def is_a_charge(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> bool:
    """Whether somebody's token was shown for it, accepted or not."""
    cursor = await conn.execute(IS_A_CHARGE, {"station_id": station_id, "wire_id": wire_id})
    return await cursor.fetchone() is not None


async def tag_of_start(conn: Conn, station_id: StationId, remote_start_id: int) -> IdTag | None:
    """The tag of the charge that was asked for under this number."""
    parameters = {"station_id": station_id, "remote_start_id": remote_start_id}
    row = await (await conn.execute(TAG_OF_START, parameters)).fetchone()
    return None if row is None else IdTag(row["id_tag"])


async def session_of(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> SessionId | None:
    """Whose charge it is."""
    row = await (await conn.execute(SESSION_OF, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    return None if row is None else SessionId(row["id"])


async def forget(conn: Conn, at: datetime) -> None:
    """Drop what no station repeats any more."""
    await conn.execute(FORGET, {"before": at - KEPT_FOR})
