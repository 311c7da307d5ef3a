"""What becomes of a hold when the charge is over (billing-rules §4), and of a bill that was an estimate (design §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evpower.billing.rates import Rates


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


class Usage(NamedTuple):
    """What a charge took, by the station's record: what it is billed by."""

    energy_wh: int
    minutes: int


@dataclass(frozen=True)
class Estimate:
    """What a session was billed before its true end was known; `debt` is what of it is still unpaid."""

    energy_wh: int
    cost_tyiyn: int
    debt_tyiyn: int


@dataclass(frozen=True)
class Correction:
    """The one entry that follows an estimate: money back (and debt forgiven) or taken, and what stays unbilled.

    `energy` is what is billed now: with what is unbilled it is what was delivered.
    """

    energy_wh: int
    refund_tyiyn: int = 0
    forgiven_debt_tyiyn: int = 0
    additional_tyiyn: int = 0
    unbilled_tyiyn: int = 0
    unbilled_wh: int = 0


def correct(estimate: Estimate, delivered: Usage, rates: Rates, *, takeable_tyiyn: int) -> Correction:
    """Set an estimate right: a debt shrinks before money is returned; a shortfall takes `takeable_tyiyn` at most.

    Energy at its rate always gives what is billed: what cannot be taken is energy that is not billed.
    """
    true_cost_tyiyn = rates.cost_tyiyn(*delivered)
    if true_cost_tyiyn <= estimate.cost_tyiyn:
        too_much_tyiyn = estimate.cost_tyiyn - true_cost_tyiyn
        forgiven_tyiyn = min(too_much_tyiyn, estimate.debt_tyiyn)
        return Correction(delivered.energy_wh, too_much_tyiyn - forgiven_tyiyn, forgiven_tyiyn)
    most_tyiyn = estimate.cost_tyiyn + takeable_tyiyn
    paid_wh = rates.energy_within_wh(most_tyiyn, delivered.minutes, delivered.energy_wh)
    # The estimate's energy is paid for; where minutes cost, they may be all that is missing.
    energy_wh = min(delivered.energy_wh, max(paid_wh, estimate.energy_wh))
    cost_tyiyn = max(estimate.cost_tyiyn, min(most_tyiyn, rates.cost_tyiyn(energy_wh, delivered.minutes)))
    return Correction(
        energy_wh,
        additional_tyiyn=cost_tyiyn - estimate.cost_tyiyn,
        unbilled_tyiyn=true_cost_tyiyn - cost_tyiyn,
        unbilled_wh=delivered.energy_wh - energy_wh,
    )
