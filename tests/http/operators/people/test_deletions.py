"""The routes of accounts that end: what is read, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from evpower.accounts.deletion import Deletion
from evpower.accounts.service import Accounts
from evpower.db.pool import Pool
from evpower.http.operators.people.deletions import deletion_routes
from evpower.identifiers import ClientId
from evpower.staff.allowance import Allowance
from tests.http.conftest import body_of
from tests.http.fakes import Phone
from tests.http.operators.test_operators_work import client_of
from tests.worlds.fakes import NOON, SetClock

ENDED = Deletion(ClientId("c-1"), "inactive", "Айгүл", "+996555000001", None, 123_45, 0, 0, NOON, NOON, None)
PAID = {"amount": 123.45, "reason": "transfer"}


class FakeAccounts(Accounts):
    def __init__(self) -> None:
        self.done: list[object] = []

    async def deletions(self, *, settled_too: bool = False) -> list[Deletion]:
        return [ENDED, replace(ENDED, erased_at=NOON)] if settled_too else [ENDED]

    async def pay_out(self, client_id: ClientId, amount_tyiyn: int, reason: str, actor: str) -> Deletion:
        self.done.append((client_id, amount_tyiyn, reason, actor))
        return replace(ENDED, balance_tyiyn=0, paid_out_tyiyn=amount_tyiyn)

    async def restore(self, client_id: ClientId, actor: str) -> None:
        self.done.append((client_id, actor))


@pytest.fixture
def accounts() -> FakeAccounts:
    return FakeAccounts()


@pytest.fixture
def phone(accounts: FakeAccounts) -> Phone:
    # Who has no limit asks nothing of the rows it is counted from.
    allowance = Allowance(cast("Pool", None), SetClock(), 0, ZoneInfo("Asia/Bishkek"))
    return client_of(deletion_routes(accounts, allowance))


async def test_what_ends_is_listed_with_the_money_that_waits(phone: Phone) -> None:
    (shown,) = (await body_of(await phone.get("/deletions")))["data"]
    assert shown == {
        "client_id": "c-1",
        "status": "inactive",
        "name": "Айгүл",
        "phone": "+996555000001",
        "email": None,
        "balance": 123.45,
        "debt_amount": 0,
        "paid_out": 0,
        "requested_at": "2026-11-23T06:00:00.000000Z",
        "restorable_until": "2026-11-23T06:00:00.000000Z",
        "erased_at": None,
    }
    assert len((await body_of(await phone.get("/deletions?all=1")))["data"]) == 2


async def test_a_pay_out_names_its_sum_its_reason_and_who_paid(phone: Phone, accounts: FakeAccounts) -> None:
    shown = (await body_of(await phone.post("/deletions/c-1/pay-out", json=PAID)))["data"]
    assert (shown["balance"], shown["paid_out"]) == (0, 123.45)
    assert accounts.done == [("c-1", 123_45, "transfer", "operator ann")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"amount": 123.45},
        {"amount": 123.45, "reason": " "},
        {"reason": "transfer"},
        {**PAID, "amount": 0},
        {**PAID, "amount": -1},
        {**PAID, "amount": "123.45"},
        {**PAID, "amount": 0.001},
        {**PAID, "actor": "somebody else"},
    ],
)
async def test_a_pay_out_without_its_facts_is_refused(
    phone: Phone, accounts: FakeAccounts, body: dict[str, Any]
) -> None:
    assert (await body_of(await phone.post("/deletions/c-1/pay-out", json=body), 400))["success"] is False
    assert accounts.done == []


async def test_an_operator_takes_an_account_back_for_its_client(phone: Phone, accounts: FakeAccounts) -> None:
    assert (await body_of(await phone.post("/deletions/c-1/restore", json={})))["data"] == {"client_id": "c-1"}
    await body_of(await phone.post("/deletions/c-1/restore", json={"actor": "x"}), 400)
    await body_of(await phone.post("/deletions/c%201/restore", json={}), 400)
    assert accounts.done == [("c-1", "operator ann")]
