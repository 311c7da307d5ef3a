"""Figures of charges and of the money in them. Sums are in tyiyn, a hundredth of a som."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import get_args

from prometheus_client.core import Metric

from evpower.attempts.service import StartDoor
from evpower.billing.ledger_check import LedgerCheckRecord
from evpower.billing.service import BillingService
from evpower.charging.session import Phase
from evpower.charging.settler import Settler
from evpower.charging.transaction import EndCause
from evpower.idle_fees.keeper import FeePart
from evpower.metering.registers import DoubtKind
from evpower.server.metrics.families import counter, counts, counts_by, gauge, gauges
from evpower.server.rows.figures import EndedAccounts, Figures
from evpower.server.rows.money_figures import MoneyFigures

FINAL_PHASES = ("settled", "released")
OPEN_PHASES = tuple(phase for phase in get_args(Phase) if phase not in FINAL_PHASES)
#: Of a charge from a time when no cause was kept.
UNKNOWN = "unknown"
#: Answers to a start that was not refused.
WENT_ON = {"accepted": "accepted", "Accepted": "accepted", "failed": "failed"}


def start_metrics(answers: Mapping[tuple[StartDoor, str], int]) -> Iterator[Metric]:
    """Starts, by who tried; a refusal by its code, a card's by its verdict."""
    labels = ("door", "outcome", "reason")
    # There before the first one, so that an alert on its rise sees that one too.
    starts = {(door, outcome, ""): 0 for door in get_args(StartDoor) for outcome in ("accepted", "failed")}
    starts.update({(door, *_outcome(answer)): count for (door, answer), count in answers.items()})
    yield counts("evpower_starts", "Attempts to start a charge, and what they were answered.", labels, starts)


def _outcome(answer: str) -> tuple[str, str]:
    outcome = WENT_ON.get(answer)
    return ("refused", answer) if outcome is None else (outcome, "")


def end_metrics(settler: Settler, billing: BillingService, fees: Mapping[FeePart, int]) -> Iterator[Metric]:
    """What this process made final since its start."""
    causes = (*get_args(EndCause), UNKNOWN)
    ends = {(phase, cause): 0 for phase in FINAL_PHASES for cause in causes}
    ends.update({(phase, cause or UNKNOWN): count for (phase, cause), count in settler.ends.items()})
    meaning = "Charges that are final: settled, or released with a full refund."
    yield counts("evpower_session_ends", meaning, ("outcome", "cause"), ends)
    yield counter("evpower_billed_energy_wh", "Energy that was billed.", settler.billed_wh)
    yield counter("evpower_billed_tyiyn", "Sums of bills.", billing.billed_tyiyn)
    corrected = {"added": billing.added_tyiyn, "taken_away": billing.taken_away_tyiyn}
    yield counts_by("evpower_corrected_tyiyn", "What corrections changed of bills.", "direction", corrected)
    parts = {part: fees.get(part, 0) for part in get_args(FeePart)}
    yield counts_by("evpower_idle_fees_tyiyn", "Fees of cars that waited, by what became of them.", "outcome", parts)


def session_metrics(figures: Figures) -> Iterator[Metric]:
    """Charges that are not final, and what is wrong with some."""
    phases = ((phase, figures.open_sessions.get(phase, 0)) for phase in OPEN_PHASES)
    yield gauges("evpower_sessions", "Sessions that are not final.", "phase", phases)
    unsettled, unpaid = figures.open_sessions.get("ended", 0), figures.charging_without_session
    yield gauge("evpower_unsettled_sessions", "Ended, and not yet billed.", unsettled)
    yield gauge("evpower_parked_reports", "Reports that wait for a person.", figures.parked_reports)
    yield gauge("evpower_unbilled_energy_wh", "Energy of charges that nobody pays for.", figures.unbilled_wh)
    yield gauge("evpower_charging_without_session", "Charges that go on and nobody pays for.", unpaid)
    doubts = ((kind, figures.open_doubts.get(kind, 0)) for kind in get_args(DoubtKind))
    yield gauges("evpower_doubts", "Figures of chargers that are not believed.", "kind", doubts)


def money_metrics(money: MoneyFigures, check: LedgerCheckRecord | None, now: datetime) -> Iterator[Metric]:
    """What is held and owed; and whether the ledger was right when it was checked last."""
    held = {
        "sessions": money.held_by_sessions,
        "refunds": money.held_by_refunds,
        "reservations": money.held_by_reservations,
    }
    yield gauges("evpower_held_tyiyn", "Money held for what is not final.", "for", held.items())
    yield gauge("evpower_debt_tyiyn", "What clients owe.", money.debt)
    yield gauge("evpower_open_estimates", "Estimated bills that their true end may still raise.", money.open_estimates)
    if check is not None:
        age_s = max(0.0, (now - check.ended_at).total_seconds())
        yield gauge("evpower_ledger_check_age_seconds", "Since the ledger was checked last.", age_s)
        yield gauge("evpower_ledger_broken_rows", "Rows that break an invariant, by that check.", check.broken_rows)


def ended_account_metrics(figures: EndedAccounts, now: datetime) -> Iterator[Metric]:
    """Accounts whose end was asked for."""
    next_at = figures.next_erasure_at
    overdue_s = 0.0 if next_at is None else max(0.0, (now - next_at).total_seconds())
    yield gauge("evpower_accounts_to_erase", "Accounts whose end was asked for.", figures.restorable)
    yield gauge("evpower_accounts_to_pay_out", "Those that have money left.", figures.to_pay_out)
    yield gauge("evpower_erasure_overdue_seconds", "Since the oldest should be erased.", overdue_s)
