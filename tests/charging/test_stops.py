"""POST /charging/stop and everything else that ends a charge: exactly one settlement, whoever comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio
from psycopg.errors import CheckViolation

from evpower.charging.errors import NoSuchActiveSession
from evpower.db.pool import Pool
from evpower.errors import Forbidden, IdempotencyMismatch, SessionNotFound
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId, SessionId, WireTransactionId
from evpower.link.ports import Outcome
from evpower.narrowing import ALL_OF_IT
from evpower.server.rows.operator import list_sessions
from evpower.settings.config import Config
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, STATION, TWO, World, open_world


async def running(world: World, register_wh: int = 16_000) -> tuple[SessionId, WireTransactionId]:
    """500 som, 20 kWh ordered, an hour and some kWh into the charge."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, register_wh)
    return session_id, begun.wire_transaction_id


async def stop(world: World, session_id: SessionId, caller: ClientId | None = CLIENT) -> None:
    await world.app.charging.stop_session(session_id, caller=caller, actor="test")


async def test_the_first_who_asked_for_a_stop_is_kept_with_the_session(world: World) -> None:
    session_id, _ = await running(world)
    for actor in ("client", "operator ann"):
        await world.app.charging.stop_session(session_id, caller=None, actor=actor)
    async with by_hand(world.pool) as conn:
        (row,) = await list_sessions(conn, ALL_OF_IT, running_only=False)
    assert (row.stop_requested_by, row.stop_requested_at) == ("client", world.clock.now())


async def test_an_unknown_session_cannot_be_stopped(world: World) -> None:
    with pytest.raises(NoSuchActiveSession):
        await stop(world, SessionId("nothing"))


async def test_an_unknown_session_cannot_be_seen(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.session(SessionId("nothing"))


async def test_another_clients_session_cannot_be_stopped(world: World) -> None:
    session_id, _ = await running(world)
    with pytest.raises(Forbidden):
        await stop(world, session_id, ClientId("other"))
    assert (await world.session(session_id)).phase == "charging"


async def test_an_operator_may_stop_any_session(world: World) -> None:
    session_id, _ = await running(world)
    await stop(world, session_id, None)
    assert (await world.session(session_id)).status == "stopped"


def claim(body: str) -> IdempotencyClaim:
    return IdempotencyClaim(CLIENT, "key-1", "POST", "/api/v1/charging/stop", body)


async def test_the_key_is_stored_with_the_stop(world: World) -> None:
    session_id, _ = await running(world)
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="test", claim=claim("this session"))
    rows = await world.sql("SELECT session_id, body_hash, status_code FROM evpower.idempotency_keys")
    assert rows == [{"session_id": session_id, "body_hash": "this session", "status_code": None}]


async def test_a_key_used_for_one_stop_stops_nothing_else(world: World) -> None:
    first, _ = await running(world)
    second = (await world.order(energy_wh=1_000, connector=TWO)).session.session_id
    await world.begin(await world.tag_of(second), connector=TWO)
    await world.app.charging.stop_session(first, caller=CLIENT, actor="test", claim=claim("the first"))
    with pytest.raises(IdempotencyMismatch):
        await world.app.charging.stop_session(second, caller=CLIENT, actor="test", claim=claim("the second"))
    assert (await world.session(second)).phase == "charging"
    assert len(world.link.stopped) == 1


async def test_a_stop_that_could_not_be_noted_claims_no_key(world: World) -> None:
    session_id, _ = await running(world)
    await world.sql("ALTER TABLE evpower.session_phases ADD CONSTRAINT no_more CHECK (stop_requested_at IS NULL)")
    with pytest.raises(CheckViolation):
        await world.app.charging.stop_session(session_id, caller=CLIENT, actor="test", claim=claim("this session"))
    assert await world.sql("SELECT key FROM evpower.idempotency_keys") == []


async def test_the_chargers_stop_settles_within_the_wait(pool: Pool) -> None:
    async with open_world(pool) as world:
        session_id, wire_id = await running(world)

        async def charger_obeys() -> None:
            await world.link.stop_asked.wait()
            await world.end(wire_id, 16_040, "Remote")
            await world.app.settler.work_due()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(charger_obeys)
            await stop(world, session_id)
        settled = await world.session(session_id)
    assert (settled.energy_wh, settled.estimated, settled.stop_reason) == (15_040, False, "Remote")


async def test_a_charger_that_does_not_stop_is_settled_by_its_last_value(world: World) -> None:
    session_id, _ = await running(world)
    await stop(world, session_id)
    settled = await world.session(session_id)
    assert (settled.cost_tyiyn, settled.estimated, await world.balance()) == (202_50, True, 297_50)


async def test_a_stop_while_the_charger_is_offline_settles_now_and_stops_it_on_return(world: World) -> None:
    session_id, wire_id = await running(world)
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).status == "stopped"
    world.link.connected.add(STATION)
    await world.app.reports.ready_for_commands(STATION)
    await world.at_rest()
    assert world.link.stopped == [(STATION, wire_id)]


@pytest.mark.parametrize(
    ("true_wh", "statement", "cost"),
    [
        (13_000, ("charge_refund", 27, 324.5), 175_50),
        (17_000, ("charge_payment", -27, 270.5), 229_50),
    ],
)
async def test_the_true_stop_corrects_an_estimate_once(
    world: World, true_wh: int, statement: tuple[str, float, float], cost: int
) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(3600)
    for _ in range(2):
        await world.end(wire_id, 1_000 + true_wh)
        await world.app.settler.work_due()
    assert (await world.statement())[2:] == [statement]
    corrected = await world.session(session_id)
    assert (corrected.cost_tyiyn, corrected.energy_wh) == (cost, true_wh)


async def test_a_stop_received_just_before_the_estimate_was_made_and_stored_just_after_corrects_it(
    world: World,
) -> None:
    """Two units of work overlap: the stop's time is taken first, its commit comes second."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(-0.005)
    await world.end(wire_id, 1_000 + 17_000)
    world.clock.advance(0.005)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 229_50


async def test_a_stop_without_a_register_is_billed_by_the_last_reading_and_is_an_estimate_that_a_register_corrects(
    world: World,
) -> None:
    """Field ruling 3.1: the charger repeats it, and may know its register later, or a person does."""
    session_id, wire_id = await running(world)
    for _ in range(2):
        await world.end(wire_id, None, "EVDisconnected")
        await world.app.settler.work_due()
    (transaction,) = await world.sql("SELECT status, meter_stop_wh, stop_received_at FROM evpower.ocpp_transactions")
    assert (transaction["status"], transaction["meter_stop_wh"]) == ("Stopped", None)
    session = await world.session(session_id)
    assert (session.cost_tyiyn, session.estimated, session.stop_reason) == (202_50, True, "EVDisconnected")
    await world.end(wire_id, 16_500)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 209_25


async def test_a_shortfall_beyond_the_balance_is_recorded_as_unbilled(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(3600)
    await world.end(wire_id, 1_000 + 40_000)
    await world.app.settler.work_due()
    assert await world.balance() == 0
    assert await world.sql("SELECT unbilled_tyiyn, unbilled_wh FROM evpower.session_phases") == [
        {"unbilled_tyiyn": 40_00, "unbilled_wh": 2_963}
    ]


async def test_a_truth_that_comes_after_a_day_moves_no_money(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.time += timedelta(hours=24, seconds=1)
    await world.end(wire_id, 1_000 + 17_000)
    await world.app.settler.work_due()
    assert await world.balance() == 297_50
    assert await world.sql("SELECT unbilled_tyiyn FROM evpower.session_phases") == [{"unbilled_tyiyn": 27_00}]


async def test_energy_of_a_charge_given_up_before_it_began_is_unbilled_as_it_was_delivered(world: World) -> None:
    """The session fee is part of what is not paid, and no energy."""
    await world.give(500_00)
    await world.sql("UPDATE stations SET price_per_kwh = 13.5, session_fee = 20 WHERE id = %s", STATION)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    tag = await world.tag_of(session_id)
    await stop(world, session_id)
    wire_id = (await world.begin(tag)).wire_transaction_id
    world.clock.advance(60)
    await world.end(wire_id, 2_000)
    assert await world.sql("SELECT unbilled_tyiyn, unbilled_wh FROM evpower.session_phases") == [
        {"unbilled_tyiyn": 33_50, "unbilled_wh": 1_000}
    ]


async def test_a_charge_over_twelve_hours_is_stopped_and_settled(world: World) -> None:
    session_id, wire_id = await running(world)
    world.clock.advance(11 * 3600)
    await world.app.recovery.check()
    assert (await world.session(session_id)).phase == "charging"
    world.clock.advance(1)
    await world.app.recovery.check()
    assert world.link.stopped == [(STATION, wire_id)]
    assert (await world.session(session_id)).status == "stopped"


async def test_a_stop_whose_process_died_is_finished_by_recovery(world: World) -> None:
    """The request was committed, the conversation never happened."""
    session_id, _ = await running(world)
    await world.sql("UPDATE evpower.session_phases SET phase = 'stopping', stop_requested_at = %s", world.clock.now())
    world.clock.advance(60)
    await world.app.recovery.check()
    assert (await world.session(session_id)).cost_tyiyn == 202_50


async def test_an_end_whose_process_died_before_settling_is_settled_by_the_worker(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.end(wire_id, 16_000)
    assert (await world.session(session_id)).status == "started"
    await world.app.settler.work_due()
    assert (await world.session(session_id)).status == "stopped"


async def test_ten_settlements_at_once_bill_once(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.end(wire_id, 16_000)
    async with trio.open_nursery() as workers:
        for _ in range(10):
            workers.start_soon(world.app.settler.settle, session_id)
    assert world.app.settler.ends.total() == 1
    assert await world.balance() == 297_50


async def test_a_blocked_client_may_still_stop_and_look(world: World) -> None:
    session_id, _ = await running(world)
    await world.sql("UPDATE clients SET status = 'blocked'")
    await stop(world, session_id)
    assert (await world.session(session_id)).status == "stopped"


async def test_a_station_set_inactive_in_mid_charge_still_settles(world: World) -> None:
    """Design §9.15: its boot is accepted while it charges, so that its stop gets through."""
    session_id, wire_id = await running(world)
    await world.sql("UPDATE stations SET status = 'inactive'")
    await world.boot()
    await world.end(wire_id, 16_000)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 202_50


async def test_further_values_after_a_reboot_mean_it_goes_on(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.boot()
    world.clock.advance(200)
    await world.meter(wire_id, 16_500)
    world.clock.advance(200)
    await world.app.recovery.check()
    assert (await world.session(session_id)).phase == "charging"


async def test_no_answer_to_the_stop_is_not_an_answer(world: World) -> None:
    session_id, _ = await running(world)
    world.link.outcome = Outcome.TIMED_OUT
    await stop(world, session_id)
    assert (await world.session(session_id)).estimated


async def test_a_database_that_outlasts_the_wait_does_not_keep_the_stop_from_the_station(pool: Pool) -> None:
    """Any database does where there is no wait at all."""
    config = Config()
    async with open_world(pool, replace(config, charging=replace(config.charging, stop_wait_s=0))) as world:
        session_id, transaction_id = await running(world)
        await stop(world, session_id)
        assert world.link.stopped == [(STATION, transaction_id)]
