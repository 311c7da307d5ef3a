"""Planted bugs: what real ones looked like, put back for one run, to see that a history finds them.

Each replaces a rule of the product where it stands; the run that has it is a process of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import trio

import evpower.billing.ledger as ledger
import evpower.billing.rows.clients as client_rows
import evpower.billing.rows.debts as debt_rows
import evpower.billing.rows.ledger as ledger_rows
import evpower.billing.service as billing
import evpower.billing.settlement as settlement
import evpower.charging.beginnings as beginnings
import evpower.charging.endings as endings
import evpower.charging.session as sessions
import evpower.charging.settler as settling
import evpower.charging.start_stop as start_stop
import evpower.metering.registers as registers
import evpower.metering.rows.journal as journal_rows
import evpower.metering.stops as stops
import evpower.payments.crediting as crediting
import evpower.payments.rows.top_ups as top_ups
from evpower.billing.tariff import Rates
from evpower.db.unit_of_work import unit_of_work
from evpower.payments.gateway import OrderState, Payment
from evpower.payments.top_up import Verdict
from tests.simulation.world import BEGINS_AT

#: Puts the bug in; nothing takes it out again.
Plant = Callable[[], None]


def put(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace `owner.name` by what `make` makes of it."""
    setattr(owner, name, make(getattr(owner, name)))


def settle_twice() -> None:
    """Whoever settles does not look whether somebody has."""

    def make(original: Any) -> Any:
        async def settle(self: Any, session_id: Any) -> bool:
            done: bool = await original(self, session_id)
            if done:
                async with unit_of_work(self._pool) as uow:
                    locked = await self._lock(uow, session_id)
                    held, cost = locked.session.terms.reserved_tyiyn, locked.session.amount_tyiyn or 0
                    await self._billing.settle(uow, locked.client, session_id, held, cost, "bug", again=True)
            return done

        return settle

    put(settling.Settler, "_settle", make)


def acknowledge_before_commit() -> None:
    """A stop is answered, and written with the next one."""
    waiting: list[Awaitable[Any]] = []

    def make(original: Any) -> Any:
        async def end(self: Any, station_id: Any, stop: Any) -> None:
            ready, waiting[:] = waiting[:], [original(self, station_id, stop)]
            for each in ready:
                await each

        return end

    put(endings.Endings, "end", make)


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


def believe_the_chargers_clock() -> None:
    """Minutes are what the charger says, whatever ours says."""

    def billed(by_station: timedelta | None, *_: Any, **__: Any) -> timedelta:
        return by_station or timedelta(0)

    put(sessions, "billed_time", lambda _: billed)


def credit_on_status_1() -> None:
    """An invoice that is being paid is taken for one that is paid."""

    def make(original: Any) -> Any:
        def judge(order: Any, status: Any, now: Any, rules: Any, booked: Any) -> Any:
            if status.state is OrderState.PROCESSING and not booked:
                return Verdict("approved", (Payment(f"guess-{order.id}", order.amount_tyiyn),))
            return original(order, status, now, rules, booked)

        return judge

    put(crediting, "judge", make)


def lose_a_queued_stop() -> None:
    """A stop that is older than five minutes is old news."""

    def make(original: Any) -> Any:
        async def record(self: Any, uow: Any, station_id: Any, stop: Any) -> None:
            if self._clock.now() - stop.stopped_at < timedelta(minutes=5):
                await original(self, uow, station_id, stop)

        return record

    put(endings.Endings, "record", make)


def recover_a_debt_before_it_is_lowered() -> None:
    """A correction's refund pays the very debt that the correction forgives (money-audit A1)."""

    async def correct(
        self: Any, uow: Any, client: Any, session_id: Any, correction: Any, actor: str, doubt_id: Any = None
    ) -> None:
        entry = ledger.correction_entry(session_id, client.id, correction, actor, doubt_id)
        if entry is None or await ledger_rows.post_entry(uow.conn, entry, self._clock.now()) is None:
            return
        await self.recover_debts(uow, client.id, cause_key=entry.key, actor=actor)
        await debt_rows.reduce_debt(uow.conn, session_id, correction.forgiven_debt_tyiyn)

    put(billing.BillingService, "correct", lambda _: correct)


def minutes_until_now() -> None:
    """A charge without its stop lasts until somebody makes the bill."""

    def make(original: Any) -> Any:
        def until(self: Any) -> Any:
            if self.meter_stop_wh is not None:
                return original(self)
            now = BEGINS_AT + timedelta(seconds=trio.current_time())
            return now - self.received_at, now

        return until

    put(sessions.TransactionRecord, "_until", make)


def erase_a_due_mark() -> None:
    """What a check found is written over what a call marked meanwhile."""
    put(
        top_ups,
        "MOVE_ORDER",
        lambda text: text.replace(
            "next_check_at = CASE WHEN due_why IS NULL THEN %(ask_at)s ELSE next_check_at END",
            "due_why = NULL, next_check_at = CASE WHEN %(phase)s <> 'approved' THEN %(ask_at)s::timestamptz END",
        ),
    )


def bill_an_unbelievable_register() -> None:
    """Any register is one."""
    put(registers, "energy_max_wh", lambda _: lambda *_args: 10**9)


def drop_a_doubt() -> None:
    """What is not believed leaves no row."""

    async def nothing(*_: Any) -> None:
        await trio.lowlevel.checkpoint()

    put(stops, "note_doubts", lambda _: nothing)
    put(journal_rows, "note_doubts", lambda _: nothing)


def stop_an_unpaid_charge_once() -> None:
    """It was asked, and that must do."""

    async def never(*_: Any, **__: Any) -> list[Any]:
        await trio.lowlevel.checkpoint()
        return []

    put(start_stop, "stops_due", lambda _: never)


def drop_payments_beside_a_refund() -> None:
    """An answer that speaks of a refund has nothing else to say."""

    def make(original: Any) -> Any:
        def judge(order: Any, status: Any, now: Any, rules: Any, booked: Any) -> Any:
            if status.state is OrderState.PARTIAL_REFUND:
                status = replace(status, payments=tuple(one for one in status.payments if one.trans_id in booked))
            return original(order, status, now, rules, booked)

        return judge

    put(crediting, "judge", make)


def skip_a_lock() -> None:
    """Two who change one account read it at the same time."""
    put(client_rows, "LOCK_CLIENT", lambda text: text.replace("FOR UPDATE", ""))


def refuse_a_queued_start() -> None:
    """A start out of a queue is a question like any other."""
    put(beginnings, "late_since", lambda _: lambda *_args: None)


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


def never_correct() -> None:
    """An estimate is the last word."""

    async def never(*_: Any) -> bool:
        await trio.lowlevel.checkpoint()
        return False

    put(settling.Settler, "correct", lambda _: never)


BUGS: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        settle_twice,
        acknowledge_before_commit,
        forget_a_refund,
        believe_the_chargers_clock,
        credit_on_status_1,
        lose_a_queued_stop,
        recover_a_debt_before_it_is_lowered,
        minutes_until_now,
        erase_a_due_mark,
        bill_an_unbelievable_register,
        drop_a_doubt,
        stop_an_unpaid_charge_once,
        drop_payments_beside_a_refund,
        skip_a_lock,
        refuse_a_queued_start,
        round_half_even,
        charge_the_fee_for_nothing,
        never_correct,
    )
}
