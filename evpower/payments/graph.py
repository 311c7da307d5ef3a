"""Money in: its services, built by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import trio

from evpower.billing.service import BillingService
from evpower.clock import Clock, ClockWatch, Ids
from evpower.db.pool import Pool
from evpower.payments.card_payments import CARD_PROVIDER, CardPayments
from evpower.payments.crediting import Crediting
from evpower.payments.decisions import PaymentDecisions
from evpower.payments.gateway import Gateways
from evpower.payments.notices import Notices
from evpower.payments.poller import PaymentPoller
from evpower.payments.provider_calls import ProviderCalls, ProviderState
from evpower.payments.refunds import Refunds
from evpower.payments.top_up import TopUpRules
from evpower.payments.top_up_orders import TopUpOrders
from evpower.payments.top_ups import QR_PROVIDER, TopUps

#: Those there are, as stored in `balance_topups.payment_provider`.
PROVIDERS = (QR_PROVIDER, CARD_PROVIDER)


@dataclass(frozen=True)
class Payments:
    """Every service of payments in one process."""

    calls: ProviderCalls
    #: Payments credited since the start, by provider.
    credited: Counter[str]
    top_ups: TopUps
    cards: CardPayments
    notices: Notices
    poller: PaymentPoller
    crediting: Crediting
    refunds: Refunds
    decisions: PaymentDecisions

    def providers(self) -> dict[str, ProviderState]:
        """How each provider answers this process: `state` is `up`, `failing` (since when, how) or `off` (not set)."""
        known = self.calls.health
        return {name: known[name].state if name in known else ProviderState("off") for name in PROVIDERS}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The workers, until cancelled."""
        async with trio.open_nursery() as workers:
            await workers.start(self.poller.run)
            await workers.start(self.refunds.run)
            task_status.started()


def build_payments(
    pool: Pool,
    clock: Clock,
    ids: Ids,
    billing: BillingService,
    gateways: Gateways,
    rules: TopUpRules,
    watch: ClockWatch | None = None,
) -> Payments:
    """Put them together; a provider without a gateway is unavailable."""
    by_name = gateways.by_name
    crediting = Crediting(pool, clock, billing, rules, watch)
    calls = ProviderCalls(clock, by_name)
    poller = PaymentPoller(pool, clock, by_name, calls, crediting, rules, watch)
    orders = TopUpOrders(pool, clock, ids, calls, rules)
    refunds = Refunds(pool, clock, by_name, calls, orders, crediting, billing)
    return Payments(
        calls=calls,
        credited=billing.credited,
        top_ups=TopUps(pool, clock, gateways.qr, orders, poller, rules),
        cards=CardPayments(pool, clock, gateways.card, calls, orders, crediting, rules),
        notices=Notices(pool, clock, by_name, poller, rules),
        poller=poller,
        crediting=crediting,
        refunds=refunds,
        decisions=PaymentDecisions(pool, clock, crediting, refunds, billing),
    )
