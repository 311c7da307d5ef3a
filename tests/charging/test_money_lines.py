"""The money lines of rest-api §1.10 to the letter, and who moved whose money for which charge in the ledger."""

from __future__ import annotations

import logging

import pytest

from tests.worlds.charging import CLIENT, World


@pytest.fixture
def money(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="payment")
    return caplog


async def test_a_reserve_and_a_refund_to_the_letter(world: World, money: pytest.LogCaptureFixture) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 15_000)
    assert money.messages == [
        f"💳 CHARGE_RESERVE: session_id={session_id}, amount=270.00, client_id={CLIENT}",
        f"💳 CHARGE_REFUND: session_id={session_id}, refund=67.50, client_id={CLIENT}",
    ]


async def test_an_overrun_is_a_payment(world: World, money: pytest.LogCaptureFixture) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 25_000)
    assert money.messages[1:] == [f"💳 CHARGE_PAYMENT: session_id={session_id}, amount=67.50, client_id={CLIENT}"]


async def test_a_debt_paid_from_a_later_refund_is_a_payment_of_the_session_that_owed_it(
    world: World, money: pytest.LogCaptureFixture
) -> None:
    await world.give(300_00)
    owing = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(owing, 25_000)
    await world.give(100_00, key="later")
    later = (await world.order(amount_tyiyn=100_00)).session.session_id
    await world.charge(later, 1_000)
    assert money.messages[-2:] == [
        f"💳 CHARGE_REFUND: session_id={later}, refund=86.50, client_id={CLIENT}",
        f"💳 CHARGE_PAYMENT: session_id={owing}, amount=37.50, client_id={CLIENT}",
    ]


async def test_a_correction_has_the_line_of_what_it_moved(world: World, money: pytest.LogCaptureFixture) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.end(await world.estimate(session_id, 15_000), 1_000 + 14_000)
    await world.app.settler.work_due()
    assert money.messages[-1] == f"💳 CHARGE_REFUND: session_id={session_id}, refund=13.50, client_id={CLIENT}"


async def test_what_moves_no_money_writes_no_line(world: World, money: pytest.LogCaptureFixture) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 20_000)
    assert [line.split(":")[0] for line in money.messages] == ["💳 CHARGE_RESERVE"]


async def test_every_entry_of_a_charge_names_its_session_its_client_and_who_acted(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 25_000)
    await world.give(100_00, key="later")
    later = (await world.order(amount_tyiyn=100_00)).session.session_id
    await world.app.charging.stop_session(later, caller=CLIENT, actor="client")
    await world.app.settler.work_due()
    entries = await world.sql(
        "SELECT e.kind, e.actor, e.session_id, max(p.client_id) AS client_id, max(abs(p.amount_tyiyn)) AS tyiyn"
        " FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id"
        " WHERE e.kind <> 'admin_adjustment' GROUP BY e.id ORDER BY e.id"
    )
    assert [tuple(entry.values()) for entry in entries] == [
        ("reserve", f"client:{CLIENT}", session_id, CLIENT, 270_00),
        ("settle", "settlement", session_id, CLIENT, 337_50),
        ("reserve", f"client:{CLIENT}", later, CLIENT, 100_00),
        ("settle", "settlement", later, CLIENT, 100_00),
        ("debt_recovery", "settlement", session_id, CLIENT, 37_50),
    ]
    (stopped,) = await world.sql("SELECT stop_requested_by FROM evpower.session_phases WHERE session_id = %s", later)
    assert stopped["stop_requested_by"] == "client"
