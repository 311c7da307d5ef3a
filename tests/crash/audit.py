"""The audit after each round: from outside, by the stations' own registers and what was paid at the provider."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import trio
from psycopg.rows import dict_row

from tests.crash.disasters import Scene
from tests.crash.street import OPENING, Place, cost_of

QUIET_WITHIN_S = 240.0
LOOK_EVERY_S = 1.0
UNFINISHED = """
SELECT 'session ' || p.session_id || ' is ' || p.phase AS what FROM evpower.session_phases p
WHERE p.phase NOT IN ('settled', 'released')
UNION ALL SELECT 'top-up ' || topup_id || ' has ' || due_why FROM evpower.top_up_orders WHERE due_why IS NOT NULL
UNION ALL SELECT 'top-up ' || topup_id || ' is asked about' FROM evpower.top_up_orders
WHERE next_check_at <= now() OR leased_until > now()
UNION ALL SELECT 'provider event ' || id FROM evpower.provider_events WHERE outcome = 'queued'
UNION ALL SELECT 'correction of ' || p.session_id FROM evpower.session_phases p
JOIN evpower.ocpp_transactions t ON t.charging_session_id = p.session_id
WHERE p.phase = 'settled' AND p.estimated AND p.corrected_at IS NULL AND t.meter_stop_wh IS NOT NULL
"""
CHARGES = """
SELECT s.user_id, s.id, s.id_tag, s.status, s.energy, s.amount, p.unbilled_wh, p.unbilled_tyiyn, t.meter_start_wh,
       t.id AS transaction_key, t.wire_transaction_id, t.meter_base_wh, t.meter_carried_wh, t.meter_last_wh,
       t.meter_stop_wh, t.started_at, t.stopped_at, t.flags, p.estimated, p.corrected_at, p.end_cause,
       (SELECT json_agg(d) FROM evpower.doubts d WHERE d.session_id = s.id) AS doubts
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
LEFT JOIN evpower.ocpp_transactions t ON t.charging_session_id = s.id
"""
CLIENTS = "SELECT id, balance, debt_amount FROM public.clients"
PARKED = "SELECT coalesce(sum(amount_tyiyn), 0) AS tyiyn FROM evpower.parked_payments WHERE reason <> 'refund'"
CHECK_NOW = "UPDATE evpower.top_up_orders SET next_check_at = now() WHERE next_check_at IS NOT NULL"


async def until_quiet(scene: Scene, places: Sequence[Place]) -> list[str]:
    """Wait until everything has its end; what has none in time."""
    left: list[str] = ["nothing was seen"]
    with trio.move_on_after(QUIET_WITHIN_S):
        asked: list[dict[str, Any]] | None = None
        while left:
            # The database may be away still.
            asked = rows(scene, CHECK_NOW) if asked is None else asked
            await trio.sleep(LOOK_EVERY_S)
            left = [f"{one.station.station_id} queues" for one in places if len(one.station.hardware.outbox)]
            found = rows(scene, UNFINISHED)
            left += ["no database"] if found is None or asked is None else [row["what"] for row in found]
    return left


def rows(scene: Scene, sql: str) -> list[dict[str, Any]] | None:
    """Read, or done; None while there is no database."""
    connection = scene.database()
    if connection is None:
        return None
    with connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def audit(scene: Scene, places: Sequence[Place]) -> list[str]:
    """Everything wrong: a bill that is not its register's, money that is not where it must be, a lost answer."""
    charges, clients = rows(scene, CHARGES), rows(scene, CLIENTS)
    if charges is None or clients is None:
        return ["no database"]
    by_id = {row["id"]: row for row in charges}
    parked = Decimal(next(iter(rows(scene, PARKED) or []))["tyiyn"]) / 100
    found = []
    missing = Decimal(0)
    for place in places:
        found += [f"{one} was acknowledged, and is not there" for one in place.sessions if one not in by_id]
        own = [row for row in charges if row["user_id"] == place.client]
        found += [problem for row in own for problem in wrong_bill(row, place)]
        tags = {row["id_tag"] for row in own if row["transaction_key"] is not None}
        found += [f"{wh} Wh of {tag} have no session" for tag, wh in place.delivered.items() if tag not in tags and wh]
        balance = next(row["balance"] - row["debt_amount"] for row in clients if row["id"] == place.client)
        must_be = OPENING + place.paid_in - sum((row["amount"] or Decimal(0) for row in own), Decimal(0))
        missing += must_be - balance
        if balance > must_be:
            found.append(f"{place.client} has {balance} instead of {must_be}")
    if missing != parked:
        found.append(f"{missing} som of payments are not credited, and {parked} parked")
    return found


def wrong_bill(row: dict[str, Any], place: Place) -> list[str]:
    """A session's bill is its station's register times the price; what was given up first is free."""
    flowed_wh = place.delivered.get(row["id_tag"], 0)
    energy_wh, amount = round((row["energy"] or 0) * 1000), row["amount"] or Decimal(0)
    if energy_wh + row["unbilled_wh"] != flowed_wh:
        return [f"{energy_wh} + {row['unbilled_wh']} Wh of {flowed_wh}: {row}"]
    if amount != cost_of(energy_wh) or amount + Decimal(row["unbilled_tyiyn"]) / 100 != cost_of(flowed_wh):
        return [f"{amount} som for {energy_wh} Wh: {row}"]
    return []
