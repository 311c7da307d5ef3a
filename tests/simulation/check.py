"""What must hold after every commit, and when the faults have stopped (design §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import trio
from psycopg.errors import LockNotAvailable
from psycopg.rows import dict_row

from evpower.billing.rows.ledger import CHECKS
from tests.simulation.engine import Engine, InvariantBroken
from tests.simulation.pace import AT_MOST_S
from tests.simulation.phones import Acknowledged
from tests.simulation.plan import Plan
from tests.simulation.truth import PhysicalCharge, Prices, Truth, prices
from tests.simulation.world import BEGINS_AT

#: All of `evpower ledger check` after every so many commits; what is cheap after each.
ALL_CHECKS_EVERY = 100

#: Two sample intervals and a delay.
UNSEEN_S = 120.0
#: Each row is something wrong.
AFTER_EACH_COMMIT = """
SELECT 'an entry that does not sum to zero' AS what, entry_id::text AS id FROM evpower.ledger_postings
GROUP BY entry_id HAVING sum(amount_tyiyn) <> 0
UNION ALL
SELECT 'a balance or a debt below zero', id FROM public.clients WHERE balance < 0 OR debt_amount < 0
UNION ALL
SELECT 'a balance that is not the sum of its postings', c.id FROM public.clients c
LEFT JOIN evpower.ledger_postings p ON p.client_id = c.id AND p.account = 'client'
GROUP BY c.id HAVING c.balance * 100 <> coalesce(sum(p.amount_tyiyn), 0)
UNION ALL
SELECT 'a debt that is not what sessions left unpaid', c.id FROM public.clients c
LEFT JOIN public.charging_sessions s ON s.user_id = c.id
GROUP BY c.id HAVING c.debt_amount <> coalesce(sum(s.debt_amount), 0)
UNION ALL
SELECT 'money beside a debt, which it pays first', id FROM public.clients WHERE balance > 0 AND debt_amount > 0
UNION ALL
SELECT 'two running sessions of one connector', station_id FROM public.charging_sessions WHERE status = 'started'
GROUP BY station_id, connector_id HAVING count(*) > 1
UNION ALL
SELECT 'a hold that is not what its phase says', s.id FROM public.charging_sessions s
LEFT JOIN evpower.ledger_entries e ON e.session_id = s.id
LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'held'
GROUP BY s.id HAVING coalesce(sum(p.amount_tyiyn), 0)
    <> CASE WHEN s.settled_at IS NULL THEN s.reserved_amount * 100 ELSE 0 END
UNION ALL
SELECT 'a hold that is not what its reservation says', r.id FROM evpower.reservations r
LEFT JOIN evpower.ledger_entries e ON e.kind LIKE 'reservation%' AND split_part(e.key, ':', 2) = r.id
LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'held'
GROUP BY r.id HAVING coalesce(sum(p.amount_tyiyn), 0) <> CASE WHEN r.ended_at IS NULL THEN r.hold_tyiyn ELSE 0 END
LIMIT 3
"""
#: Every sweep of a worker comes within it: the longest pace, and the work of one.
SWEPT_WITHIN_S = AT_MOST_S + 5.0
UNFINISHED = """
SELECT 'session ' || s.id || ' is ' || p.phase AS what FROM public.charging_sessions s
JOIN evpower.session_phases p ON p.session_id = s.id WHERE p.phase NOT IN ('settled', 'released')
UNION ALL
SELECT 'top-up ' || topup_id || ' has ' || due_why FROM evpower.top_up_orders WHERE due_why IS NOT NULL
UNION ALL
SELECT 'provider event ' || id || ' is ' || outcome FROM evpower.provider_events WHERE outcome = 'queued'
UNION ALL
SELECT 'reservation ' || id || ' is ' || status FROM evpower.reservations WHERE ended_at IS NULL
UNION ALL
SELECT 'readings of ' || t.station_id || ' may wait for a sweep' FROM evpower.ocpp_transactions t
JOIN evpower.session_phases p ON p.session_id = t.charging_session_id
WHERE p.phase = 'settled' AND t.meter_last_received_at > %(swept)s
"""
SESSIONS = """
SELECT s.id, s.user_id, s.station_id, coalesce(t.id_tag, s.id_tag) AS id_tag, s.status, s.energy, s.amount,
       s.debt_amount, s.start_time, s.created_at,
       s.rate_per_kwh, s.rate_per_minute, s.session_fee, s.settled_at, p.phase, p.estimated, p.corrected_at,
       p.unbilled_wh, p.unbilled_tyiyn, p.end_cause, p.stop_requested_by, t.meter_start_wh, t.meter_stop_wh,
       t.meter_last_wh, t.flags, t.id AS transaction_key, t.wire_transaction_id,
       (SELECT count(*) FROM evpower.doubts d WHERE d.session_id = s.id
            AND d.kind IN ('stop', 'restart')) AS doubts,
       (SELECT count(*) FROM evpower.doubts d WHERE d.session_id = s.id AND d.kind = 'stop') AS stop_doubts,
       (SELECT count(*) FROM evpower.doubts d WHERE d.session_id = s.id AND d.kind = 'settlement') AS unwritable,
       (SELECT count(*) FROM evpower.doubts d WHERE d.session_id = s.id AND d.kind = 'clock') AS clock_doubts,
       (SELECT count(*) FROM evpower.doubts d WHERE d.session_id = s.id AND d.kind = 'reading') AS reading_doubts
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
LEFT JOIN evpower.ocpp_transactions t ON t.charging_session_id = s.id ORDER BY s.created_at, s.id
"""
ENERGY_BY_STATION = """
SELECT t.station_id, min(t.meter_start_wh) AS first_wh, max(t.meter_last_wh) AS last_wh,
       coalesce((SELECT sum(s.energy) * 1000 FROM public.charging_sessions s WHERE s.station_id = t.station_id), 0)
           AS billed_wh,
       coalesce((SELECT sum(p.unbilled_wh) FROM evpower.session_phases p JOIN public.charging_sessions s
                 ON s.id = p.session_id WHERE s.station_id = t.station_id), 0) AS unbilled_wh,
       coalesce(sum(t.meter_last_wh - t.meter_start_wh) FILTER (WHERE t.charging_session_id IS NULL), 0) AS refused_wh,
       coalesce((SELECT sum(gap) FROM (
           SELECT meter_start_wh - lag(meter_last_wh) OVER (ORDER BY received_at, id) AS gap
           FROM evpower.ocpp_transactions g WHERE g.station_id = t.station_id) gaps WHERE gap > 0), 0) AS missing_wh
FROM evpower.ocpp_transactions t GROUP BY t.station_id ORDER BY t.station_id
"""


#: For a statement by hand, which stops everything else as long as it waits.
NEVER_WAIT, AGAIN_AFTER_S = "SET LOCAL lock_timeout = '1ms'", 1.0


class Checker:
    """Looks by the monitor's connection, between two steps of everything else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.begins_at = BEGINS_AT
        self._looks = 0
        engine.after_commit.append(self.after_commit)

    def rows(self, sql: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        with self._engine.monitor.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, values).fetchall()

    async def run(self, sql: str, values: dict[str, Any]) -> None:
        """By hand, as an operator would; again while one of ours has its rows: it goes on only while we do not wait."""
        while True:
            try:
                with self._engine.monitor.transaction():
                    self._engine.monitor.execute(NEVER_WAIT)
                    self._engine.monitor.execute(sql, values)
            except LockNotAvailable:
                await trio.sleep(AGAIN_AFTER_S)
            else:
                return

    def after_commit(self) -> None:
        """Raises InvariantBroken."""
        if not self._engine.money_moved:
            return
        self._engine.money_moved = False
        self._looks += 1
        if wrong := self.rows(AFTER_EACH_COMMIT):
            raise InvariantBroken(f"{wrong}")
        if self._looks % ALL_CHECKS_EVERY == 0:
            self.ledger()

    def ledger(self) -> None:
        """Raises InvariantBroken."""
        for what, sql in CHECKS.items():
            if wrong := self.rows(f"{sql} LIMIT 3"):
                raise InvariantBroken(f"{what}: {wrong}")

    def unfinished(self) -> list[str]:
        """What has no final state yet."""
        swept = self.begins_at + timedelta(seconds=trio.current_time() - SWEPT_WITHIN_S)
        return [row["what"] for row in self.rows(UNFINISHED, {"swept": swept})]


@dataclass(frozen=True)
class Final:
    """The rows of a finished run, held against what happened."""

    plan: Plan
    truth: Truth
    acknowledged: Acknowledged
    checker: Checker

    def problems(self) -> list[str]:
        """Everything wrong; empty: the history is as it must be."""
        sessions = self.checker.rows(SESSIONS)
        found = [problem for row in sessions for problem in self._session(row)]
        by_id = {row["id"]: row for row in sessions}
        found += [
            f"session {one} was acknowledged, and is not there" for one in self.acknowledged.started.keys() - by_id
        ]
        found += [
            f"session {one} was acknowledged as stopped, and is {by_id[one]['status']}"
            for one in self.acknowledged.stopped
            if one in by_id and by_id[one]["status"] == "started"
        ]
        return [*found, *self.acknowledged.contradictions, *self._energy()]

    def _session(self, row: dict[str, Any]) -> list[str]:
        if row["transaction_key"] is None:
            return [f"nothing flowed, and is billed: {shown(row)}"] if row["amount"] else []
        about_s = (row["start_time"] - self.checker.begins_at).total_seconds()
        wire_id = row["wire_transaction_id"]
        charge = self.truth.behind(row["station_id"], row["id_tag"], row["meter_start_wh"], wire_id, about_s)
        if charge is None:
            return [f"no charge that happened is behind {shown(row)}"]
        if charge.stop_wh is None or charge.ended_at is None:
            return [f"goes on: {shown(row)}"]
        if row["meter_stop_wh"] is None and not charge.stop_is_lost:
            return [f"its stop was delivered, and is nowhere: {shown(row)}"]
        if row["unwritable"]:
            return [f"a bill cannot be written: {shown(row)}"]
        if row["phase"] == "released":
            return [f"released, and billed: {shown(row)}"] if row["amount"] else []
        energy, cost = self._energy_known(row, charge), self._cost(row, charge)
        return [each for each in (energy, cost) if each is not None]

    def _energy_known(self, row: dict[str, Any], charge: PhysicalCharge) -> str | None:
        """Billed or written down as unbilled is what flowed, within what nobody can know."""
        known_wh, flowed_wh = known_energy_wh(row), charge.flowed_wh
        # What was believed once is never taken back (field ruling 1.4), and a person is asked.
        too_much_wh = charge.believed_lie_wh if row["doubts"] else 0
        too_little_wh = 0
        if charge.stop_is_lost or row["stop_doubts"]:
            too_little_wh = flowed_wh  # up to the last reading that came
        elif charge.meter_was_replaced and charge.station.boots_on_reconnect and row["reading_doubts"]:
            # A register restarts with a boot: what a queue has of a lower one from before it is disbelieved, and shown.
            too_little_wh = flowed_wh
        elif charge.meter_was_replaced:
            # Seen of neither: from the last reading of the one to the first of the other.
            too_little_wh = round(charge.station.power_w * UNSEEN_S / 3600)
        if flowed_wh - too_little_wh <= known_wh <= flowed_wh + too_much_wh:
            return None
        if known_wh > flowed_wh:
            return f"more than flowed ({flowed_wh} Wh): {known_wh} Wh of {shown(row)}"
        return f"{known_wh} Wh of {flowed_wh} are accounted for: {shown(row)}"

    def _cost(self, row: dict[str, Any], charge: PhysicalCharge) -> str | None:
        """What was paid and what is unbilled is what its energy and its minutes cost by the contract."""
        paid = (row["amount"] or Decimal(0)) + Decimal(row["unbilled_tyiyn"]) / 100
        least_minutes, most_minutes = self._minutes(row, charge)
        price, known_wh = self._prices(row, charge, row["start_time"]), known_energy_wh(row)
        least, most = price.cost(known_wh, least_minutes), price.cost(known_wh, most_minutes)
        if paid > most and not charge.clock_is_right and row["clock_doubts"]:
            # Nobody knows when it ended, and a person is asked: ours count, from receipt to receipt (money audit A13).
            return None
        return None if least <= paid <= most else f"{paid} instead of {least} to {most}: {shown(row)}"

    def _minutes(self, row: dict[str, Any], charge: PhysicalCharge) -> tuple[int, int]:
        """The fewest and the most that may be billed: a minute begun more or less by whole seconds of clocks."""
        assert charge.ended_at is not None
        seconds = charge.ended_at - charge.began_at
        most = int((seconds + 1) // 60)
        if charge.stop_is_lost or row["doubts"] or not charge.clock_is_right:
            return 0, most
        # Ours counts from receipt to receipt, which is less by what the start waited: at most the two minutes
        # after which it is a late one (field ruling 2.3).
        return max(0, int((seconds - 121) // 60)), most

    def _prices(self, row: dict[str, Any], charge: PhysicalCharge, at: datetime) -> Prices:
        client = next((one for one in self.plan.clients if one.client_id == row["user_id"]), None)
        return prices(charge.station.tariff, client, at)

    def _energy(self) -> list[str]:
        """Each physical Wh between the first start and the last register is in exactly one place (field ruling 1.5)."""
        found = []
        for row in self.checker.rows(ENERGY_BY_STATION):
            charges = [one for one in self.truth.charges if one.station.station_id == row["station_id"]]
            if row["station_id"] in self.truth.swapped:
                continue  # two registers have no difference
            lied_wh = sum(one.believed_lie_wh for one in charges)
            placed = row["billed_wh"] + row["unbilled_wh"] + row["refused_wh"] + row["missing_wh"]
            if not 0 <= placed - (row["last_wh"] - row["first_wh"]) <= lied_wh:
                found.append(f"{placed} Wh of {row['last_wh'] - row['first_wh']} have a place: {shown(row)}")
        return found


def known_energy_wh(row: dict[str, Any]) -> int:
    """What somebody pays for or an operator sees."""
    return round((row["energy"] or 0) * 1000) + int(row["unbilled_wh"])


def shown(row: dict[str, Any]) -> str:
    """What of a row says something."""
    return " ".join(f"{name}={value}" for name, value in row.items() if value or value is False)
