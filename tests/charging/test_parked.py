"""Reports that matched nothing, resolved by a person; energy that belongs to nobody (duties 23, 31)."""

from __future__ import annotations

import json
from typing import cast

import pytest
import trio
from psycopg import errors

from evpower.charging.rows import transactions
from evpower.charging.transaction import TransactionStop
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import IdTag, SessionId, WireTransactionId
from tests.worlds.charging import STATION, World

REFUSE_MARKS = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON evpower.ocpp_parked FOR EACH ROW EXECUTE FUNCTION refuse();
"""
WHO = {"actor": "operator ann", "reason": "the charger forgot its id"}


async def charging(world: World) -> SessionId:
    """A charge of an hour, begun at 1,000 Wh."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    return session_id


async def park_stop(world: World, meter_wh: int = 11_000, wire_id: str = "-1") -> int:
    payload = {
        "transactionId": int(wire_id),
        "meterStop": meter_wh,
        "timestamp": world.clock.now().isoformat(),
        "reason": "EVDisconnected",
    }
    sent, at = json.dumps(payload).encode(), world.clock.now()
    stop = TransactionStop(WireTransactionId(wire_id), meter_wh, at, "Local", None, (), sent, "StopTransaction")
    await world.app.reports.end_transaction(STATION, stop)
    return (await world.app.parked.parked(resolved_too=False))[0].id


async def test_duty_23_a_parked_stop_is_listed_with_all_its_data(world: World) -> None:
    await park_stop(world)
    (row,) = await world.app.parked.parked(resolved_too=False)
    assert (row.station_id, row.action) == (STATION, "StopTransaction")
    assert cast("dict[str, int]", row.payload)["meterStop"] == 11_000


async def test_duty_23_an_assigned_stop_settles_its_session(world: World) -> None:
    session_id = await charging(world)
    await world.app.parked.assign(await park_stop(world), session_id, **WHO)
    await world.app.settler.work_due()
    session = await world.session(session_id)
    assert (session.status, session.cost_tyiyn, session.stop_reason) == ("stopped", 135_00, "EVDisconnected")
    assert await world.app.parked.parked(resolved_too=False) == []


async def test_duty_23_an_assigned_stop_corrects_an_estimate(world: World) -> None:
    session_id = await charging(world)
    parked_id = await park_stop(world)
    await world.begin(IdTag("NEXT"), meter_wh=11_000)  # proves the charge over: settled by what was metered, nothing
    assert (await world.session(session_id)).estimated
    await world.app.parked.assign(parked_id, session_id, **WHO)
    await world.app.settler.work_due()
    assert await world.balance() == 500_00 - 135_00


async def test_a_stop_is_assigned_whole_or_not_at_all(world: World) -> None:
    """PostgreSQL refuses the mark once: the session must not have got its stop meanwhile."""
    session_id = await charging(world)
    parked_id = await park_stop(world)
    await world.sql(REFUSE_MARKS)
    with pytest.raises(errors.RaiseException):
        await world.app.parked.assign(parked_id, session_id, **WHO)
    assert (await world.session(session_id)).status == "started"
    assert await world.sql("SELECT 1 AS one FROM evpower.ocpp_transactions WHERE meter_stop_wh IS NOT NULL") == []
    await world.sql("DROP TRIGGER refuse ON evpower.ocpp_parked; DROP FUNCTION refuse()")
    await world.app.parked.assign(parked_id, session_id, **WHO)
    await world.app.settler.work_due()
    assert await world.balance() == 500_00 - 135_00


async def test_two_operators_assign_one_report_once(world: World) -> None:
    session_id = await charging(world)
    parked_id = await park_stop(world)
    outcomes: list[str] = []

    async def assign() -> None:
        try:
            await world.app.parked.assign(parked_id, session_id, **WHO)
            outcomes.append("assigned")
        except InvalidRequest:
            outcomes.append("refused")

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(assign)
            nursery.start_soon(assign)
    assert sorted(outcomes) == ["assigned", "refused"]


async def test_who_decided_when_and_why_is_kept(world: World) -> None:
    await world.app.parked.dismiss(await park_stop(world), **WHO)
    (row,) = await world.app.parked.parked(resolved_too=True)
    assert (row.resolution, row.resolved_by, row.resolution_reason, row.resolved_at) == (
        "dismissed",
        *WHO.values(),
        world.clock.now(),
    )


async def test_a_report_is_resolved_once(world: World) -> None:
    parked_id = await park_stop(world)
    await world.app.parked.dismiss(parked_id, **WHO)
    with pytest.raises(InvalidRequest):
        await world.app.parked.dismiss(parked_id, **WHO)
    with pytest.raises(NotFound):
        await world.app.parked.dismiss(parked_id + 1, **WHO)


async def test_a_session_that_has_its_stop_takes_no_other(world: World) -> None:
    session_id = await charging(world)
    await world.app.parked.assign(await park_stop(world), session_id, **WHO)
    with pytest.raises(InvalidRequest):
        await world.app.parked.assign(await park_stop(world, 12_000), session_id, **WHO)


@pytest.mark.parametrize("meter_wh", [999, -5])
async def test_a_register_that_cannot_be_the_sessions_is_refused(world: World, meter_wh: int) -> None:
    session_id = await charging(world)
    with pytest.raises(InvalidRequest):
        await world.app.parked.assign(await park_stop(world, meter_wh), session_id, **WHO)
    assert (await world.session(session_id)).status == "started"


async def test_a_session_without_a_transaction_takes_no_stop(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    with pytest.raises(InvalidRequest):
        await world.app.parked.assign(await park_stop(world), session_id, **WHO)


async def test_a_start_is_not_assigned(world: World) -> None:
    session_id = await charging(world)
    await world.app.reports.park(STATION, "StartTransaction", "meterStart -1", b"{}")
    parked_id = (await world.app.parked.parked(resolved_too=False))[0].id
    with pytest.raises(InvalidRequest):
        await world.app.parked.assign(parked_id, session_id, **WHO)


@pytest.mark.parametrize(("next_start_wh", "missing_wh"), [(2_500, [500]), (2_000, []), (0, [])])
async def test_duty_31_energy_between_two_charges_is_listed(
    world: World, next_start_wh: int, missing_wh: list[int]
) -> None:
    """A register that restarted at zero (E3.9) is no missing energy."""
    for tag, start_wh, stop_wh in (("A", 1_000, 2_000), ("B", next_start_wh, next_start_wh + 10)):
        begun = await world.begin(IdTag(tag), meter_wh=start_wh)
        world.clock.advance(60)
        await world.end(begun.wire_transaction_id, stop_wh)
    assert [row.missing_wh for row in await world.app.parked.missing_energy()] == missing_wh


async def test_a_station_has_a_quota_of_parked_reports(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Safe by default 4: 69 MB in 15 s of unknown stops. Each is answered; what is dropped is counted in one alert."""
    monkeypatch.setattr(transactions, "PARKED_MOST", 3)
    for number in range(8):
        await park_stop(world, wire_id=f"-{number + 1}")
    assert len(await world.app.parked.parked(resolved_too=False)) == 3
    (event,) = await world.sql("SELECT type, alarming, request_id FROM evpower.ocpp_security_events")
    assert event == {"type": "ReportsDropped", "alarming": True, "request_id": 5}
    world.clock.advance(3601)
    await park_stop(world)
    assert len(await world.sql("SELECT 1 FROM evpower.ocpp_security_events")) == 2


async def test_a_parked_report_that_a_person_resolved_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PARKED_MOST", 1)
    first = await park_stop(world, wire_id="-1")
    await world.app.parked.dismiss(first, **WHO)
    assert await park_stop(world, wire_id="-2") != first


async def test_parked_bytes_of_an_hour_are_bounded_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PARKED_BYTES_AN_HOUR", 1)
    first = await park_stop(world, wire_id="-1")
    assert await park_stop(world, wire_id="-2") == first
    world.clock.advance(3601)
    assert await park_stop(world, wire_id="-3") != first
