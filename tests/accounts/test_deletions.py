"""The end of an account: asked for, taken back, paid out (contract/roadmap/identity §2)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from evpower.accounts.deletion import Deletion
from evpower.billing.errors import ClientBlocked, ClientDeleted
from evpower.billing.ledger import adjustment_entry
from evpower.billing.rows.ledger import post_entry
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import DebtOpen, InvalidRequest, NotFound, SessionAlreadyActive
from evpower.identifiers import ClientId
from tests.worlds.charging import CLIENT, World

ME = f"client:{CLIENT}"
DAYS_30 = timedelta(days=30).total_seconds()
WHY = "перевод на счёт 1234"


async def row(world: World, client: ClientId = CLIENT) -> dict[str, Any]:
    return (await world.sql("SELECT * FROM clients WHERE id = %s", client))[0]


async def status(world: World) -> str:
    return str((await row(world))["status"])


async def end(world: World) -> Deletion:
    """The client asks for the end of its account."""
    return await world.app.accounts.request_deletion(CLIENT, ME)


async def set_status(world: World, status: str) -> None:
    await world.sql("UPDATE clients SET status = %s WHERE id = %s", status, CLIENT)


async def test_an_account_whose_end_is_asked_for_is_inactive_at_once(world: World) -> None:
    await world.give(500_00)
    asked = await end(world)
    assert asked.restorable_until - asked.requested_at == timedelta(days=30)
    now = await row(world)
    assert (now["status"], now["delete_requested_at"]) == ("inactive", asked.requested_at)
    assert (now["deleted_at"], now["anonymized"]) == (None, False)


async def test_a_repeat_moves_no_date(world: World) -> None:
    asked = await end(world)
    world.clock.advance(3600)
    assert await end(world) == asked


async def test_an_unknown_client_is_made_and_then_ends(world: World) -> None:
    """No well-formed client id is unknown (contract/rest-api §1.8)."""
    assert (await world.app.accounts.request_deletion(ClientId("new"), "client:new")).balance_tyiyn == 0


async def test_an_inactive_client_starts_no_charge(world: World) -> None:
    await world.give(500_00)
    await end(world)
    with pytest.raises(ClientDeleted):
        await world.order(energy_wh=1_000)


async def test_an_inactive_client_stops_its_charge_and_reads_its_balance(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    await set_status(world, "inactive")
    assert await world.balance() == 365_00
    await world.end(begun.wire_transaction_id, 1000)
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor=ME)
    assert (await world.session(session_id)).status == "stopped"


async def test_an_account_does_not_end_while_its_charge_is_reserved_runs_or_is_not_settled(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    with pytest.raises(SessionAlreadyActive):
        await end(world)
    begun = await world.begin(await world.tag_of(session_id))
    with pytest.raises(SessionAlreadyActive):
        await end(world)
    await world.end(begun.wire_transaction_id, 1000)
    with pytest.raises(SessionAlreadyActive):
        await end(world)
    await world.app.settler.work_due()
    await end(world)


async def test_an_account_with_a_debt_does_not_end(world: World) -> None:
    await world.give(13_50)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.charge(session_id, 2_000)
    with pytest.raises(DebtOpen) as refusal:
        await end(world)
    assert (refusal.value.code, refusal.value.details) == ("forbidden", {"reason": "debt", "debt_amount": 13.5})
    assert await status(world) == "active"
    await world.give(100_00, key="later")
    async with unit_of_work(world.pool) as uow:
        await world.app.billing.recover_debts(uow, CLIENT, cause_key="later", actor="test")
    await end(world)


async def test_a_refused_request_leaves_nothing(world: World) -> None:
    await world.give(500_00)
    await world.order(energy_wh=1_000)
    before = await row(world)
    with pytest.raises(SessionAlreadyActive):
        await end(world)
    assert await row(world) == before
    assert await world.app.accounts.deletions(settled_too=True) == []


async def test_within_thirty_days_an_account_is_again_what_it_was(world: World) -> None:
    await world.give(500_00)
    await end(world)
    world.clock.advance(DAYS_30 - 1)
    await world.app.accounts.restore(CLIENT, ME)
    now = await row(world)
    assert (now["status"], now["delete_requested_at"]) == ("active", None)
    await world.order(energy_wh=1_000)


async def test_after_thirty_days_an_account_is_not_restored(world: World) -> None:
    """Also while the erasure has not come to it yet."""
    await end(world)
    world.clock.advance(DAYS_30)
    with pytest.raises(ClientDeleted):
        await world.app.accounts.restore(CLIENT, ME)
    assert await status(world) == "inactive"


async def test_an_account_that_does_not_end_is_restored_to_what_it_is(world: World) -> None:
    await world.give(1_00)
    await world.app.accounts.restore(CLIENT, ME)
    await world.app.accounts.restore(ClientId("unknown"), "client:unknown")
    assert await status(world) == "active"
    await set_status(world, "blocked")
    await world.app.accounts.restore(CLIENT, ME)
    assert await status(world) == "blocked"


@pytest.mark.parametrize("blocked", ["before", "meanwhile"])
async def test_nobody_gets_rid_of_a_block_by_ending_and_restoring(world: World, blocked: str) -> None:
    await world.give(500_00)
    if blocked == "before":
        await set_status(world, "blocked")
    await end(world)
    if blocked == "meanwhile":
        await set_status(world, "blocked")
    await world.app.accounts.restore(CLIENT, ME)
    with pytest.raises(ClientBlocked):
        await world.order(energy_wh=1_000)


async def test_a_second_end_has_thirty_days_of_its_own(world: World) -> None:
    first = await end(world)
    await world.app.accounts.restore(CLIENT, ME)
    world.clock.advance(3600)
    assert (await end(world)).restorable_until == first.restorable_until + timedelta(hours=1)


async def test_what_is_left_is_paid_out_with_one_entry(world: World) -> None:
    await world.give(123_45)
    await end(world)
    paid = await world.app.accounts.pay_out(CLIENT, 123_45, WHY, "operator ann")
    assert (paid.balance_tyiyn, paid.paid_out_tyiyn) == (0, 123_45)
    entries = await world.sql(
        "SELECT e.kind, e.actor, e.description, p.account, p.amount_tyiyn FROM evpower.ledger_entries e "
        "JOIN evpower.ledger_postings p ON p.entry_id = e.id WHERE e.kind = 'deletion_payout' ORDER BY p.id"
    )
    shown = {"kind": "deletion_payout", "actor": "operator ann", "description": f"Выплата остатка: {WHY}"}
    assert entries == [
        {**shown, "account": "client", "amount_tyiyn": -123_45},
        {**shown, "account": "bank", "amount_tyiyn": 123_45},
    ]


@pytest.mark.parametrize("amount_tyiyn", [123_44, 123_46, 0, -123_45])
async def test_only_the_whole_balance_is_paid_out(world: World, amount_tyiyn: int) -> None:
    await world.give(123_45)
    await end(world)
    with pytest.raises(InvalidRequest):
        await world.app.accounts.pay_out(CLIENT, amount_tyiyn, WHY, "operator ann")
    assert await world.balance() == 123_45


async def test_a_repeated_pay_out_moves_nothing(world: World) -> None:
    await world.give(123_45)
    await end(world)
    await world.app.accounts.pay_out(CLIENT, 123_45, WHY, "operator ann")
    for amount_tyiyn in (123_45, 0):
        with pytest.raises(InvalidRequest):
            await world.app.accounts.pay_out(CLIENT, amount_tyiyn, WHY, "operator ann")
    assert await world.balance() == 0


async def test_what_comes_after_a_pay_out_is_paid_out_too(world: World) -> None:
    """Also in another life of the account: no key of an entry comes twice."""
    for _ in range(2):
        for _ in range(2):
            async with unit_of_work(world.pool) as uow:
                key = f"late:{world.clock.now()}"
                await world.app.billing.balance(CLIENT)
                await post_entry(uow.conn, adjustment_entry(CLIENT, 5_00, key, "late", "test"), world.clock.now())
            await end(world)
            world.clock.advance(1)
            await world.app.accounts.pay_out(CLIENT, 5_00, WHY, "operator ann")
        await world.app.accounts.restore(CLIENT, ME)
    (only,) = await world.sql(
        "SELECT sum(amount_tyiyn)::int AS paid FROM evpower.ledger_postings WHERE account = 'bank'"
    )
    assert only == {"paid": 20_00}


async def test_an_account_that_goes_on_is_not_paid_out(world: World) -> None:
    await world.give(123_45)
    for client in (CLIENT, ClientId("unknown")):
        with pytest.raises(NotFound):
            await world.app.accounts.pay_out(client, 123_45, WHY, "operator ann")
    await end(world)
    await world.app.accounts.restore(CLIENT, ME)
    with pytest.raises(NotFound):
        await world.app.accounts.pay_out(CLIENT, 123_45, WHY, "operator ann")


async def test_operators_see_who_can_come_back_and_where_money_waits(world: World) -> None:
    await world.give(123_45)
    await world.sql("UPDATE clients SET name = 'Айгүл', phone = '+996555000001' WHERE id = %s", CLIENT)
    await end(world)
    (seen,) = await world.app.accounts.deletions()
    assert (seen.client_id, seen.name, seen.phone, seen.balance_tyiyn) == (CLIENT, "Айгүл", "+996555000001", 123_45)
    world.clock.advance(DAYS_30)
    await world.app.erasure.work_due()
    (seen,) = await world.app.accounts.deletions()
    assert (seen.name, seen.phone, seen.balance_tyiyn, seen.erased_at) == (None, None, 123_45, world.clock.now())
    await world.app.accounts.pay_out(CLIENT, 123_45, WHY, "operator ann")
    assert await world.app.accounts.deletions() == []
    assert [each.client_id for each in await world.app.accounts.deletions(settled_too=True)] == [CLIENT]


async def test_each_step_is_a_line_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await world.give(5_00)
    await end(world)
    await end(world)
    await world.app.accounts.pay_out(CLIENT, 5_00, WHY, "operator ann")
    await world.app.accounts.restore(CLIENT, ME)
    await world.app.accounts.restore(CLIENT, ME)
    assert [record.getMessage() for record in caplog.records if CLIENT in record.getMessage()] == [
        f"account deletion requested: client_id={CLIENT}, by={ME}",
        f"💳 PAID_OUT: client_id={CLIENT}, amount=5.00, actor=operator ann",
        f"account restored: client_id={CLIENT}, by={ME}",
    ]
