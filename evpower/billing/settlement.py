"""What becomes of a hold when the charge is over (billing-rules §4), and of a bill that was an estimate (design §4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settlement:
    """A final bill in tyiyn: `cost` is what was sold; at most one of refund and (additional + debt) is above zero."""

    cost_tyiyn: int
    refund_tyiyn: int = 0
    additional_tyiyn: int = 0
    debt_tyiyn: int = 0


def settle(*, reserved_tyiyn: int, cost_tyiyn: int, balance_tyiyn: int) -> Settlement:
    """Give back what was held too much, or take what is there and note the rest as debt; never below zero."""
    if cost_tyiyn <= reserved_tyiyn:
        return Settlement(cost_tyiyn, refund_tyiyn=reserved_tyiyn - cost_tyiyn)
    wanted_tyiyn = cost_tyiyn - reserved_tyiyn
    taken_tyiyn = min(wanted_tyiyn, balance_tyiyn)
    return Settlement(cost_tyiyn, additional_tyiyn=taken_tyiyn, debt_tyiyn=wanted_tyiyn - taken_tyiyn)


@dataclass(frozen=True)
class Correction:
    """The one entry that follows an estimate: money back (and debt forgiven) or taken, and what stays unbilled."""

    refund_tyiyn: int = 0
    forgiven_debt_tyiyn: int = 0
    additional_tyiyn: int = 0
    unbilled_tyiyn: int = 0


def correct(*, billed_tyiyn: int, true_cost_tyiyn: int, debt_tyiyn: int, balance_tyiyn: int) -> Correction:
    """Set an estimate right: a debt shrinks before money is returned; a shortfall takes the free balance at most."""
    if true_cost_tyiyn <= billed_tyiyn:
        too_much_tyiyn = billed_tyiyn - true_cost_tyiyn
        forgiven_tyiyn = min(too_much_tyiyn, debt_tyiyn)
        return Correction(refund_tyiyn=too_much_tyiyn - forgiven_tyiyn, forgiven_debt_tyiyn=forgiven_tyiyn)
    missing_tyiyn = true_cost_tyiyn - billed_tyiyn
    taken_tyiyn = min(missing_tyiyn, balance_tyiyn)
    return Correction(additional_tyiyn=taken_tyiyn, unbilled_tyiyn=missing_tyiyn - taken_tyiyn)
