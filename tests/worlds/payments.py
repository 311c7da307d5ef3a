"""Money in over a real PostgreSQL, a set clock and scripted providers; leaving it checks the ledger (design §5)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from evpower.billing.rows.clients import ensure_client
from evpower.billing.rows.ledger import check_ledger
from evpower.billing.service import BillingService
from evpower.case_files.service import CaseFiles
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.history.bill_evidence import Evidence
from evpower.identifiers import ClientId
from evpower.payments.crediting import Crediting
from evpower.payments.gateway import Gateways, OrderStatus
from evpower.payments.graph import Payments, build_payments
from evpower.payments.notices import Receipt
from evpower.payments.rows.top_ups import read_top_up
from evpower.payments.top_up import Origin, TopUp, TopUpRules, TopUpView, TopUpWish
from evpower.staff.allowance import Allowance
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import CountingIds, SetClock
from tests.worlds.provider import SIGNATURE, ScriptedProvider

CLIENT = ClientId("client-1")
PHONE = Origin("client", "request-1", "192.0.2.7")
HOOK = Origin("webhook", "request-2", "198.51.100.9")
ANN = Origin("operator", actor="ann")
RULES = TopUpRules(h2h_allowed=True)


class World:
    """One client, two providers, and what lies between."""

    def __init__(self, pool: Pool, rules: TopUpRules = RULES, clock: SetClock | None = None) -> None:
        self.pool = pool
        self.rules = rules
        self.clock = clock or SetClock()
        self.ids = CountingIds()
        self.odengi = ScriptedProvider("ODENGI")
        self.obank = ScriptedProvider("OBANK")
        self.restart()

    def restart(self, pool: Pool | None = None) -> None:
        """New services over the same rows, as after a crash."""
        pool = pool or self.pool
        self.billing = BillingService(pool, self.clock)
        gateways = Gateways(qr=self.odengi, card=self.obank)
        watch = ClockWatch(self.clock, self.clock.steady_s)
        self.case_files = CaseFiles(pool, self.clock, Evidence(pool))
        self.allowance = Allowance(pool, self.clock, 5_000_00, ZoneInfo("Asia/Bishkek"))
        self.payments: Payments = build_payments(pool, self.clock, self.ids, self.billing, gateways, self.rules, watch)

    @property
    def crediting(self) -> Crediting:
        return self.payments.crediting

    async def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query, or nothing."""
        async with by_hand(self.pool) as conn:
            cursor = await conn.execute(query, parameters or None)
            return await cursor.fetchall() if cursor.description else []

    async def qr(self, amount_tyiyn: int = 100_00, client: ClientId = CLIENT) -> TopUpView:
        """A phone asks for a QR code."""
        return await self.payments.top_ups.create_qr(TopUpWish(client, amount_tyiyn, "Пополнение баланса"), PHONE)

    async def order(self, order: TopUp | TopUpView) -> TopUp:
        """The order as it stands now."""
        topup_id = order.order.id if isinstance(order, TopUpView) else order.id
        async with by_hand(self.pool) as conn:
            return await read_top_up(conn, topup_id)

    async def newest(self) -> TopUp:
        """The last order that was written."""
        return (await self.payments.decisions.payments())[0]

    async def poll(self, after_s: float = 0) -> None:
        """Time goes by, and the poller makes every check that is due."""
        self.clock.advance(after_s)
        await self.payments.poller.work_due()

    async def notify(
        self, order: TopUp, state: str = "approved", *, trans_id: str | None = "90017755", **more: object
    ) -> Receipt:
        """The order's provider calls our webhook."""
        told: dict[str, object] = {"order_id": order.order_id, "state": state, **more}
        if trans_id is not None:
            told["trans_id"] = trans_id
        return await self.call(order.provider, told)

    async def call(self, provider: str, told: Mapping[str, object], signature: str = SIGNATURE) -> Receipt:
        """Somebody calls a provider's webhook."""
        headers = {"X-Signature": signature}
        return await self.payments.notices.receive(provider, json.dumps(told).encode(), headers, {}, HOOK)

    async def apply(self, order: TopUp, status: OrderStatus) -> TopUp:
        """An answer of the provider arrives, however late."""
        return await self.crediting.apply(order.id, status, Origin("poll"))

    async def balance(self, client: ClientId = CLIENT) -> int:
        """Free money in tyiyn."""
        return (await self.billing.balance(client)).balance_tyiyn

    async def credits(self) -> list[int]:
        """Every credit of a payment, in tyiyn."""
        rows = await self.sql(
            "SELECT amount_tyiyn FROM evpower.ledger_postings WHERE statement_type = 'balance_topup' ORDER BY id"
        )
        return [row["amount_tyiyn"] for row in rows]

    async def parked(self) -> list[tuple[str, int | None]]:
        """What waits for a person: why, and how much."""
        rows = await self.payments.decisions.parked(resolved_too=False)
        return [(row.reason, row.amount_tyiyn) for row in rows]

    async def audited(self) -> list[str]:
        """The operations in the audit log, oldest first."""
        return [
            row["operation"] for row in await self.sql("SELECT operation FROM evpower.payment_audit_log ORDER BY id")
        ]

    async def block(self, status: str = "blocked", client: ClientId = CLIENT) -> None:
        """An operator blocks or deletes the client, who is created when new."""
        async with by_hand(self.pool) as conn:
            await ensure_client(conn, client, self.clock.now())
        await self.sql("UPDATE clients SET status = %s WHERE id = %s", status, client)

    def ruled(self, **rules: Any) -> None:
        """Other rules, as after a restart with other settings."""
        self.rules = replace(self.rules, **rules)
        self.restart()


@asynccontextmanager
async def open_world(pool: Pool, rules: TopUpRules = RULES) -> AsyncIterator[World]:
    """A world; leaving it checks the ledger."""
    world = World(pool, rules)
    yield world
    async with by_hand(pool) as conn:
        checked = await check_ledger(conn)
    assert checked.ok, checked.problems
