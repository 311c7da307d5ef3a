"""Which sessions have something to be done for them: what the workers, and a station that is back, look for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from evpower.charging.rows.transactions import running_but_final
from evpower.db.connection import Conn
from evpower.identifiers import SessionId, StationId, WireTransactionId
from evpower.metering.belief import LATE_AFTER
from evpower.metering.energy_sql import ENERGY_WH

# One that has begun, or was asked to stop, has nothing to ask its station to begin.
TO_BEGIN = """
SELECT s.station_id, s.id FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.station_id = ANY(%(station_ids)s) AND s.status = 'started' AND s.settled_at IS NULL
  AND p.stop_requested_at IS NULL
  AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = s.id)
ORDER BY s.created_at
"""

# A bill that could not be written waits for a person.
_WRITABLE = """NOT EXISTS (SELECT FROM evpower.doubts d WHERE d.session_id = p.session_id AND d.kind = 'settlement'
                           AND d.settled IS DISTINCT FROM 'billed')"""
DUE_TO_SETTLE = f"""
SELECT p.session_id AS id FROM evpower.session_phases p WHERE p.phase = 'ended' AND {_WRITABLE}
ORDER BY p.phase_at LIMIT 200
"""

# A settlement is an estimate only when it saw no believed stop register: any there is now came later, whatever its time
# says. One that is not believed waits for a person.
DUE_TO_CORRECT = f"""
SELECT p.session_id AS id FROM evpower.session_phases p
JOIN evpower.ocpp_transactions t ON t.charging_session_id = p.session_id
WHERE p.phase = 'settled' AND p.estimated AND p.corrected_at IS NULL AND t.meter_stop_wh = t.meter_last_wh
  AND {_WRITABLE}
LIMIT 200
"""

# What a start may have to wait for: a charge of the same client, or of the same connector. Phases by id (OFFSET sees
# to that): their index has a dead entry for each charge since its last vacuum.
ENDED_BEFORE_START = f"""
SELECT p.session_id AS id FROM public.charging_sessions s
CROSS JOIN LATERAL (SELECT * FROM evpower.session_phases WHERE session_id = s.id OFFSET 0) p
WHERE s.settled_at IS NULL
  AND (s.user_id = %(client_id)s OR (s.station_id = %(station_id)s AND s.connector_id = %(connector_id)s))
  AND p.phase = 'ended' AND {_WRITABLE}
ORDER BY p.phase_at
"""

_MORE_THAN_BILLED = f"""
SELECT s.id FROM evpower.ocpp_transactions t
JOIN public.charging_sessions s ON s.id = t.charging_session_id
JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.settled_at IS NOT NULL AND p.corrected_at IS NULL AND {ENERGY_WH} > s.energy * 1000 + p.unbilled_wh
"""
# Which delivered more than is billed and noted: the station went on (money audit A7). A believed stop corrects the bill
# instead; one that is not believed leaves an estimate, and what its readings show besides.
DUE_TO_NOTE = f"""
({_MORE_THAN_BILLED} AND t.stop_received_at IS NULL LIMIT 200)
UNION ALL
({_MORE_THAN_BILLED} AND t.stop_received_at IS NOT NULL AND p.phase = 'settled' AND p.estimated
                     AND t.meter_stop_wh IS DISTINCT FROM t.meter_last_wh LIMIT 200)
"""

RUNNING_TOO_LONG = """
SELECT s.id FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE p.phase IN ('charging', 'stopping') AND s.created_at < %(before)s
"""

# A reading measured before the boot was queued, and is no sign that the charge survived it (field ruling 4.4). Measured
# by the station's clock: where it is slow, a reading that comes at once is as late as the start was; one that has gone
# back behind the start says nothing.
SILENT_SINCE_REBOOT = f"""
SELECT p.session_id AS id FROM evpower.session_phases p
JOIN evpower.ocpp_transactions t ON t.charging_session_id = p.session_id
WHERE p.phase IN ('charging', 'stopping') AND p.rebooted_at < %(before)s
  AND NOT coalesce(t.last_sample_at > p.rebooted_at AND EXISTS (
      SELECT FROM evpower.ocpp_meter_values m
      WHERE m.station_id = t.station_id AND m.received_at > p.rebooted_at
        AND (m.wire_transaction_id = t.wire_transaction_id OR m.connector_id = t.connector_id)
        AND (m.measured_at > p.rebooted_at OR m.measured_at < t.started_at
             OR (m.received_at - m.measured_at) - (t.received_at - t.started_at)
                BETWEEN -interval '{LATE_AFTER}' AND interval '{LATE_AFTER}')), false)
"""

STOP_OVERDUE = """
SELECT session_id AS id FROM evpower.session_phases
WHERE phase IN ('reserved', 'starting', 'charging', 'stopping') AND stop_requested_at < %(before)s
"""


async def session_ids(conn: Conn, query: str, **parameters: object) -> list[SessionId]:
    """The ids one of these queries finds."""
    cursor = await conn.execute(query, parameters)
    return [SessionId(row["id"]) for row in await cursor.fetchall()]


@dataclass
class TakenUp:
    """What waits for a station's return."""

    to_begin: list[SessionId] = field(default_factory=list)
    #: Transactions it still runs although they are no longer paid for.
    unpaid: list[WireTransactionId] = field(default_factory=list)


async def to_take_up(conn: Conn, station_ids: Sequence[StationId]) -> dict[StationId, TakenUp]:
    """What waits for each of these stations; those nothing waits for are left out."""
    waiting: defaultdict[StationId, TakenUp] = defaultdict(TakenUp)
    cursor = await conn.execute(TO_BEGIN, {"station_ids": list(station_ids)})
    for row in await cursor.fetchall():
        waiting[row["station_id"]].to_begin.append(SessionId(row["id"]))
    for station_id, transaction_id in await running_but_final(conn, station_ids):
        waiting[station_id].unpaid.append(transaction_id)
    return dict(waiting)
