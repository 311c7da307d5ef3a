"""People who pay money in by QR code: late, twice, another sum, or not at all."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

import trio

from evpower.simulator.providers.odengi.invoices import Invoice
from tests.simulation.phones import Acknowledged, Phone
from tests.simulation.plan import Plan
from tests.simulation.providers import Bank
from tests.simulation.world import World

#: An invoice's life (payments §6).
LIFE_S = 300.0

Script = Callable[[Bank, Invoice, random.Random], Awaitable[None]]


async def at_once(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    await trio.sleep(dice.uniform(1, 60))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)


async def after_its_life(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    await trio.sleep(LIFE_S + dice.uniform(1, 1800))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)


async def twice(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    """The second one while the first is being looked at, or hours later."""
    await trio.sleep(dice.uniform(1, 60))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)
    await trio.sleep(dice.choice((0.0, dice.uniform(0, 2), dice.uniform(10, 1800))))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)


async def another_sum(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    await trio.sleep(dice.uniform(1, 200))
    bank.server.book.pay(invoice, invoice.amount_tyiyn + dice.choice((-500, 1, 12345)))


async def scans_and_waits(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    bank.server.book.scan(invoice)
    await trio.sleep(dice.uniform(1, 2 * LIFE_S))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)


async def partly_returned(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    """The provider gives a part back, and somebody else pays the same code meanwhile."""
    await trio.sleep(dice.uniform(1, 60))
    first = bank.server.book.pay(invoice, invoice.amount_tyiyn)
    await trio.sleep(dice.uniform(0, 600))
    bank.server.book.refund(first.trans_id, invoice.amount_tyiyn // 3)
    await trio.sleep(dice.choice((0.0, dice.uniform(0, 600))))
    bank.server.book.pay(invoice, invoice.amount_tyiyn)


async def refuses(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    await trio.sleep(dice.uniform(1, 60))
    bank.server.book.refuse(invoice)


async def forgets(bank: Bank, invoice: Invoice, dice: random.Random) -> None:
    del bank, invoice, dice
    await trio.lowlevel.checkpoint()


SCRIPTS: Mapping[str, Script] = {
    "paid at once": at_once,
    "paid x expired": after_its_life,
    "second payment x check": twice,
    "paid x another sum": another_sum,
    "scanned x paid late": scans_and_waits,
    "part returned x second payment": partly_returned,
    "refused": refuses,
    "forgotten": forgets,
}


async def payers(plan: Plan, world: World, bank: Bank, acknowledged: Acknowledged, until_s: float) -> None:
    """A stream of top-ups, each played to its end."""
    dice, trace = world.engine.random("payers"), world.engine.trace
    async with trio.open_nursery() as paying:
        while True:
            await trio.sleep(dice.uniform(10, 600))
            if trio.current_time() >= until_s:
                break
            name, client = dice.choice(plan.payers), dice.choice(plan.clients)
            own = random.Random(dice.getrandbits(64))
            phone = Phone(world, client.client_id, own, acknowledged)
            trace.counts[f"pair {name}"] += 1
            paying.start_soon(_top_up, phone, bank, SCRIPTS[name], dice.randint(10, 900), own)


async def _top_up(phone: Phone, bank: Bank, script: Script, som: int, dice: random.Random) -> None:
    order_id = await phone.top_up(som)
    if order_id is not None:
        await script(bank, bank.server.book.find(order_id=order_id), dice)
