"""The rates that a charge is billed by: energy and minutes → money (billing-rules §1, §3; smart-charging §6).

Rates are exact decimals in som; a cost is rounded half-up to whole tyiyn once, at the end of its formula. Where the
price of a plan moves, each rate holds for the energy that was delivered in its time: a step begins at the energy of its
moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from evpower.money import som, tyiyn

ZERO = Decimal(0)
HALF_A_TYIYN = Decimal("0.005")


class ScheduledRate(NamedTuple):
    """A rate of energy, and from when it holds: up to the next one's moment, the last one to the charge's end."""

    starts_at: datetime
    per_kwh: Decimal


class RateStep(NamedTuple):
    """A rate of energy, and from which energy of its charge it holds."""

    from_wh: int
    per_kwh: Decimal


class RatedEnergy(NamedTuple):
    """So much of a charge's energy at one rate."""

    energy_wh: int
    per_kwh: Decimal


@dataclass(frozen=True)
class Rates:
    """The snapshot a session is billed by; som per kWh, per minute, per charge."""

    per_kwh: Decimal
    per_minute: Decimal = ZERO
    session_fee: Decimal = ZERO
    #: The rates that followed `per_kwh`, in their order.
    steps: tuple[RateStep, ...] = ()

    def cost_tyiyn(self, energy_wh: int, minutes: int) -> int:
        """The cost of a charge; nothing delivered costs nothing, not even the fee (billing-rules §4)."""
        return tyiyn(self.exact_cost(energy_wh, minutes)) if energy_wh > 0 else 0

    def exact_cost(self, energy_wh: int, minutes: int) -> Decimal:
        """The same in som, before rounding."""
        energy = sum((part.per_kwh * part.energy_wh for part in self.parts(energy_wh)), ZERO) / 1000
        return energy + self.per_minute * minutes + self.session_fee

    def parts(self, energy_wh: int) -> list[RatedEnergy]:
        """The energy by its rates, in the order in which it was delivered; a rate without energy has no part."""
        found: list[RatedEnergy] = []
        for start_wh, end_wh, rate in self._stretches():
            part_wh = energy_wh - start_wh if end_wh is None else min(energy_wh, end_wh) - start_wh
            if part_wh > 0:
                found.append(RatedEnergy(part_wh, rate))
        return found

    def energy_within_wh(self, amount_tyiyn: int, minutes: int, most_wh: int) -> int:
        """The most energy, up to `most_wh`, that costs with these minutes no more than the amount; 0 when none does."""
        # Half a tyiyn more is rounded up, so it is the first sum that is too much.
        too_much = som(amount_tyiyn) + HALF_A_TYIYN - self.session_fee - self.per_minute * minutes
        if too_much <= 0:
            return 0
        first_wh = self.energy_worth_wh(too_much)
        return most_wh if first_wh is None else min(most_wh, first_wh - 1)

    def energy_worth_wh(self, amount: Decimal) -> int | None:
        """The least energy that alone costs a sum above zero, in som; None where no energy does."""
        left = amount * 1000
        for start_wh, end_wh, rate in self._stretches():
            if rate > 0:
                found_wh = start_wh + ceil(left / rate)
                if end_wh is None or found_wh <= end_wh:
                    return found_wh
            if end_wh is not None:
                left -= rate * (end_wh - start_wh)
        return None

    def stepped(self, schedule: Sequence[ScheduledRate], energies_wh: Iterable[int]) -> Rates:
        """The same with the rates that followed, which began at these energies: those that are known so far."""
        steps: list[RateStep] = []
        for scheduled, energy_wh in zip(schedule[1:], energies_wh, strict=False):
            # What an estimate had too much is taken back: then a later moment may have the lower energy.
            steps.append(RateStep(max(energy_wh, steps[-1].from_wh if steps else 0), scheduled.per_kwh))
        return replace(self, steps=tuple(steps))

    def _stretches(self) -> Iterator[tuple[int, int | None, Decimal]]:
        """From which energy to which there is which rate; the last one has no end."""
        start_wh, rate = 0, self.per_kwh
        for step in self.steps:
            yield start_wh, step.from_wh, rate
            start_wh, rate = step
        yield start_wh, None, rate
