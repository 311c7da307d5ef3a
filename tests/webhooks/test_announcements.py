"""Which events become rows: in the unit of work of the event, for the endpoints that want it, and for no other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import SessionId, WireTransactionId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.receiver import Receiver, Sender, open_receiver


@pytest.fixture
async def sender(world: World) -> AsyncIterator[Sender]:
    async with open_receiver() as receiver:
        yield Sender(world, receiver)


async def begun(world: World, *, energy_wh: int = 10_000) -> tuple[SessionId, WireTransactionId]:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=energy_wh)).session.session_id
    transaction = await world.begin(await world.tag_of(session_id))
    return session_id, transaction.wire_transaction_id


async def test_a_charge_from_its_start_to_its_correction(world: World, sender: Sender) -> None:
    await sender.add()
    session_id, wire_id = await begun(world)
    world.clock.advance(3600)
    await world.meter(wire_id, 1_000 + 3_000)
    await world.app.charging.stop_session(session_id, caller=None, actor="test")
    await world.end(wire_id, 1_000 + 4_000)
    await world.app.settler.work_due()
    await sender.deliver()
    started, ended, corrected = sender.receiver.bodies
    assert sender.receiver.events == ["session.started", "session.ended", "session.corrected"]
    assert started["timestamp"] == "2026-11-23T06:00:00.000000Z"
    assert started["object"] == {"type": "session", "id": session_id}
    assert started["data"]["client_id"] == CLIENT
    assert started["sequence"] < ended["sequence"] < corrected["sequence"]
    figures = [(each["data"]["energy_wh"], each["data"]["amount_tyiyn"]) for each in (ended, corrected)]
    assert figures == [(3_000, 40_50), (4_000, 54_00)]
    assert (ended["data"]["is_estimated"], ended["data"]["end_cause"], ended["data"]["phase"]) == (
        True,
        "operator",
        "settled",
    )


async def test_a_start_that_the_station_refuses_ends_without_having_begun(world: World, sender: Sender) -> None:
    await sender.add()
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    await world.app.charging.stop_session(session_id, caller=None, actor="test")
    assert [row["event"] for row in await sender.rows()] == ["session.ended"]
    await sender.deliver()
    assert sender.receiver.bodies[0]["data"]["phase"] == "released"


async def test_nothing_is_written_for_whom_nobody_waits(world: World, sender: Sender) -> None:
    await sender.add("station.offline")
    await begun(world)
    assert await sender.rows() == []


async def test_each_endpoint_gets_what_it_wants(world: World, sender: Sender) -> None:
    await sender.add("session.started", path="/a")
    await sender.add("session.started", "doubt", path="/b")
    await begun(world)
    await sender.deliver()
    assert sorted(request.path for request in sender.receiver.requests) == ["/a", "/b"]
    first, second = sender.receiver.bodies
    assert first["sequence"] != second["sequence"]


async def test_what_is_undone_was_no_event(world: World, sender: Sender) -> None:
    await sender.add("station.online", "station.offline")
    with pytest.raises(ArithmeticError):
        async with unit_of_work(world.pool) as uow:
            await uow.conn.execute("UPDATE public.stations SET is_available = NOT is_available")
            raise ArithmeticError
    assert await sender.rows() == []


async def test_a_station_that_falls_silent_and_comes_back(world: World, sender: Sender) -> None:
    await sender.add("station.online", "station.offline")
    world.link.connected.clear()
    world.clock.advance(301)
    await world.app.presence.watch()
    assert [row["event"] for row in await sender.rows()] == ["station.offline"]
    world.link.connected.add(STATION)
    await world.app.presence.flush()
    await sender.deliver()
    assert sender.receiver.events == ["station.offline", "station.online"]
    assert {body["object"]["id"] for body in sender.receiver.bodies} == {STATION}
    assert sender.receiver.bodies[0]["timestamp"] == "2026-11-23T06:00:00.000000Z", "since when it is silent"


async def test_a_heartbeat_is_no_event(world: World, sender: Sender) -> None:
    await sender.add("station.online", "station.offline")
    world.clock.advance(60)
    await world.app.presence.flush()
    assert await sender.rows() == []


async def test_a_figure_that_is_not_believed(world: World, sender: Sender) -> None:
    await sender.add("doubt")
    _, wire_id = await begun(world)
    world.clock.advance(60)
    await world.meter(wire_id, 1_000 + 900_000)
    await world.meter(wire_id, 1_000 + 900_100)
    await sender.deliver()
    [body] = sender.receiver.bodies
    assert (body["type"], body["data"]["station_id"], body["data"]["kind"]) == ("doubt", STATION, "reading")


async def test_a_payment_that_waits_for_a_person(world: World, sender: Sender) -> None:
    await sender.add("payment.parked")
    await world.give(1_00)
    async with by_hand(world.pool) as conn:
        await conn.execute(
            "INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider) "
            "VALUES ('i', 'o', %s, 1, 'OBANK')",
            (CLIENT,),
        )
        await conn.execute(
            "INSERT INTO evpower.parked_payments (topup_id, provider, reason, amount_tyiyn, currency, parked_at) "
            "SELECT id, 'OBANK', 'no_sum', 5000, 'KGS', '2026-11-23 06:00+00' FROM balance_topups"
        )
    await sender.deliver()
    [body] = sender.receiver.bodies
    assert body["data"] == {
        "parked_id": body["data"]["parked_id"],
        "invoice_id": "i",
        "order_id": "o",
        "client_id": CLIENT,
        "provider": "OBANK",
        "reason": "no_sum",
        "amount_tyiyn": 5000,
        "currency": "KGS",
    }


async def test_a_disabled_endpoint_and_a_removed_one_get_no_rows(world: World, sender: Sender) -> None:
    disabled = (await sender.add(path="/a")).endpoint.id
    removed = (await sender.add(path="/b")).endpoint.id
    await world.sql(
        "UPDATE evpower.webhook_endpoints SET disabled_at = now(), disabled_reason = 'gone' WHERE id = %s", disabled
    )
    await sender.webhooks.remove(removed, actor="test")
    await begun(world)
    assert await sender.rows() == []


def test_a_receiver_checks_by_itself() -> None:
    """The stand-in's check is none of ours: it is here, so that it is seen to be one."""
    assert Receiver().events == []
