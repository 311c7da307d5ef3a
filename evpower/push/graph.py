"""The room put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from evpower.clock import Clock, ClockWatch, Ids
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.push.deliverer import PushDeliverer
from evpower.push.delivery import DeliveryService
from evpower.push.devices import Devices, PushRules
from evpower.push.events import PushEvent
from evpower.push.figures import PushFigures
from evpower.push.outbox import PushOutbox
from evpower.push.recipient import Recipient
from evpower.push.rows.figures import read_push_figures
from evpower.push.rows.targets import count_targets

FIGURES_OF = timedelta(hours=24)


@dataclass(frozen=True)
class Push:
    """Messages to phones; nothing is written while `devices.rules` say that nothing is set up."""

    pool: Pool
    clock: Clock
    ids: Ids
    devices: Devices
    outbox: PushOutbox
    deliverer: PushDeliverer

    async def figures(self) -> PushFigures:
        """What waits, and what ended within 24 hours."""
        async with reading(self.pool) as conn:
            return await read_push_figures(conn, self.clock.now() - FIGURES_OF)

    async def test(self, recipient: Recipient, claim: IdempotencyClaim | None = None) -> int:
        """Send a test to the person's devices; how many there are. It is on its way, not delivered, at the return.

        Raises IdempotencyMismatch.
        """
        async with unit_of_work(self.pool) as uow:
            await keep_claim(uow, claim, self.clock.now())
            number = await count_targets(uow.conn, recipient)
            if number:
                await self.outbox.enqueue(uow, PushEvent("test", f"test:{self.ids.new()}", recipient))
        return number

    async def reached(self, recipient: Recipient) -> int:
        """On how many devices the person gets messages."""
        async with reading(self.pool) as conn:
            return await count_targets(conn, recipient)


def build_push(
    pool: Pool, clock: Clock, ids: Ids, rules: PushRules, watch: ClockWatch, services: Mapping[str, DeliveryService]
) -> Push:
    """`rules` say what is set up, `services` what delivers it, by the kind of device; `deliverer` must run."""
    outbox = PushOutbox(clock, is_on=rules.is_on)
    deliverer = PushDeliverer(pool, watch, outbox, services)
    return Push(pool, clock, ids, Devices(pool, clock, rules), outbox, deliverer)
