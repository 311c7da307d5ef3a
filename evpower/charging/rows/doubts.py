"""Rows of `evpower.doubts` as a person sees and settles them, and bills that cannot be written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId, StationId, TransactionKey
from evpower.metering.meter_value import MAX_ENERGY_WH
from evpower.metering.registers import DoubtKind
from evpower.narrowing import Narrowing

#: How a person settled one.
Settled = Literal["billed", "dismissed"]

# What the station says was delivered: its own stop minus its own start, where both are registers.
DOUBTS = """
SELECT d.id, d.kind, d.message, d.station_id, d.connector_id, d.transaction_key,
       t.wire_transaction_id AS transaction_id, d.session_id, s.user_id AS client_id, d.figures, d.first_figure,
       d.latest_figure, d.bound, d.first_at, d.latest_at, d.detail,
       CASE WHEN s.settled_at IS NOT NULL THEN (s.energy * 1000)::bigint END AS billed_wh,
       CASE WHEN s.settled_at IS NOT NULL THEN (s.amount * 100)::bigint END AS billed_tyiyn,
       CASE WHEN d.kind = 'stop' AND t.meter_stop_wh >= t.meter_start_wh AND t.meter_start_wh < %(unreadable_wh)s
            THEN t.meter_stop_wh - t.meter_start_wh END AS station_wh,
       d.settled, d.settled_at, d.settled_by, d.settled_reason
FROM evpower.doubts d
LEFT JOIN evpower.ocpp_transactions t ON t.id = d.transaction_key
LEFT JOIN public.charging_sessions s ON s.id = d.session_id
"""
LIST_DOUBTS = f"""{DOUBTS} WHERE (%(all)s OR d.settled_at IS NULL)
  AND (%(station_id)s::text IS NULL OR d.station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR d.station_id = ANY(%(of_stations)s))
  AND (%(client_id)s::text IS NULL OR s.user_id = %(client_id)s)
  AND (%(since)s::timestamptz IS NULL OR d.first_at >= %(since)s)
ORDER BY d.first_at DESC, d.id DESC LIMIT %(limit)s"""
READ_DOUBT = f"{DOUBTS} WHERE d.id = %(id)s"
LOCK_DOUBT = "SELECT FROM evpower.doubts WHERE id = %(id)s FOR UPDATE"
SETTLE_DOUBT = """
UPDATE evpower.doubts
SET settled = %(settled)s, settled_at = %(at)s, settled_by = %(actor)s, settled_reason = %(reason)s
WHERE id = %(id)s
"""
NOTE_UNWRITABLE = """
INSERT INTO evpower.doubts AS d (kind, message, station_id, connector_id, transaction_key, session_id, first_figure,
    latest_figure, bound, first_at, latest_at, detail)
SELECT 'settlement', %(message)s, s.station_id, s.connector_id, (
           SELECT max(t.id) FROM evpower.ocpp_transactions t WHERE t.charging_session_id = s.id),
       s.id, %(energy_wh)s, %(energy_wh)s, 0, %(at)s, %(at)s, %(detail)s
FROM public.charging_sessions s WHERE s.id = %(session_id)s
ON CONFLICT (session_id) WHERE kind = 'settlement' DO UPDATE
SET figures = d.figures + 1, latest_figure = excluded.latest_figure, latest_at = excluded.latest_at,
    detail = excluded.detail, settled = NULL, settled_at = NULL, settled_by = NULL, settled_reason = NULL
"""


@dataclass(frozen=True)
class DoubtRecord:
    """A figure that was not believed, of which charge, and what a person decided of it.

    Figures and bound are Wh, of `power` W, of `clock` minutes, of `no_register` and `boundary` seconds.
    """

    id: int
    kind: DoubtKind
    #: The standard's name of what carried it.
    message: str
    station_id: StationId
    connector_id: int
    transaction_key: TransactionKey | None
    transaction_id: str | None
    session_id: SessionId | None
    client_id: ClientId | None
    figures: int
    first_figure: int
    latest_figure: int
    bound: int
    first_at: datetime
    latest_at: datetime
    detail: str | None
    #: What its session is billed; None until it is final.
    billed_wh: int | None
    billed_tyiyn: int | None
    #: What the station says it delivered, when its stop is what is doubtful.
    station_wh: int | None
    settled: Settled | None
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None


async def list_doubts(conn: Conn, wanted: Narrowing, *, settled_too: bool) -> list[DoubtRecord]:
    """The newest first."""
    parameters = {**wanted.parameters, "all": settled_too, "unreadable_wh": MAX_ENERGY_WH}
    return [DoubtRecord(**row) for row in await (await conn.execute(LIST_DOUBTS, parameters)).fetchall()]


async def read_doubt(conn: Conn, doubt_id: int) -> DoubtRecord | None:
    """One of them."""
    row = await (await conn.execute(READ_DOUBT, {"id": doubt_id, "unreadable_wh": MAX_ENERGY_WH})).fetchone()
    return None if row is None else DoubtRecord(**row)


async def lock_doubt(conn: Conn, doubt_id: int) -> DoubtRecord | None:
    """The same, its row taken for this unit of work; its session and client come first."""
    await conn.execute(LOCK_DOUBT, {"id": doubt_id})
    return await read_doubt(conn, doubt_id)


async def settle_doubt(
    conn: Conn,
    doubt_id: int,
    settled: Settled,
    *,
    actor: str,
    reason: str | None,
    at: datetime,
) -> None:
    """Store what a person decided; the caller holds the row."""
    parameters = {"id": doubt_id, "settled": settled, "actor": actor, "reason": reason, "at": at}
    await conn.execute(SETTLE_DOUBT, parameters)


async def note_unwritable(
    conn: Conn, session_id: SessionId, *, correction: bool, energy_wh: int, detail: str, at: datetime
) -> None:
    """A bill cannot be written; a person is asked, again when it was so before."""
    parameters = {
        "session_id": session_id,
        "message": "correction" if correction else "settlement",
        "energy_wh": energy_wh,
        "detail": detail,
        "at": at,
    }
    await conn.execute(NOTE_UNWRITABLE, parameters)
