"""Every attempt to start a charge is kept, whatever came of it (issue 11, item 6)."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evpower.attempts.service import StartAttempt, forget_attempts
from evpower.billing.errors import InsufficientBalance
from evpower.charging.errors import SessionFailed
from evpower.correlation import correlation_id
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.link.errors import ChargerOffline
from evpower.link.ports import Outcome
from evpower.narrowing import Narrowing
from evpower.network.spots.errors import UnknownStation
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, STATION, TWO, World


async def kept(world: World) -> list[dict[str, Any]]:
    """The answers, the oldest first."""
    return await world.sql(
        "SELECT client_id, station_id, connector_id, door, answer, session_id FROM evpower.start_attempts ORDER BY id"
    )


def attempt(answer: str, session_id: str | None = None, **other: object) -> dict[str, Any]:
    usual = {"client_id": CLIENT, "station_id": STATION, "connector_id": 1, "door": "phone"}
    return {**usual, "answer": answer, "session_id": session_id, **other}


async def test_a_start_by_phone_is_kept_with_its_session(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    assert await kept(world) == [attempt("accepted", session_id)]


async def test_a_refused_start_is_kept_although_its_unit_of_work_is_rolled_back(world: World) -> None:
    with pytest.raises(InsufficientBalance):
        await world.order(energy_wh=1_000)
    assert await kept(world) == [attempt("insufficient_balance")]


async def test_an_attempt_names_what_does_not_exist(world: World) -> None:
    with pytest.raises(UnknownStation):
        await world.order(station=StationId("NOWHERE"), connector=ConnectorId(9))
    assert await kept(world) == [attempt("station_not_found", station_id="NOWHERE", connector_id=9)]


async def test_a_start_the_charger_refuses_is_kept_with_the_session_that_failed(world: World) -> None:
    await world.give(500_00)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await world.order(energy_wh=1_000)
    [row] = await kept(world)
    assert (row["answer"], row["session_id"] is not None) == ("session_failed", True)


async def test_a_start_that_fails_on_our_side_is_kept_as_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ArithmeticError("a fault of ours")

    with monkeypatch.context() as patch, pytest.raises(ArithmeticError):
        patch.setattr(world.app.pricing, "for_start", fail)
        await world.order(energy_wh=1_000)
    assert [row["answer"] for row in await kept(world)] == ["failed"]


async def test_a_cards_start_is_kept_with_its_verdict(world: World) -> None:
    await world.give(9_99)
    await give_card(world)
    await world.begin(CARD)
    await world.begin(IdTag("STRANGER"), connector=TWO)
    await world.give(500_00, key="more")
    world.clock.advance(1)
    await world.begin(CARD, meter_wh=2_000)
    [session] = await world.sql("SELECT id FROM charging_sessions")
    assert await kept(world) == [
        attempt("Blocked", door="card"),
        attempt("Invalid", door="card", client_id=None, connector_id=2),
        attempt("Accepted", session["id"], door="card"),
    ]


async def test_the_chargers_report_of_a_start_by_phone_is_no_attempt_of_its_own(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    for _ in range(2):
        await world.begin(await world.tag_of(session_id))
        world.clock.advance(1)
    assert [row["door"] for row in await kept(world)] == ["phone"]


async def test_a_start_goes_on_when_its_attempt_cannot_be_kept(world: World) -> None:
    await world.give(500_00)
    await world.sql("ALTER TABLE evpower.start_attempts ADD CONSTRAINT none CHECK (false)")
    assert (await world.order(energy_wh=1_000)).session.status == "started"


async def test_the_line_of_an_attempt_names_client_station_answer_and_request(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    correlation_id.set("request-7")
    with pytest.raises(InsufficientBalance):
        await world.order(energy_wh=1_000)
    assert (
        f"start attempt: client={CLIENT}, station={STATION}, connector=1, door=phone, answer=insufficient_balance, "
        "session=None, correlation_id=request-7"
    ) in caplog.messages
    assert await world.sql("SELECT correlation_id FROM evpower.start_attempts") == [{"correlation_id": "request-7"}]


async def test_attempts_are_found_by_client_by_station_and_since_when_the_newest_first(world: World) -> None:
    for station in (STATION, StationId("NOWHERE")):
        with pytest.raises((InsufficientBalance, UnknownStation)):
            await world.order(energy_wh=1_000, station=station)
        world.clock.advance(60)
    listed = world.app.attempts.listed
    everything = await listed(Narrowing(client_id=CLIENT))
    assert [each.station_id for each in everything] == ["NOWHERE", STATION]
    assert await listed(Narrowing(station_id=STATION)) == everything[1:]
    assert await listed(Narrowing(since=everything[0].attempted_at)) == everything[:1]


async def test_attempts_are_forgotten_after_thirty_days(world: World) -> None:
    with pytest.raises(InsufficientBalance):
        await world.order(energy_wh=1_000)
    world.clock.advance(30 * 86_400)
    await forget_attempts(world.pool, world.clock.now())
    assert len(await kept(world)) == 1
    world.clock.advance(1)
    await forget_attempts(world.pool, world.clock.now())
    assert await kept(world) == []


async def test_an_operators_command_that_orders_a_charge_is_kept(world: World) -> None:
    await world.give(500_00)
    await give_card(world)
    world.link.replies["RemoteStartTransaction"] = {"status": "Rejected"}
    send = world.app.operations.commands.send
    await send(STATION, "RemoteStartTransaction", {"connectorId": 1, "idTag": CARD})
    await send(STATION, "Reset", {"type": "Soft"})
    world.link.connected.clear()
    with pytest.raises(ChargerOffline):
        await send(STATION, "RemoteStartTransaction", {"idTag": "STRANGER"})
    assert [(row["client_id"], row["connector_id"], row["door"], row["answer"]) for row in await kept(world)] == [
        (CLIENT, 1, "command", "Rejected"),
        (None, None, "command", "station_offline"),
    ]


@pytest.mark.parametrize(
    ("evse_id", "connector_id"),
    [(2, 1), (1, 2), (7, None), (None, None), (2**40, None)],
    ids=["its connector", "another", "no such EVSE", "left open", "no number of an EVSE"],
)
async def test_an_operators_command_of_2_0_1_is_kept_of_the_connector_that_its_evse_is(
    world: World, evse_id: int | None, connector_id: int | None
) -> None:
    await world.sql(
        "INSERT INTO evpower.connector_evses SELECT %s, n, 3 - n, 1, now(), now() FROM generate_series(1, 2) n", STATION
    )
    payload = {"idToken": {"idToken": CARD, "type": "Central"}, "remoteStartId": 1}
    payload |= {} if evse_id is None else {"evseId": evse_id}
    await world.app.operations.commands.send(STATION, "RequestStartTransaction", payload)
    (row,) = await kept(world)
    assert (row["connector_id"], row["door"], row["answer"]) == (connector_id, "command", "Accepted")


async def test_an_operators_command_for_a_shared_evse_names_no_connector(world: World) -> None:
    await world.sql(
        "INSERT INTO evpower.connector_evses SELECT %s, n, 1, n, now(), now() FROM generate_series(1, 2) n", STATION
    )
    await world.app.operations.commands.send(STATION, "RequestStartTransaction", {"evseId": 1})
    (row,) = await kept(world)
    assert row["connector_id"] is None


async def test_a_cards_attempt_counts_when_it_is_committed(world: World) -> None:
    card = StartAttempt(world.clock.now(), None, STATION, ConnectorId(1), "card", "Invalid", None, None)
    with pytest.raises(ArithmeticError):
        async with unit_of_work(world.pool) as uow:
            await world.app.attempts.keep_card(uow, card)
            raise ArithmeticError("a fault behind it")
    assert not world.app.attempts.answers
    async with unit_of_work(world.pool) as uow:
        await world.app.attempts.keep_card(uow, card)
        assert not world.app.attempts.answers
    assert world.app.attempts.answers == {("card", "Invalid"): 1}
