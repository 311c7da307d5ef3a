"""kill -9 at any moment of a charge costs nobody a tyiyn (issue 2, "It is done when").

Ten charges one after another on one database. Each has the server killed once, at a seeded random moment around one of
its steps; the server is started again, the phone and the charger do what phones and chargers do, and the bill must be
that of the charger's own register.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

import httpx2
import psycopg
import trio

from tests.e2e.process import Server
from tests.e2e.street import CLIENT, OPENING, WITHIN_S, Charger, Phone, charger_at, cost_of

SEED = int(os.environ.get("E2E_KILL_SEED", "20261123"))
#: How long after its trigger a kill may strike: about as long as the step takes.
JITTER_S = 0.06


Moment = Callable[["Charge"], Awaitable[None]]


@dataclass
class Charge:
    """One charge under fire: the key its phone starts it with, and how the server dies."""

    number: int
    server: Server
    phone: Phone
    charger: Charger
    session_id: str = ""
    #: The moment to kill at has come.
    doomed: trio.Event = field(default_factory=trio.Event)

    @property
    def key(self) -> str:
        return f"kill-{SEED}-{self.number}"

    async def start(self) -> None:
        """Ask until there is an answer, always with the same key."""
        with trio.fail_after(WITHIN_S):
            while not self.session_id:
                try:
                    answer = await self.phone.start(key=self.key, energy_kwh=2)
                except httpx2.TransportError:
                    await trio.sleep(0.05)
                else:
                    assert answer["success"], answer
                    self.session_id = answer["session_id"]

    async def finish(self, moment: Moment) -> None:
        """Charge a little and stop at the charger; not before a moment in the middle of the charge has come."""
        await self.charger.has_begun()
        await self.charger.deliver(200)
        if moment is at_meter_values:
            await self.doomed.wait()
        await self.charger.point.stop()
        await self.phone.receipt(self.session_id)


async def at_the_start(charge: Charge) -> None:
    """The phone has asked: reserving, and asking the charger."""


async def at_the_remote_start(charge: Charge) -> None:
    """The charger was asked to start."""
    await charge.charger.next_received("RemoteStartTransaction")


async def at_the_start_transaction(charge: Charge) -> None:
    """The charger reports its start."""
    await charge.charger.next_sent("StartTransaction")


async def at_meter_values(charge: Charge) -> None:
    """Readings come in."""
    await charge.charger.next_sent("MeterValues")


async def at_the_stop_transaction(charge: Charge) -> None:
    """The charger reports its stop; settlement follows within milliseconds."""
    await charge.charger.next_sent("StopTransaction")


async def at_the_settlement(charge: Charge) -> None:
    """The charger's stop was answered: the facts are stored, the bill may not be."""
    await charge.charger.next_sent("StopTransaction")
    with trio.fail_after(WITHIN_S):
        await charge.charger.has_delivered_messages()


MOMENTS: list[Moment] = [
    at_the_start,
    at_the_start,
    at_the_remote_start,
    at_the_remote_start,
    at_the_start_transaction,
    at_the_start_transaction,
    at_meter_values,
    at_the_stop_transaction,
    at_the_stop_transaction,
    at_the_settlement,
]


async def kill_and_restart(charge: Charge, moment: Moment, delay_s: float) -> None:
    """Wait for the moment, kill, start again."""
    await moment(charge)
    charge.doomed.set()
    await trio.sleep(delay_s)
    await charge.server.kill()
    await charge.server.start()


async def test_ten_kills_at_random_moments_leave_every_balance_exact(server: Server, database_url: str) -> None:
    randomness = random.Random(SEED)
    phone, paid = Phone(server), Decimal(0)
    async with charger_at(server, power_kw=3000) as charger:
        for number, moment in enumerate(randomness.sample(MOMENTS, len(MOMENTS)), 1):
            delay_s = randomness.uniform(0, JITTER_S)
            print(f"seed {SEED}, charge {number}: {moment.__name__} + {delay_s * 1000:.0f} ms")  # noqa: T201
            charge = Charge(number, server, phone, charger)
            await charger.plug()
            with trio.fail_after(2 * WITHIN_S):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(kill_and_restart, charge, moment, delay_s)
                    await charge.start()
                    await charge.finish(moment)
                await charger.has_delivered_messages()
                receipt = await phone.receipt(charge.session_id)
            paid += cost_of(charger.stopped_wh)
            assert Decimal(str(receipt["energy_consumed"])) * 1000 == charger.stopped_wh
            assert await phone.balance() == OPENING - paid
            await server.check_ledger()
            await charger.point.unplug()
    with psycopg.connect(database_url) as database:
        rows = database.execute("SELECT status FROM charging_sessions WHERE user_id = %s", [CLIENT]).fetchall()
    assert rows == [("stopped",)] * len(MOMENTS)
