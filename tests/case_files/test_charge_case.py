"""The case file of a charge: what happened, in order, why it ended, and whether its bill is what its rows make."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.case_files.charge_case import ChargeCase
from evpower.errors import SessionNotFound
from evpower.identifiers import SessionId, WireTransactionId
from tests.worlds.charging import CLIENT, World


async def case_of(world: World, session_id: str) -> ChargeCase:
    return await world.app.case_files.charge(SessionId(session_id))


async def running(world: World, energy_wh: int = 20_000) -> tuple[SessionId, WireTransactionId]:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=energy_wh)).session.session_id
    world.clock.advance(1)
    return session_id, (await world.begin(await world.tag_of(session_id))).wire_transaction_id


def steps(case: ChargeCase) -> list[str]:
    return [each.kind for each in case.steps]


async def test_a_whole_charge_is_told_in_order_and_its_bill_is_right(world: World) -> None:
    session_id, wire_id = await running(world)
    world.clock.advance(60)
    await world.meter(wire_id, 1_400)
    world.clock.advance(60)
    await world.end(wire_id, 1_501)
    await world.app.settler.work_due()
    case = await case_of(world, session_id)
    assert steps(case) == ["asked", "held", "began", "stopped", "ended", "settled"]
    held, began, stopped, ended, settled = case.steps[1:]
    assert held.facts == {"amount_tyiyn": 270_00}
    assert (began.facts["register_wh"], stopped.facts["register_wh"], stopped.facts["reason"]) == (
        1_000,
        1_501,
        "Local",
    )
    assert ended.facts == {"cause": "charger", "energy_wh": 501}
    assert settled.facts == {"amount_tyiyn": 6_76, "actor": "settlement"}
    assert case.bill is not None
    assert (case.bill.equal, case.bill.recomputed_tyiyn, case.bill.charge.amount_tyiyn) == (True, 6_76, 6_76)
    assert [number for number, _, _ in case.receipts] == ["2026-000001"]
    assert {each.kind for each in case.postings} == {"reserve", "settle"}
    assert case.price.rate_per_kwh * 2 == 27


async def test_a_bill_that_its_rows_do_not_make_is_seen(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.end(wire_id, 1_501)
    await world.app.settler.work_due()
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 14 WHERE id = %s", session_id)
    bill = (await case_of(world, session_id)).bill
    assert bill is not None
    assert (bill.equal, bill.recomputed_tyiyn, bill.sold_tyiyn) == (False, 7_01, 6_76)
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 13.5 WHERE id = %s", session_id)


@pytest.mark.parametrize(("actor", "cause"), [("client", "driver"), ("operator aida", "operator")])
async def test_a_stop_that_a_person_asked_for_names_the_person(world: World, actor: str, cause: str) -> None:
    session_id, wire_id = await running(world)
    await world.app.charging.stop_session(session_id, caller=None, actor=actor)
    await world.end(wire_id, 1_501, "Remote")
    await world.app.settler.work_due()
    by_kind = {each.kind: each.facts for each in (await case_of(world, session_id)).steps}
    assert (by_kind["stop_asked"]["by"], by_kind["ended"]["cause"]) == (actor, cause)


async def test_a_missing_stop_and_a_gap_in_the_readings_are_steps_too(world: World) -> None:
    session_id, wire_id = await running(world)
    world.clock.advance(60)
    await world.meter(wire_id, 1_100)
    world.clock.advance(1_200)
    await world.meter(wire_id, 1_500)
    world.clock.advance(400)
    case = await case_of(world, session_id)
    assert steps(case) == ["asked", "held", "began", "gap", "silent"]
    assert case.bill is None
    gap = case.steps[3]
    assert gap.facts == {"until": gap.at + timedelta(seconds=1_200)}
    await world.begin(await world.tag_of(session_id), meter_wh=1_500)
    await world.app.settler.work_due()
    ended = await case_of(world, session_id)
    assert ended.session.estimated
    assert {"no_stop", "ended", "settled"} <= set(steps(ended))


async def test_a_start_that_the_station_refused_is_released(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    case = await case_of(world, session_id)
    assert steps(case)[-1] in ("released", "settled")
    assert case.transaction is None
    assert case.registers == []


async def test_of_an_unknown_charge_there_is_no_case(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await case_of(world, "nothing")
