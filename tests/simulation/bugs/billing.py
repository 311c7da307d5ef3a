"""Bugs of bills, holds and debts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import trio

import evpower.billing.ledger as ledger
import evpower.billing.rows.clients as client_rows
import evpower.billing.rows.debts as debt_rows
import evpower.billing.rows.ledger as ledger_rows
import evpower.billing.service as billing
import evpower.billing.settlement as settlement
from evpower.billing.pricing import Pricing
from evpower.billing.rates import Rates
from evpower.billing.reservation import ChargeTerms
from evpower.billing.tariff import Price
from tests.simulation.bugs.planting import put
from tests.simulation.world import BEGINS_AT


def forget_a_refund() -> None:
    """A charge that never began is released, and its hold stays."""

    def make(original: Any) -> Any:
        async def settle(
            self: Any, uow: Any, client: Any, session_id: Any, held: int, cost: int, *a: Any, **k: Any
        ) -> Any:
            if cost == 0:
                return settlement.settle(reserved_tyiyn=held, cost_tyiyn=0, balance_tyiyn=client.balance_tyiyn)
            return await original(self, uow, client, session_id, held, cost, *a, **k)

        return settle

    put(billing.BillingService, "settle", make)


def recover_a_debt_before_it_is_lowered() -> None:
    """A correction's refund pays the very debt that the correction forgives (money-audit A1)."""

    async def correct(
        self: Any, uow: Any, client: Any, session_id: Any, correction: Any, actor: str, doubt_id: Any = None
    ) -> None:
        entry = ledger.correction_entry(session_id, client.id, correction, actor, doubt_id)
        if entry is None or await ledger_rows.post_entry(uow.conn, entry, self._clock.now()) is None:
            return
        free_tyiyn = correction.refund_tyiyn
        for debt in await debt_rows.read_debts(uow.conn, client.id):
            if (paid_tyiyn := min(debt.debt_tyiyn, free_tyiyn)) <= 0:
                break
            paid = ledger.debt_recovery_entry(debt.session_id, client.id, paid_tyiyn, entry.key, actor)
            await ledger_rows.post_entry(uow.conn, paid, self._clock.now())
            await debt_rows.reduce_debt(uow.conn, debt.session_id, paid_tyiyn)
            free_tyiyn -= paid_tyiyn
        await debt_rows.reduce_debt(uow.conn, session_id, correction.forgiven_debt_tyiyn)

    put(billing.BillingService, "correct", lambda _: correct)


def skip_a_lock() -> None:
    """Two who change one account read it at the same time."""
    put(client_rows, "LOCK_CLIENT", lambda text: text.replace("FOR UPDATE", ""))


def round_half_even() -> None:
    """Banks' rounding, where half goes up."""

    def make(original: Any) -> Any:
        def cost(self: Any, energy_wh: int, minutes: int = 0) -> int:
            tyiyn: int = original(self, energy_wh, minutes)
            return tyiyn - tyiyn % 2 if energy_wh else tyiyn

        return cost

    put(Rates, "cost_tyiyn", make)


def charge_the_fee_for_nothing() -> None:
    """A charge that delivered nothing pays the session fee."""

    def make(original: Any) -> Any:
        def cost(self: Any, energy_wh: int, minutes: int = 0) -> int:
            tyiyn: int = original(self, energy_wh, minutes)
            return tyiyn if energy_wh else round(self.session_fee * 100) + 100

        return cost

    put(Rates, "cost_tyiyn", make)


def discount_the_fee() -> None:
    """A client's discount is taken off everything."""

    def make(original: Any) -> Any:
        def discounted(self: Price, percent: Decimal) -> Price:
            cheaper: Price = original(self, percent)
            return replace(cheaper, session_fee=self.session_fee * (1 - percent / 100))

        return discounted

    put(Price, "discounted", make)


def price_by_delivery() -> None:
    """A charge out of a queue is priced by the day on which it is heard of (money-audit A12)."""

    def make(original: Any) -> Any:
        async def for_start(self: Any, conn: Any, station_id: Any, connector_id: Any, client_id: Any, at: Any) -> Any:
            del at
            now = BEGINS_AT + timedelta(seconds=trio.current_time())
            return await original(self, conn, station_id, connector_id, client_id, now)

        return for_start

    put(Pricing, "for_start", make)


def no_limit_without_a_price_of_energy() -> None:
    """Where energy is free, minutes are too, as long as they last (money-audit A5)."""

    def make(original: Any) -> Any:
        def limit_wh(self: ChargeTerms, minutes: int) -> int | None:
            return original(self, minutes) if self.rates.per_kwh else None

        return limit_wh

    put(ChargeTerms, "limit_wh", make)


def never_recover_a_debt() -> None:
    """Money that comes in is the client's, whatever he owes."""

    async def nothing(*_: Any, **__: Any) -> int:
        await trio.lowlevel.checkpoint()
        return 0

    put(billing.BillingService, "recover_debts", lambda _: nothing)
