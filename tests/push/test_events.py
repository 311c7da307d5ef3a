"""Which events of the application become messages, for whom, and how often: rows in the event's own unit of work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from evpower.billing.order_ref import OrderRef
from evpower.billing.service import BillingService
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.events import StationChanged
from evpower.push.events import PushEvent, of_session
from evpower.push.recipient import Recipient
from evpower.settings.config import Config
from evpower.settings.push import PushSettings
from tests.charging.test_doubts import unwritable
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World, impatient, open_world
from tests.worlds.push import phone

ON = impatient(replace(Config(), push=PushSettings(fcm_service_account="account.json")))
DRIVER, BOSS = Recipient("client", CLIENT), Recipient("owner", "boss")


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """The driver has a phone for messages, and so has the location's owner."""
    async with open_world(pool, ON) as world:
        await world.sql("UPDATE locations SET user_id = 'boss', admin_id = 'chief'")
        await world.app.push.devices.register(DRIVER, phone("driver"))
        await world.app.push.devices.register(BOSS, phone("boss"))
        yield world


async def queued(world: World, event: str = "%") -> list[tuple[str, str, str]]:
    rows = await world.sql(
        "SELECT event, owner_type, owner_id FROM evpower.push_outbox WHERE event LIKE %s ORDER BY id", event
    )
    return [(row["event"], row["owner_type"], row["owner_id"]) for row in rows]


async def payload(world: World, event: str) -> Any:
    (row,) = await world.sql("SELECT payload FROM evpower.push_outbox WHERE event = %s", event)
    return row["payload"]


def to_driver(event: str) -> tuple[str, str, str]:
    return event, "client", CLIENT


def to_boss(event: str) -> tuple[str, str, str]:
    return event, "owner", "boss"


async def test_a_charge_is_a_message_at_its_start_and_one_at_its_end(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    assert await queued(world) == []
    begun = await world.begin(await world.tag_of(session_id))
    assert await queued(world) == [to_driver("charging_started"), to_boss("new_session")]
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 16_000)
    await world.app.settler.work_due()
    assert (await queued(world))[2:] == [to_driver("charging_completed"), to_boss("session_completed")]
    assert await payload(world, "charging_completed") == {
        "energy_wh": 15_000,
        "cost_tyiyn": 202_50,
        "refund_tyiyn": 67_50,
        "session_id": session_id,
        "station_id": STATION,
        "place": "ТЦ Дордой Плаза",
    }


async def test_a_repeat_writes_nothing_more(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.charge(session_id, 500)
    before = await queued(world)
    await world.app.settler.settle(session_id)
    async with unit_of_work(world.pool) as uow:
        again = of_session("charging_completed", session_id, STATION, energy_wh=1, cost_tyiyn=1, refund_tyiyn=1)
        await world.app.push.outbox.enqueue(uow, again)
    assert await queued(world) == before


async def test_what_is_rolled_back_is_no_message(world: World) -> None:
    with pytest.raises(RuntimeError):
        async with unit_of_work(world.pool) as uow:
            await world.app.push.outbox.enqueue(uow, PushEvent("test", "test:1", DRIVER))
            raise RuntimeError
    assert await queued(world) == []


async def test_a_bill_that_a_person_gives_up_is_a_charge_that_failed_and_cost_nothing(world: World) -> None:
    await unwritable(world)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    await world.app.doubts.dismiss(doubt.id, actor="ann", reason="the price was mistyped")
    message = await payload(world, "charging_error")
    assert (message["energy_wh"], message["cost_tyiyn"]) == (0, 0)


async def test_a_charge_that_could_not_begin_names_its_refund(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.app.settler.release(session_id, status="error", cause="charger", reason="rejected")
    assert await queued(world) == [to_driver("charging_error")]
    message = await payload(world, "charging_error")
    assert (message["energy_wh"], message["refund_tyiyn"]) == (0, 270_00)


async def test_a_limit_that_is_near_is_said_once(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    for energy_wh in (17_999, 18_000, 18_500, 19_000):
        world.clock.advance(3600)
        await world.meter(begun.wire_transaction_id, 1000 + energy_wh, power_w=1000)
        assert len(await queued(world, "charging_limit_near")) == (0 if energy_wh < 18_000 else 1)
    assert (await payload(world, "charging_limit_near"))["energy_wh"] == 18_000
    world.app.limits._near.clear()  # as after a restart
    world.clock.advance(60)
    await world.meter(begun.wire_transaction_id, 20_100, power_w=1000)
    assert len(await queued(world, "charging_limit_near")) == 1


async def spend(world: World, amount_tyiyn: int, hold_wh: int) -> None:
    """A charge that costs so much, at 13.5 som a kWh."""
    session_id = (await world.order(energy_wh=hold_wh)).session.session_id
    await world.charge(session_id, round(amount_tyiyn / 13.5 * 10))


async def test_the_balance_is_low_once_for_each_fall_and_never_by_a_start_alone(world: World) -> None:
    """Acceptance 6: 60, a start holds 55: nothing. Settled at 30: one. Topped up by 100, spent to 40: a second."""
    await world.give(60_00)
    session_id = (await world.order(amount_tyiyn=55_00)).session.session_id
    assert await world.balance() == 5_00
    assert await queued(world, "low%") == []
    await world.charge(session_id, 2_222)
    assert await world.balance() == 30_00
    assert await queued(world, "low%") == [to_driver("low_balance_warning")]
    await world.give(100_00, key="top-up")
    assert len(await queued(world, "low%")) == 1
    await world.charge((await world.order(amount_tyiyn=100_00)).session.session_id, 6_667)
    assert await world.balance() == 40_00
    assert await queued(world, "low%") == 2 * [to_driver("low_balance_warning")]
    payloads = await world.sql("SELECT payload FROM evpower.push_outbox WHERE event LIKE 'low%%' ORDER BY id")
    assert [row["payload"] for row in payloads] == [{"balance_tyiyn": 30_00}, {"balance_tyiyn": 40_00}]


async def test_a_balance_that_is_low_already_is_not_warned_of_again(world: World) -> None:
    await world.give(60_00)
    for _ in range(2):
        await spend(world, 13_50, 1_000)
        assert len(await queued(world, "low%")) == 1


async def test_a_debt_is_no_fall_of_a_balance_that_was_low_already(world: World) -> None:
    await world.give(45_00)
    session_id = (await world.order(amount_tyiyn=40_00)).session.session_id
    await world.charge(session_id, 20_000)
    view = await world.app.billing.balance(CLIENT)
    assert (view.balance_tyiyn, view.debt_tyiyn) == (0, 225_00)
    assert await queued(world, "low%") == []


async def test_what_another_charge_holds_counts_as_there(world: World) -> None:
    await world.give(100_00)
    await world.order(energy_wh=3_000, connector=TWO)
    await spend(world, 27_00, 2_000)
    assert await world.balance() == 32_50
    assert await queued(world, "low%") == []


async def test_exactly_fifty_is_not_low(world: World) -> None:
    await world.give(63_50)
    await spend(world, 13_50, 1_000)
    assert await world.balance() == 50_00
    assert await queued(world, "low%") == []


async def test_a_correction_by_hand_that_takes_money_may_be_a_fall(world: World) -> None:
    await world.give(60_00)
    async with unit_of_work(world.pool) as uow:
        await world.app.billing.adjust(uow, CLIENT, -20_00, "by-hand", reason="test", actor="test")
    assert (await payload(world, "low_balance_warning"))["balance_tyiyn"] == 40_00


async def test_without_push_no_client_gets_a_message_about_money(world: World) -> None:
    await world.give(60_00)
    async with unit_of_work(world.pool) as uow:
        await BillingService(world.pool, world.clock).adjust(uow, CLIENT, -20_00, "k", reason="test", actor="test")
    assert await queued(world) == []


async def test_a_silent_station_is_said_to_its_owners_once_for_each_time(world: World) -> None:
    await world.app.push.devices.register(Recipient("owner", "chief"), phone("chief"))
    offline = [("station_offline", "owner", "boss"), ("station_offline", "owner", "chief")]
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    for times in (1, 2):
        world.clock.advance(400)
        with world.app.bus.subscribe(lambda event: isinstance(event, StationChanged)):
            await world.app.presence.watch()
            await world.app.presence.watch()
        assert sorted(await queued(world)) == sorted(offline * times)
        await world.sql("UPDATE stations SET is_available = true, last_heartbeat_at = %s", world.clock.now())
    assert (await world.sql("SELECT DISTINCT payload FROM evpower.push_outbox"))[0]["payload"] == {
        "station_id": STATION,
        "place": "ТЦ Дордой Плаза",
    }


async def test_an_owner_who_is_the_administrator_too_is_one_person(world: World) -> None:
    await world.sql("UPDATE locations SET admin_id = 'boss'")
    async with unit_of_work(world.pool) as uow:
        await world.app.push.outbox.enqueue(uow, PushEvent("station_offline", "key", station_id=STATION))
    assert await queued(world) == [to_boss("station_offline")]


@pytest.mark.parametrize(
    ("event", "preference", "recipient"),
    [
        ("charging_started", "charging_updates", DRIVER),
        ("payment_confirmed", "payment_alerts", DRIVER),
        ("station_offline", "system_alerts", BOSS),
    ],
)
async def test_what_is_switched_off_is_not_written(
    world: World, event: str, preference: str, recipient: Recipient
) -> None:
    name: Any = event
    for is_wanted, rows in ((True, 1), (False, 1), (True, 2)):
        await world.app.push.devices.choose(recipient, {preference: is_wanted})
        async with unit_of_work(world.pool) as uow:
            key = f"{event}:{rows}:{is_wanted}:{len(await queued(world))}"
            await world.app.push.outbox.enqueue(uow, PushEvent(name, key, recipient))
        assert len(await queued(world)) == rows


async def test_a_free_connector_cannot_be_switched_off(world: World) -> None:
    everything = dict.fromkeys(("charging_updates", "payment_alerts", "promotions", "system_alerts"), False)
    await world.app.push.devices.choose(DRIVER, everything)
    async with unit_of_work(world.pool) as uow:
        event = PushEvent("connector_free", "connector_free:7", DRIVER, station_id=STATION, facts={"connector_id": ONE})
        await world.app.push.outbox.enqueue(uow, event)
    assert await queued(world) == [to_driver("connector_free")]


async def test_people_without_a_device_have_no_rows(world: World) -> None:
    await world.sql("UPDATE evpower.push_targets SET ended_at = now(), end_reason = 'unregistered'")
    await world.give(60_00)
    await spend(world, 27_00, 2_000)
    assert await queued(world) == []


async def test_a_feature_that_is_off_writes_nothing(pool: Pool) -> None:
    """Also for a device that was registered while it was on."""
    off = replace(ON, push=replace(ON.push, enabled=False))
    async with open_world(pool, off) as world:
        await world.sql("UPDATE locations SET user_id = 'boss'")
        for recipient, name in ((DRIVER, "driver"), (BOSS, "boss")):
            await world.app.push.devices.register(recipient, phone(name))
        await world.give(60_00)
        await spend(world, 27_00, 2_000)
        assert await queued(world) == []


async def test_a_charge_whose_names_are_as_long_as_may_be_is_settled(world: World) -> None:
    """A row that an index could not take would fail the settlement with it."""
    async with unit_of_work(world.pool) as uow:
        far_too_long = PushEvent("payment_confirmed", "payment_confirmed:" + Random(1).randbytes(8000).hex(), DRIVER)
        await world.app.push.outbox.enqueue(uow, far_too_long)
    assert await queued(world) == [to_driver("payment_confirmed")]


async def ordered(world: World) -> OrderRef:
    """A top-up that somebody began."""
    await world.sql("INSERT INTO clients (id) VALUES (%s) ON CONFLICT DO NOTHING", CLIENT)
    await world.sql(
        "INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider) "
        "VALUES ('i', 'o', %s, 100, 'OBANK')",
        CLIENT,
    )
    (row,) = await world.sql("SELECT id FROM balance_topups")
    return OrderRef(row["id"], CLIENT, "OBANK", "i")


@pytest.mark.parametrize("by_us", [True, False])
async def test_money_that_goes_back_to_its_payer_may_be_a_fall(world: World, by_us: bool) -> None:
    await world.give(60_00)
    order, billing = await ordered(world), world.app.billing
    async with unit_of_work(world.pool) as uow:
        if by_us:
            await billing.hold_refund(uow, order, 1, 20_00, "test")
        else:
            await billing.take_back(uow, order, "key", 20_00, "test")
    assert (await payload(world, "low_balance_warning"))["balance_tyiyn"] == 40_00


async def test_a_bill_that_is_corrected_upwards_may_be_a_fall(world: World) -> None:
    await world.give(270_00 + 60_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = await world.estimate(session_id, 20_000)
    assert (await world.balance(), await queued(world, "low%")) == (60_00, [])
    await world.end(wire_id, 1_000 + 21_000)
    await world.app.settler.work_due()
    assert (await payload(world, "low_balance_warning"))["balance_tyiyn"] == 46_50


async def test_a_payment_is_confirmed_to_who_paid(world: World) -> None:
    order = await ordered(world)
    for is_new in (True, False):
        async with unit_of_work(world.pool) as uow:
            assert await world.app.billing.top_up(uow, order, "topup:OBANK:7", 100_00, "test") is is_new
    assert await queued(world) == [to_driver("payment_confirmed")]
    assert await payload(world, "payment_confirmed") == {"amount_tyiyn": 100_00}
    await world.sql("UPDATE balance_topups SET status = 'approved', paid_amount = 100")
    await world.sql(
        "INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn, paid_tyiyn) "
        "VALUES (%s, 1, 'card', 'approved', now(), 10000, 10000)",
        order.id,
    )
