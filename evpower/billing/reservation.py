"""How much of the balance a start holds back, and when the charge must end (billing-rules §2, §3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Literal

from evpower.billing.errors import InsufficientBalance, MinimumAmountRequired
from evpower.billing.rates import Rates, RateStep, ScheduledRate
from evpower.money import exact_tyiyn, round_half_up, som, tyiyn

LimitType = Literal["none", "energy", "amount"]


@dataclass(frozen=True)
class ReservationRules:
    """The owner's figures: an unlimited start holds at most one sum and needs another at least."""

    unlimited_reserve_tyiyn: int
    unlimited_minimum_tyiyn: int
    planning_minutes: int


@dataclass(frozen=True)
class Limit:
    """What was ordered: `energy_wh` for an energy limit; `amount_tyiyn` is an amount limit, or a cap beside it."""

    type: LimitType
    energy_wh: int | None
    amount_tyiyn: int | None


@dataclass(frozen=True)
class Reservation:
    """Money to hold, and the limit it pays for."""

    reserved_tyiyn: int
    limit: Limit


def reserve(
    *, energy_wh: int | None, amount_tyiyn: int | None, balance_tyiyn: int, rates: Rates, rules: ReservationRules
) -> Reservation:
    """What a start with these limits holds of this balance; `rates` are the highest that it may reach.

    Raises MinimumAmountRequired (nothing would be left for energy) and InsufficientBalance, which names the sum that
    would have been held, not the difference.
    """
    fee_tyiyn = tyiyn(rates.session_fee)
    if amount_tyiyn is not None and amount_tyiyn <= fee_tyiyn:
        raise MinimumAmountRequired(fee_tyiyn)
    if energy_wh is None and amount_tyiyn is None:
        return _unlimited(balance_tyiyn, fee_tyiyn, rules)
    needed = []
    if energy_wh is not None:
        needed.append(rates.cost_tyiyn(energy_wh, rules.planning_minutes))
    if amount_tyiyn is not None:
        needed.append(amount_tyiyn)
    reserved_tyiyn = min(needed)
    if balance_tyiyn < reserved_tyiyn:
        raise InsufficientBalance(balance_tyiyn, reserved_tyiyn)
    return Reservation(reserved_tyiyn, Limit("energy" if energy_wh is not None else "amount", energy_wh, amount_tyiyn))


def reserve_for_report(balance_tyiyn: int, rules: ReservationRules) -> Reservation:
    """What a charge holds of which we hear when it has happened: what is free, as far as an unlimited start would.

    Never refused: the energy has flowed, and what is not held will be taken or owed.
    """
    return Reservation(max(0, min(balance_tyiyn, rules.unlimited_reserve_tyiyn)), Limit("none", None, None))


def _unlimited(balance_tyiyn: int, fee_tyiyn: int, rules: ReservationRules) -> Reservation:
    reserved_tyiyn = min(balance_tyiyn, rules.unlimited_reserve_tyiyn)
    if balance_tyiyn < rules.unlimited_minimum_tyiyn or reserved_tyiyn <= fee_tyiyn:
        raise InsufficientBalance(balance_tyiyn, max(rules.unlimited_minimum_tyiyn, fee_tyiyn))
    return Reservation(reserved_tyiyn, Limit("none", None, None))


def estimated_energy_kwh(reserved_tyiyn: int, rates: Rates) -> Decimal | None:
    """How far the held money reaches, kWh half-up to one decimal; None where energy is free."""
    if rates.per_kwh <= 0:
        return None
    return round_half_up((som(reserved_tyiyn) - rates.session_fee) / rates.per_kwh, 1)


@dataclass(frozen=True)
class ChargeTerms:
    """A session's unchanging terms: its tariff snapshot, its hold, its limit."""

    #: With the steps that its readings have passed.
    rates: Rates
    reserved_tyiyn: int
    limit: Limit
    #: The rates of its hours, when its price moves (smart-charging §6).
    schedule: tuple[ScheduledRate, ...] = ()

    @property
    def next_step_at(self) -> datetime | None:
        """When the next rate begins to hold; None when there is none, or the price does not move."""
        ahead = self.schedule[1 + len(self.rates.steps) :]
        return ahead[0].starts_at if ahead else None

    def foreseen(self, energy_wh: int, power_w: float, at: datetime) -> ChargeTerms:
        """The same with the steps ahead where they will be when so much energy at this moment goes on at this power."""
        ahead = self.schedule[1 + len(self.rates.steps) :]
        if not ahead:
            return self
        waits_h = (max(0.0, (each.starts_at - at) / timedelta(hours=1)) for each in ahead)
        found = [RateStep(energy_wh + int(power_w * h), each.per_kwh) for h, each in zip(waits_h, ahead, strict=True)]
        return replace(self, rates=replace(self.rates, steps=(*self.rates.steps, *found)))

    def limit_wh(self, minutes: int) -> int | None:
        """The least energy at which the charge must stop after so many billed minutes; at least 1.

        It stops at its energy limit, and before that when its cost reaches what is held, whatever the limit and the
        tariff: the hold is what the driver agreed to. None when nothing but the driver ends it (free energy).
        """
        return self._limit_wh_at_once if self.rates.per_minute == 0 else self._limit_wh_after(minutes)

    @cached_property
    def _limit_wh_at_once(self) -> int | None:
        """Asked for at every reading of a charge; without a price per minute it never changes."""
        energy_wh = self.limit.energy_wh
        # Rounding of its cost takes nothing from the energy that was bought.
        if energy_wh is not None and self.rates.cost_tyiyn(energy_wh, 0) <= self.reserved_tyiyn:
            return energy_wh
        return self._limit_wh_after(0)

    def _limit_wh_after(self, minutes: int) -> int | None:
        left = som(self.reserved_tyiyn) - self.rates.session_fee - self.rates.per_minute * minutes
        if left <= 0:
            return 1
        limits = [] if self.limit.energy_wh is None else [self.limit.energy_wh]
        if (worth_wh := self.rates.energy_worth_wh(left)) is not None:
            limits.append(worth_wh)
        return min(limits, default=None)

    def reached(self, energy_wh: int, minutes: int) -> bool:
        """Whether a limit is reached: a charge stops on reaching it (billing-rules §3)."""
        limit_wh = self.limit_wh(minutes)
        return limit_wh is not None and energy_wh >= limit_wh

    def percentage(self, energy_wh: int, minutes: int) -> Decimal:
        """How much of the limit is used, 0–100 with one decimal."""
        if self.limit.type == "energy" and self.limit.energy_wh:
            used = Decimal(energy_wh) / self.limit.energy_wh
        elif self.reserved_tyiyn > 0:
            used = Decimal(self.rates.cost_tyiyn(energy_wh, minutes)) / self.reserved_tyiyn
        else:
            used = Decimal(0)
        return min(Decimal(100), round_half_up(used * 100, 1))


def limit_from_columns(limit_type: LimitType, limit_value: Decimal | None, amount_cap: Decimal | None) -> Limit:
    """The limit as `charging_sessions` stores it: kWh or som in `limit_value`, the cap of a double limit beside it."""
    if limit_type == "energy" and limit_value is not None:
        cap = None if amount_cap is None else exact_tyiyn(amount_cap)
        return Limit("energy", int(limit_value * 1000), cap)
    if limit_type == "amount" and limit_value is not None:
        return Limit("amount", None, tyiyn(limit_value))
    return Limit("none", None, None)
