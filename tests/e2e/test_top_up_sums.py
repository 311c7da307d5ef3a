"""Sums over a started server: exact to the tyiyn on their way to the provider and back, or refused (rest-api §5.2)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from evpower.simulator.providers.obank.cards import HOLDER, MONTH, SUCCESS_PAN, YEAR
from evpower.simulator.providers.sandbox import Sandbox
from tests.e2e.conftest import url_of
from tests.e2e.money_in import CVV, NEVER_S, Payer, banked_server
from tests.e2e.process import Server
from tests.e2e.street import WITHIN_S
from tests.ports import free_port

CREDITED = """
SELECT p.amount_tyiyn FROM evpower.ledger_postings p JOIN evpower.ledger_entries e ON e.id = p.entry_id
WHERE e.kind = 'balance_topup' AND p.account = 'client' ORDER BY p.id
"""
ORDERS = "SELECT count(*) FROM public.balance_topups"
SUMS = {"19.99": 1999, "1.15": 115, "8.2": 820, "100000": 100_000_00}
CARD = (
    f'"card_pan":"{SUCCESS_PAN}","card_name":"{HOLDER}","card_cvv":"{CVV}","card_year":"{YEAR}",'
    f'"card_month":"{MONTH}","email":"payer@example.org"'
)
REFUSED = {
    "0.001": "invalid_amount",
    "10.001": "invalid_amount",
    "0": "invalid_amount",
    "0.00": "invalid_amount",
    "-0": "invalid_amount",
    "-1": "invalid_amount",
    "1e-400": "invalid_amount",
    "NaN": "validation_error",
    "Infinity": "validation_error",
    '"10"': "validation_error",
    "true": "validation_error",
    "null": "validation_error",
    "[10]": "validation_error",
    "1e400": "maximum_amount_exceeded",
    "1e999999999999": "maximum_amount_exceeded",
    "99999999999999999999": "maximum_amount_exceeded",
    "100000.01": "maximum_amount_exceeded",
    "0.29": "minimum_amount_required",
}


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, Sandbox]]:
    settings = {"payments_poll_interval_s": NEVER_S, "payments_minimum_som": 1}
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as both:
        yield both


async def post(server: Server, path: str, client_id: str, amount: str) -> tuple[int, dict[str, Any]]:
    """A top-up whose sum goes over the wire as it is written here."""
    fields = f",{CARD}" if path.endswith("card") else ""
    content = f'{{"client_id":"{client_id}","amount":{amount}{fields}}}'
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S, verify=False) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(f"/api/v1/balance/{path}", content=content, headers=headers)
    return answer.status_code, answer.json()


async def test_every_tyiyn_arrives_at_the_provider_in_the_ledger_and_on_the_balance(
    bank: tuple[Server, Sandbox], database_url: str
) -> None:
    server, sandbox = bank
    phone, balance = Payer(server, "newcomer"), Decimal(0)
    before = await phone.request("GET", "balance/newcomer")
    assert (before["balance"], before["last_topup_at"], before["total_spent"]) == (0, None, 0)
    for text in SUMS:
        _, order = await post(server, "topup-qr", "newcomer", text)
        sandbox.act_on_invoice("pay", order_id=order["order_id"])
        balance += Decimal(text)
        await phone.balance_is(str(balance))
        _, paid = await post(server, "topup-card", "newcomer", text)
        balance += Decimal(text)
        assert (paid["status"], Decimal(str(paid["current_balance"]))) == ("approved", balance)
    small = await phone.top_up(1)  # and what the bank calls paid is believed
    sandbox.act_on_invoice("pay", order_id=small["order_id"], amount=29)
    await phone.balance_is(str(balance + Decimal("0.29")))
    assert [invoice.amount_tyiyn for invoice in sandbox.odengi.book.by_id.values()] == [*SUMS.values(), 100]
    assert [operation.sum for operation in sandbox.obank.book.by_number.values()] == [*SUMS.values()]
    with psycopg.connect(database_url) as database:
        credited = [row[0] for row in database.execute(CREDITED).fetchall()]
    assert credited == [tyiyn for tyiyn in SUMS.values() for _ in ("qr", "card")] + [29]
    after = await phone.request("GET", "balance/newcomer")
    assert after["total_balance"] == after["available_balance"] == after["balance"]
    assert (after["reserved_amount"], after["debt_amount"], after["total_spent"]) == (0, 0, 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", after["last_topup_at"])


async def test_sums_that_are_none_are_refused_and_reach_nobody(bank: tuple[Server, Sandbox], database_url: str) -> None:
    server, sandbox = bank
    for path in ("topup-qr", "topup-card"):
        for text, code in REFUSED.items():
            status, body = await post(server, path, "newcomer", text)
            assert (status, body["success"], body["error"]) == (400, False, code), f"{path} of {text}"
    assert sandbox.received.entries() == []
    with psycopg.connect(database_url) as database:
        assert database.execute(ORDERS).fetchone() == (0,)
