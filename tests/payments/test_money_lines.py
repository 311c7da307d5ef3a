"""Money in and back out: its lines in the log (rest-api §1.10), and who moved it in the ledger."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from evpower.errors import ProviderError, ProviderTimeout
from evpower.payments.gateway import OrderState
from tests.worlds.payments import ANN, CLIENT, World
from tests.worlds.provider import paid


@pytest.fixture
def money(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="payment")
    return caplog


def cards(money: pytest.LogCaptureFixture) -> list[str]:
    """What `grep 💳` shows."""
    return [line for line in money.messages if "💳" in line]


async def credited(world: World) -> Any:
    order = (await world.qr()).order
    return await world.apply(order, paid(100_00))


async def entries(world: World) -> list[tuple[Any, ...]]:
    """What moved, who moved it, whose it was, and for which order."""
    rows = await world.sql(
        "SELECT e.kind, e.actor, max(p.client_id) AS client_id, t.invoice_id, max(p.amount_tyiyn) AS tyiyn"
        " FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id"
        " JOIN balance_topups t ON t.id = e.balance_topup_id GROUP BY e.id, t.id ORDER BY e.id"
    )
    return [tuple(row.values()) for row in rows]


async def test_a_refund_has_a_line_with_who_asked_for_it(world: World, money: pytest.LogCaptureFixture) -> None:
    order = await credited(world)
    await world.payments.refunds.refund(order.invoice_id, 40_00, "a ticket", ANN)
    whose = f"client_id={CLIENT}, amount={{}}, invoice_id={order.invoice_id}, provider=ODENGI"
    assert cards(money) == [
        f"💳 TOPUP: {whose.format('100.00')}",
        f"💳 TOPUP_REFUND: {whose.format('40.00')}, actor=ann",
    ]
    assert await entries(world) == [
        ("balance_topup", "poll", CLIENT, order.invoice_id, 100_00),
        ("topup_refund", "ann", CLIENT, order.invoice_id, 40_00),
        ("topup_refund_end", "poll", CLIENT, order.invoice_id, 40_00),
    ]


async def test_what_a_provider_gave_back_by_itself_has_a_line(world: World, money: pytest.LogCaptureFixture) -> None:
    order = await credited(world)
    await world.apply(order, replace(paid(100_00), state=OrderState.PARTIAL_REFUND, refunded_tyiyn=40_00))
    [parked] = await world.payments.decisions.parked(resolved_too=False)
    await world.payments.decisions.debit(parked.id, 40_00, "seen in the cabinet", ANN)
    whose = f"client_id={CLIENT}, amount=40.00, invoice_id={order.invoice_id}, provider=ODENGI"
    assert cards(money)[1:] == [f"💳 TOPUP_REFUND: {whose}, actor=ann"]


async def test_a_refund_the_provider_does_not_make_comes_back_with_a_line(
    world: World, money: pytest.LogCaptureFixture
) -> None:
    order = await credited(world)
    world.odengi.refund_error = ProviderError()
    await world.payments.refunds.refund(order.invoice_id, None, "a ticket", ANN)
    whose = f"client_id={CLIENT}, amount=100.00, invoice_id={order.invoice_id}, provider=ODENGI"
    assert cards(money)[1:] == [
        f"💳 TOPUP_REFUND: {whose}, actor=ann",
        f"💳 TOPUP_REFUND_RETURNED: {whose}, actor=poll",
    ]
    assert await world.balance() == 100_00


async def test_what_a_person_decides_is_under_their_name(world: World, money: pytest.LogCaptureFixture) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(None))
    [parked] = await world.payments.decisions.parked(resolved_too=False)
    await world.payments.decisions.credit(parked.id, 100_00, "seen in the cabinet", ANN)
    world.odengi.refund_error = ProviderTimeout()
    await world.payments.refunds.refund(order.invoice_id, None, "a ticket", ANN)
    assert [entry[:2] for entry in await entries(world)] == [("balance_topup", "ann"), ("topup_refund", "ann")]
    assert [line.split(":")[0] for line in cards(money)] == ["💳 TOPUP", "💳 TOPUP_REFUND"]
