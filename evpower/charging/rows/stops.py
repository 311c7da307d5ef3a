"""Stops that were asked of stations, and charges that go on without a session (field rulings 4.1, 4.2).

A transaction is *unpaid* when its session is final or its start was refused. One that is given away was accepted and
has no session, so it is none of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import SessionId, StationId, WireTransactionId
from evpower.metering.energy_sql import ENERGY_WH
from evpower.narrowing import Narrowing

#: SQL, where `t` is the transaction, `s` its session and `c` its connector.
UNPAID = "(s.settled_at IS NOT NULL OR t.verdict <> 'Accepted')"
_PAID_WH = "coalesce(s.energy * 1000, 0)"
#: It delivers: its energy rose since it was asked to stop, or since its end, or the connector says so.
DELIVERS = f"({ENERGY_WH} > coalesce(t.stop_asked_wh, {_PAID_WH}) OR c.ocpp_status = 'Charging')"
OF_TRANSACTION = """
FROM evpower.ocpp_transactions t
LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
LEFT JOIN evpower.session_phases p ON p.session_id = s.id
LEFT JOIN public.connectors c ON c.station_id = t.station_id AND c.connector_number = t.connector_id
"""
#: A time that lies ahead is of a clock that was set back.
_ASKED_LONG_AGO = "({at} <= %(since)s OR {at} > %(now)s)"
GOES_ON = f"t.status = 'Started' AND {UNPAID} AND {DELIVERS}"

# One that is paid was asked to stop, by a person or at its limit. At a limit the next reading brings its own repeat
# (`charging/limits.py`), so that only the silent are due here.
DUE = f"""
SELECT t.station_id, t.connector_id, t.wire_transaction_id AS transaction_id, t.charging_session_id AS session_id,
       {UNPAID} AS unpaid, t.stops_asked, t.meter_last_wh
{OF_TRANSACTION}
WHERE t.status = 'Started' AND (%(station_id)s::text IS NULL OR t.station_id = %(station_id)s)
  AND {_ASKED_LONG_AGO.format(at="coalesce(t.stop_asked_at, s.settled_at, t.received_at)")}
  AND CASE WHEN {UNPAID} THEN {DELIVERS}
           ELSE t.stop_asked_at IS NOT NULL
                AND (p.stop_requested_at IS NOT NULL OR coalesce(t.last_sample_at <= t.stop_asked_at, true)) END
"""

ASK = f"""
UPDATE evpower.ocpp_transactions
SET stop_asked_at = %(now)s, stop_asked_wh = {ENERGY_WH}, stops_asked = stops_asked + 1
WHERE station_id = %(station_id)s AND wire_transaction_id = %(transaction_id)s AND status = 'Started'
"""
ASK_AGAIN = f"{ASK} AND (stop_asked_at IS NULL OR {_ASKED_LONG_AGO.format(at='stop_asked_at')})"

WITHOUT_SESSION = f"""
SELECT t.station_id, t.connector_id, t.wire_transaction_id AS transaction_id, t.charging_session_id AS session_id,
       t.id_tag, t.verdict, coalesce(s.settled_at, t.received_at) AS unpaid_since, t.meter_start_wh, t.meter_last_wh,
       greatest(0, {ENERGY_WH} - {_PAID_WH})::bigint AS energy_wh, c.ocpp_status, t.last_sample_at,
       t.stop_asked_at, t.stops_asked
{OF_TRANSACTION} WHERE {GOES_ON} AND (%(station_id)s::text IS NULL OR t.station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR t.station_id = ANY(%(of_stations)s))
ORDER BY unpaid_since DESC, t.id DESC
"""
COUNT_WITHOUT_SESSION = f"SELECT count(*) AS charges {OF_TRANSACTION} WHERE {GOES_ON}"


@dataclass(frozen=True)
class StopDue:
    """A transaction whose station has to be asked to stop again."""

    station_id: StationId
    connector_id: int
    transaction_id: WireTransactionId
    session_id: SessionId | None
    #: No session pays for it: it is charging without a session.
    unpaid: bool
    stops_asked: int
    meter_last_wh: int


@dataclass(frozen=True)
class ChargeWithoutSession:
    """A charge that goes on although no session pays for it; `energy` is what no session was billed, in Wh."""

    station_id: StationId
    connector_id: int
    transaction_id: WireTransactionId
    session_id: SessionId | None
    id_tag: str
    verdict: str
    unpaid_since: datetime
    meter_start_wh: int
    meter_last_wh: int
    energy_wh: int
    ocpp_status: str | None
    last_sample_at: datetime | None
    stop_asked_at: datetime | None
    stops_asked: int


async def stops_due(conn: Conn, station_id: StationId | None, *, since: datetime, now: datetime) -> list[StopDue]:
    """Transactions of this station, or of every one, that were not asked to stop since then and have to be."""
    cursor = await conn.execute(DUE, {"station_id": station_id, "since": since, "now": now})
    return [StopDue(**row) for row in await cursor.fetchall()]


async def note_asked(conn: Conn, station_id: StationId, transaction_id: WireTransactionId, now: datetime) -> None:
    """The station is about to be asked to stop this transaction."""
    await conn.execute(ASK, {"station_id": station_id, "transaction_id": transaction_id, "now": now})


async def claim_repeat(
    conn: Conn, station_id: StationId, transaction_id: WireTransactionId, *, since: datetime, now: datetime
) -> bool:
    """The same; False, and nothing noted, when it was asked since then already, by any process."""
    parameters = {"station_id": station_id, "transaction_id": transaction_id, "since": since, "now": now}
    return (await conn.execute(ASK_AGAIN, parameters)).rowcount == 1


async def count_without_session(conn: Conn) -> int:
    """How many charges go on and are not paid for."""
    (row,) = await (await conn.execute(COUNT_WITHOUT_SESSION)).fetchall()
    return int(row["charges"])


async def charges_without_session(conn: Conn, wanted: Narrowing) -> list[ChargeWithoutSession]:
    """Charges that go on and are not paid for, the newest first."""
    cursor = await conn.execute(WITHOUT_SESSION, wanted.parameters)
    return [ChargeWithoutSession(**row) for row in await cursor.fetchall()]
