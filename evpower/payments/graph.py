"""Money in: its services, built by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import trio

from evpower.billing.service import BillingService
from evpower.clock import Clock, Ids
from evpower.db.pool import Pool
from evpower.payments.card_payments import CARD_PROVIDER, CardPayments
from evpower.payments.crediting import Crediting
from evpower.payments.decisions import PaymentDecisions
from evpower.payments.gateway import PaymentGateway
from evpower.payments.notices import Notices
from evpower.payments.poller import PaymentPoller
from evpower.payments.provider_calls import ProviderCalls
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

    def providers(self) -> dict[str, dict[str, Any]]:
        """How each provider answers this process: `state` is `up`, `failing` (since when, how) or `off` (not set)."""
        known = self.calls.health
        return {name: known[name].shown() if name in known else {"state": "off"} for name in PROVIDERS}

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
    gateways: Mapping[str, PaymentGateway],
    rules: TopUpRules,
) -> Payments:
    """Put them together; `gateways` by provider name, and a provider without one is unavailable."""
    crediting = Crediting(pool, clock, billing, rules)
    calls = ProviderCalls(clock, gateways)
    poller = PaymentPoller(pool, clock, gateways, calls, crediting, rules)
    orders = TopUpOrders(pool, clock, ids, calls, rules)
    refunds = Refunds(pool, clock, gateways, calls, orders, crediting, billing)
    return Payments(
        calls=calls,
        credited=billing.credited,
        top_ups=TopUps(pool, clock, gateways, orders, crediting, poller, rules),
        cards=CardPayments(pool, clock, gateways, calls, orders, crediting, rules),
        notices=Notices(pool, clock, gateways, poller, rules),
        poller=poller,
        crediting=crediting,
        refunds=refunds,
        decisions=PaymentDecisions(pool, clock, crediting, refunds, billing),
    )
