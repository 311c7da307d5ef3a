"""What a kept connector must have cost, by the contract's table and what its driver did.

Imports nothing of `reservations` or `billing`, as `truth.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.simulation.check import Checker, shown
from tests.simulation.phones import Acknowledged, Kept
from tests.simulation.plan import Plan
from tests.simulation.tariffs import KEPT_MINUTE, NO_SHOW, Tariff
from tests.simulation.visit import MINUTE

#: A driver may give it up so long for nothing (roadmap/reservations §3).
FREE_FOR_S = 300.0
#: How long a row that is due may wait for who looks at it, and an answer for its commit.
LATE_S = 90.0

RESERVATIONS = """
SELECT r.id, r.client_id, r.station_id, r.status, r.canceled_by, r.reason, r.session_id, r.minutes, r.hold_tyiyn,
       r.returned_at, r.created_at, r.ended_at, p.phase,
       (SELECT coalesce(sum(l.amount_tyiyn), 0) FROM evpower.ledger_postings l
        JOIN evpower.ledger_entries e ON e.id = l.entry_id
        WHERE l.account = 'fees' AND split_part(e.key, ':', 2) = r.id)::bigint AS fee_tyiyn
FROM evpower.reservations r LEFT JOIN evpower.session_phases p ON p.session_id = r.session_id
ORDER BY r.created_at, r.id
"""
#: By a phone, while the connector was another's: what a station reports of cards is a fact, and none of ours.
RIVALS = """
SELECT s.id, s.user_id, r.id AS reservation_id, r.client_id, r.status FROM evpower.reservations r
JOIN public.charging_sessions s ON s.station_id = r.station_id AND s.user_id <> r.client_id
 AND s.created_at > r.created_at AND s.created_at < r.ended_at
WHERE s.id = ANY(%(started)s) ORDER BY s.id
"""


def reservation_problems(checker: Checker, plan: Plan, acknowledged: Acknowledged) -> list[str]:
    """Each was ended once, and cost what the table of the contract says of what its driver did."""
    rows = {row["id"]: row for row in checker.rows(RESERVATIONS)}
    tariffs = {each.station_id: each.tariff for each in plan.stations}
    found = []
    for kept in acknowledged.kept.values():
        row = rows.pop(kept.reservation_id, None)
        if row is None:
            found.append(f"reservation {kept.reservation_id} was acknowledged, and is not there")
        else:
            did = used_by(row["session_id"], kept, acknowledged)
            found += [f"{problem}: {did} {shown(row)}" for problem in wrong(row, did, tariffs[row["station_id"]])]
    # Of an answer that never came the phone knows nothing; its time passed, or it was used.
    found += [
        f"nobody was told of it, and it is {shown(row)}"
        for row in rows.values()
        if row["status"] == "canceled" and row["canceled_by"] == "driver"
    ]
    rivals = checker.rows(RIVALS, {"started": list(acknowledged.started)})
    return [*found, *(f"began where it was kept for another: {shown(row)}" for row in rivals)]


def used_by(session_id: str | None, kept: Kept, acknowledged: Acknowledged) -> Kept:
    """Who asks by phone before its end was written down has it, also on another visit (seed 1389)."""
    asked_at = acknowledged.start_asked_at.get(session_id or "")
    return kept if asked_at is None else replace(kept, came_at=asked_at)


def wrong(row: Mapping[str, Any], kept: Kept, tariff: Tariff) -> Iterator[str]:
    """What the reservation's row must not be, after what its driver did."""
    minute, no_show = _price(tariff, KEPT_MINUTE), _price(tariff, NO_SHOW)
    hold = minute * kept.minutes + no_show
    if row["hold_tyiyn"] != hold:
        yield f"holds {row['hold_tyiyn']} instead of {hold}"
    least, most = 0, 0  # in tyiyn
    match row["status"]:
        case "fulfilled" | "no_show" if row["session_id"] is not None:
            # Of one that passed for not used, the station said too late that its driver had begun in time.
            if kept.came_at is None:
                yield "used, and nobody came"
                return
            least, most = (minute * each for each in _minutes(kept.came_at - LATE_S, kept.came_at + LATE_S, kept))
        case "no_show":
            least = most = hold
            if kept.began_at is not None and kept.began_at < kept.asked_at + kept.minutes * MINUTE:
                yield "not used, and its driver had begun in time"
        case "canceled" if row["canceled_by"] == "driver":
            if kept.given_up_at is None or kept.gone_at is None:
                yield "given up, and its driver did not"
                return
            least, most = (minute * each for each in _minutes(kept.given_up_at, kept.gone_at, kept))
            if kept.gone_at < kept.asked_at + FREE_FOR_S:
                most = 0
            if kept.given_up_at < kept.answered_at + FREE_FOR_S:
                least = 0
        case "canceled" | "rejected" | "failed":
            pass
        case other:
            yield f"is {other} for ever"
    if row["returned_at"] is not None:
        # What was taken went back, as a whole or in part: its charge never began, or began in time and came late.
        least = 0
    if not least <= row["fee_tyiyn"] <= most:
        yield f"costs {row['fee_tyiyn']}"


def _minutes(from_s: float, to_s: float, kept: Kept) -> tuple[int, int]:
    """The fewest and the most whole minutes that can have passed, of those that were kept."""
    least, most = (from_s - kept.answered_at) // 60, (to_s - kept.asked_at) // 60
    return max(0, min(kept.minutes, int(least))), max(0, min(kept.minutes, int(most)))


def _price(tariff: Tariff, kind: str) -> int:
    """In tyiyn."""
    som = next((rule.price for rule in tariff.rules if rule.kind == kind), Decimal(0))
    return int(som * 100)
