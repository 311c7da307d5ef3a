"""Smart-charging §6 over the whole application: notices, times that are paid for, and the fee at the end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.identifiers import SessionId, WireTransactionId
from evpower.idle_fees.rows import fees
from evpower.push.recipient import Recipient
from evpower.settings.config import Config
from evpower.settings.push import PushSettings
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, TWO, World, impatient, open_world
from tests.worlds.push import phone

ON = impatient(replace(Config(), push=PushSettings(fcm_service_account="account.json")))
PLAN = """
INSERT INTO tariff_plans (id, name, parking_cap) VALUES ('P', 'fee', 30);
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price) VALUES ('F', 'P', 'idle', 'parking_fee', 3);
UPDATE stations SET tariff_plan_id = 'P'
"""
LEAVE = """
UPDATE evpower.push_outbox SET state = 'sent', ended_at = %s WHERE event = 'idle_fee_starts_at' AND state = 'queued'
"""


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """3 som a minute, at most 30, from 20 minutes after the notice on; a driver with a phone and 87.50 som."""
    async with open_world(pool, ON) as world:
        await world.sql(PLAN)
        await world.app.push.devices.register(Recipient("client", CLIENT), phone("driver"))
        await world.give(87_50)
        yield world


async def charge(world: World) -> SessionId:
    """5 kWh, 67.50 som: 20 are left. Its station says Finishing."""
    session_id = (await world.order()).session.session_id
    await world.charge(session_id, 5_000)
    await world.say("Finishing")
    return session_id


async def look(world: World, minutes: float, *, step_s: float = 60) -> None:
    """Looks once a minute for so long."""
    for _ in range(round(minutes * 60 / step_s)):
        world.clock.advance(step_s)
        await world.app.idle_fees.look()


async def grace(world: World) -> None:
    """Twenty minutes since the notice, in two looks: what is between looks so far apart is not paid anyway."""
    world.clock.advance(19 * 60)
    await world.app.idle_fees.look()
    await look(world, 1)


async def notice_leaves(world: World) -> int:
    """The deliverer has sent what is queued; how many notices there are."""
    await world.app.idle_fees.look()
    await world.sql(LEAVE, world.clock.now())
    (row,) = await world.sql("SELECT count(*) AS n FROM evpower.push_outbox WHERE event = 'idle_fee_starts_at'")
    return int(row["n"])


async def came_to(world: World) -> dict[str, Any]:
    (row,) = await world.sql("SELECT minutes, fee_tyiyn AS fee, taken_tyiyn AS taken FROM evpower.idle_fees")
    return row


async def test_a_fee_that_is_taken_has_a_line_and_may_make_the_balance_low(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="payment")
    await world.give(40_00, key="more")
    session_id = await charge(world)
    await notice_leaves(world)
    await grace(world)
    await look(world, 5)
    await world.say("Available")
    await look(world, 1)
    assert f"💳 IDLE_FEE: session_id={session_id}, amount=15.00, client_id={CLIENT}" in caplog.messages
    low = await world.sql("SELECT payload FROM evpower.push_outbox WHERE event = 'low_balance_warning'")
    assert [row["payload"] for row in low] == [{"balance_tyiyn": 45_00}]


async def test_acceptance_10_a_fee_takes_what_is_there_and_makes_no_debt(world: World) -> None:
    """35 minutes after the notice, 15 of them paid: 45 som, capped at 30, of which there are 20."""
    session_id = await charge(world)
    assert await notice_leaves(world) == 1
    await grace(world)
    await look(world, 15)
    assert await world.balance() == 20_00, "nothing is taken while the car is there"
    await world.say("Available")
    await look(world, 1)
    assert await came_to(world) == {"minutes": 15, "fee": 30_00, "taken": 20_00}
    view = await world.app.billing.balance(CLIENT)
    assert (view.balance_tyiyn, view.debt_tyiyn) == (0, 0)
    assert (await world.statement())[-1] == ("idle_fee", -20, 0)
    (line,) = await world.sql(
        "SELECT description, charging_session_id FROM payment_transactions WHERE type = 'idle_fee'"
    )
    assert line == {"description": "Плата за простой после зарядки", "charging_session_id": session_id}
    postings = await world.sql(
        "SELECT e.key, p.account, p.amount_tyiyn FROM evpower.ledger_entries e"
        " JOIN evpower.ledger_postings p ON p.entry_id = e.id WHERE e.kind = 'idle_fee' ORDER BY p.id"
    )
    assert [tuple(row.values()) for row in postings] == [
        (f"idle_fee:{session_id}", "client", -20_00),
        (f"idle_fee:{session_id}", "fees", 20_00),
    ]
    fee = (await world.app.case_files.charge(session_id)).idle_fee
    assert fee is not None
    assert (fee.minutes, fee.fee_tyiyn, fee.taken_tyiyn) == (15, 30_00, 20_00)
    (paid,) = fee.times
    assert paid[1] - paid[0] == timedelta(minutes=15)
    assert world.app.idle_fees.sums == {"taken": 20_00, "not_there": 10_00}


async def test_the_notice_says_from_when_and_how_much(world: World) -> None:
    await charge(world)
    await world.app.idle_fees.look()
    (row,) = await world.sql("SELECT payload, owner_id FROM evpower.push_outbox WHERE event = 'idle_fee_starts_at'")
    at = (world.clock.now() + timedelta(minutes=20)).astimezone(Config().billing.timezone)
    assert row["owner_id"] == CLIENT
    assert row["payload"] | {"rate_tyiyn": 3_00, "cap_tyiyn": 30_00, "at": f"{at:%H:%M}"} == row["payload"]


async def test_without_a_notice_that_has_left_nothing_is_paid(world: World) -> None:
    """The driver's phone was not reached for an hour."""
    await charge(world)
    await look(world, 60, step_s=600)
    await look(world, 2)
    await world.say("Available")
    await look(world, 1)
    assert await came_to(world) == {"minutes": 0, "fee": 0, "taken": 0}
    assert [kind for kind, _, _ in await world.statement()] == ["charge_reserve", "charge_refund"]


@pytest.mark.parametrize("off", ["UPDATE tariff_plans SET parking_cap = NULL", "DELETE FROM tariff_rules"])
async def test_it_is_off_without_a_cap_or_without_a_price(world: World, off: str) -> None:
    await world.sql(off)
    await charge(world)
    await look(world, 60, step_s=600)
    assert await world.sql("SELECT session_id FROM evpower.idle_fees") == []


async def test_the_terms_are_those_of_the_start(world: World) -> None:
    """The price of a minute, the grace and the cap are raised while the car charges."""
    session_id = (await world.order()).session.session_id
    await world.sql("UPDATE tariff_rules SET price = 99")
    await world.sql("UPDATE tariff_plans SET parking_cap = 99, parking_grace_minutes = 0")
    await world.charge(session_id, 5_000)
    await world.say("Finishing")
    await notice_leaves(world)
    await grace(world)
    await look(world, 2)
    await world.say("Available")
    await look(world, 1)
    assert await came_to(world) == {"minutes": 2, "fee": 6_00, "taken": 6_00}


async def test_a_full_car_that_still_charges_waits_by_its_readings(world: World) -> None:
    """Five minutes below 0.3 kW after 4 kWh; it pays up to its last reading, and the bill comes first."""
    session_id = (await world.order()).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    await draw(world, begun.wire_transaction_id, (22_000, 22_000))
    await draw(world, begun.wire_transaction_id, [200] * 5)
    assert await notice_leaves(world) == 0
    await draw(world, begun.wire_transaction_id, [200] * 1)
    assert await notice_leaves(world) == 1
    await draw(world, begun.wire_transaction_id, [299.9] * 22)
    await world.end(begun.wire_transaction_id, await register(world))
    await world.app.settler.work_due()
    await world.say("Available")
    await look(world, 1)
    assert (await came_to(world))["minutes"] == 2


async def register(world: World) -> int:
    (row,) = await world.sql("SELECT meter_last_wh FROM evpower.ocpp_transactions ORDER BY id DESC LIMIT 1")
    return int(row["meter_last_wh"])


async def draw(world: World, wire_id: WireTransactionId, powers_w: Any) -> None:
    """A reading and a look each minute, at these powers. The first minutes are five of 2 kWh each."""
    for power_w in powers_w:
        world.clock.advance(60 if power_w < 300 else 330)
        rise_wh = round(power_w * (60 if power_w < 300 else 330) / 3600)
        await world.meter(wire_id, await register(world) + rise_wh, power_w=power_w)
        await world.app.idle_fees.look()


async def test_a_car_that_draws_again_gets_another_notice_and_its_own_grace(world: World) -> None:
    session_id = (await world.order()).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    await draw(world, begun.wire_transaction_id, (22_000, 22_000))
    await draw(world, begun.wire_transaction_id, [100] * 6)
    assert await notice_leaves(world) == 1
    await draw(world, begun.wire_transaction_id, [100] * 21)
    await draw(world, begun.wire_transaction_id, (1_000,))
    await draw(world, begun.wire_transaction_id, [100] * 6)
    assert await notice_leaves(world) == 2
    await draw(world, begun.wire_transaction_id, [100] * 19)
    (row,) = await world.sql("SELECT sum(until - since) AS waited FROM evpower.idle_times")
    assert row["waited"] == timedelta(minutes=1)


async def test_a_fault_and_a_lost_line_are_not_paid(world: World) -> None:
    """Of what follows the grace, four minutes at a faulted connector and four without a line."""
    await world.give(100_00, key="more")
    await world.sql("UPDATE tariff_plans SET parking_cap = 500")
    await charge(world)
    await notice_leaves(world)
    await grace(world)
    await look(world, 3)
    await world.say("Faulted", error="GroundFailure")
    await look(world, 4)
    await world.say("Finishing")
    await look(world, 5)
    world.link.connected.clear()
    await look(world, 4)
    await world.say("Finishing")
    world.link.connected.update(await stations(world))
    await look(world, 7)
    await world.say("Available")
    await look(world, 1)
    minutes = (await came_to(world))["minutes"]
    assert minutes == 3 + 4 + 6, "a minute from one look to the next is paid when both saw the same"


async def stations(world: World) -> list[Any]:
    return [row["id"] for row in await world.sql("SELECT id FROM stations")]


async def test_what_the_site_held_back_is_not_waiting(world: World) -> None:
    """An accepted grant of nothing for half an hour: its car draws nothing, and no notice is written."""
    session_id = (await world.order()).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    await draw(world, begun.wire_transaction_id, (22_000,))
    now = world.clock.now()
    await world.sql(
        'INSERT INTO evpower.power_grants (grant_id, station_id, connector_id, session_id, transaction, "limit", unit,'
        " current_da, granted_at, lease_until, acked_at, state) VALUES (1, 'EVP-001-01', 1, %s, %s, 0, 'A', 0, %s, %s,"
        " %s, 'accepted')",
        session_id,
        begun.wire_transaction_id,
        now,
        now + timedelta(minutes=30),
        now,
    )
    await draw(world, begun.wire_transaction_id, [0] * 30)
    assert await notice_leaves(world) == 0
    await draw(world, begun.wire_transaction_id, [0] * 4)
    assert await notice_leaves(world) == 0
    await draw(world, begun.wire_transaction_id, [0] * 2)
    assert await notice_leaves(world) == 1, "five minutes in which it could have drawn"


async def test_only_above_an_occupancy_of_its_location(world: World) -> None:
    """Two connectors: with one free there is no notice and no fee, with both taken there is."""
    await world.sql("UPDATE tariff_plans SET only_above_occupancy = 50")
    await charge(world)
    assert await notice_leaves(world) == 0
    await world.say("Charging", connector=TWO)
    assert await notice_leaves(world) == 1


async def test_the_next_charge_on_the_connector_ends_it(world: World) -> None:
    await charge(world)
    await notice_leaves(world)
    await grace(world)
    await look(world, 1)
    await world.give(100_00, key="more")
    await give_card(world)
    await world.begin(CARD)
    await look(world, 1)
    first, *_ = await world.sql("SELECT minutes, ended_at FROM evpower.idle_fees ORDER BY ended_at NULLS LAST")
    assert first["minutes"] == 1


async def test_a_process_that_dies_inside_the_end_takes_it_once_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the entry and before its row's end: nothing is taken; the next look takes it, a repeat nothing."""
    session_id = await charge(world)
    await notice_leaves(world)
    await grace(world)
    await look(world, 8)
    await world.say("Available")
    end_fee = fees.end_fee

    async def die(*_: Any, **__: Any) -> None:
        raise ConnectionAbortedError

    monkeypatch.setattr(fees, "end_fee", die)
    await look(world, 1)
    assert await world.balance() == 20_00
    monkeypatch.setattr(fees, "end_fee", end_fee)
    await look(world, 1)
    assert await world.balance() == 0, "eight minutes are 24 som"
    await world.give(50_00, key="later")
    assert not await world.app.idle_fees.end(session_id)
    await look(world, 1)
    assert await world.balance() == 50_00
    assert len(await world.sql("SELECT key FROM evpower.ledger_entries WHERE kind = 'idle_fee'")) == 1


async def test_a_time_in_which_nobody_looked_is_not_paid(world: World) -> None:
    """The process was down for ten of the fifteen minutes after the grace."""
    await charge(world)
    await notice_leaves(world)
    await grace(world)
    await look(world, 2)
    await look(world, 10, step_s=600)
    await look(world, 3)
    await world.say("Available")
    await look(world, 1)
    assert await came_to(world) == {"minutes": 5, "fee": 15_00, "taken": 15_00}


async def test_a_charge_that_never_began_has_nothing_to_pay(world: World) -> None:
    session_id = (await world.order()).session.session_id
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    await world.app.settler.release(session_id, status="stopped", cause="driver", reason="Local")
    await look(world, 3)
    assert await came_to(world) == {"minutes": 0, "fee": 0, "taken": 0}


async def test_the_ledger_check_finds_a_fee_without_its_entry(world: World) -> None:
    await charge(world)
    await world.sql("UPDATE evpower.idle_fees SET ended_at = now(), minutes = 1, fee_tyiyn = 300, taken_tyiyn = 300")
    checked = await world.app.billing.check()
    assert list(checked.problems) == ["idle fees that are not what was taken"]
    await world.sql("UPDATE evpower.idle_fees SET taken_tyiyn = 0")
