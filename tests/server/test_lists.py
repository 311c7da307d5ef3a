"""What operators list: narrowed in SQL, so that a full table hides nothing; and whole ids by how they begin."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.billing.errors import InsufficientBalance
from evpower.http.operators.views import IdKind
from evpower.identifiers import ClientId, IdTag, StationId
from evpower.narrowing import Narrowing
from tests.worlds.charging import CLIENT, STATION, World

OTHER, NOBODY = StationId("EVP-002-01"), IdTag("NOBODY")
PARKED = """
INSERT INTO evpower.ocpp_parked (station_id, action, reason, payload, received_at)
VALUES (%s, 'StopTransaction', 'unknown_transaction', '{}', %s)
"""


@pytest.fixture
async def sessions(world: World) -> tuple[str, str]:
    """A settled one of a client, then one that runs of another."""
    await world.give(300_00)
    ended = (await world.order(energy_wh=1_000)).session.session_id
    await world.charge(ended, 500)
    world.clock.advance(3600)
    await world.give(300_00, ClientId("client-2"))
    running = (await world.order(energy_wh=1_000, client=ClientId("client-2"))).session.session_id
    return ended, running


async def test_sessions_are_narrowed(world: World, sessions: tuple[str, str]) -> None:
    ended, running = sessions
    since = world.clock.now() - timedelta(minutes=30)

    async def found(wanted: Narrowing, *, running_only: bool = False) -> list[str]:
        return [each.session_id for each in await world.operator().sessions(wanted, running_only=running_only)]

    assert await found(Narrowing()) == [running, ended]
    assert await found(Narrowing(), running_only=True) == [running]
    assert await found(Narrowing(limit=1)) == [running]
    assert await found(Narrowing(client_id=CLIENT)) == [ended]
    assert await found(Narrowing(phase="settled")) == [ended]
    assert await found(Narrowing(since=since)) == [running]
    assert await found(Narrowing(station_id=OTHER)) == []


@pytest.mark.parametrize(
    ("kind", "begins", "whole"),
    [
        ("stations", "EVP-0", [STATION]),
        ("stations", STATION, [STATION]),
        ("stations", "EVP_001", []),
        ("clients", "client-", ["client-1", "client-2"]),
        ("clients", "+99655", ["client-2"]),
        ("clients", "%", []),
        ("payments", "", []),
        ("id-tags", "no", []),
        ("locations", "EVP", ["EVP-LOC-001"]),
    ],
)
async def test_ids_are_found_by_how_they_begin(
    world: World, sessions: tuple[str, str], kind: IdKind, begins: str, whole: list[str]
) -> None:
    await world.sql("UPDATE clients SET phone = '+996555123456' WHERE id = 'client-2'")
    assert await world.operator().ids(kind, begins) == whole
    assert await world.operator().ids("sessions", sessions[0]) == [sessions[0]]


async def test_an_exact_id_stands_alone(world: World) -> None:
    for client in ("client-1", "client-10"):
        await world.give(1_00, ClientId(client))
    assert await world.operator().ids("clients", "client-1") == ["client-1"]
    assert await world.operator().ids("clients", "client") == ["client-1", "client-10"]


async def test_a_full_list_of_other_stations_hides_none_of_ones_own(world: World) -> None:
    """It was cut to the newest rows first, and what was left of them were those of one's own stations."""
    at = world.clock.now()
    await world.sql(PARKED, STATION, at)
    for number in range(3):
        await world.sql(PARKED, OTHER, at + timedelta(seconds=number + 1))
    own = Narrowing(limit=2, of_stations=[STATION])
    assert [each.station_id for each in await world.app.parked.parked(own, resolved_too=False)] == [STATION]
    narrowed = await world.app.parked.parked(Narrowing(limit=2, station_id=STATION), resolved_too=False)
    assert [each.station_id for each in narrowed] == [STATION]
    assert len(await world.app.parked.parked(Narrowing(limit=2), resolved_too=False)) == 2
    assert await world.app.parked.parked(Narrowing(since=at + timedelta(minutes=1)), resolved_too=True) == []


async def test_questions_about_energy_are_narrowed_too(world: World) -> None:
    """A charge that nobody pays for, at a station that is not one's own."""
    begun = await world.begin(NOBODY)
    await world.meter(begun.wire_transaction_id, 1_500)
    elsewhere = Narrowing(of_stations=[OTHER])
    assert [each.unbilled_wh for each in await world.app.parked.unbilled_energy()] == [500]
    assert await world.app.parked.unbilled_energy(elsewhere) == []
    assert len(await world.app.parked.charges_without_session()) == 1
    assert await world.app.parked.charges_without_session(elsewhere) == []
    await world.end(begun.wire_transaction_id, 1_500)
    again = await world.begin(NOBODY, meter_wh=2_000)
    assert [each.missing_wh for each in await world.app.parked.missing_energy()] == [500]
    assert await world.app.parked.missing_energy(elsewhere) == []
    await world.end(again.wire_transaction_id, 2_000)


async def test_doubts_are_narrowed(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(60)
    await world.end(begun.wire_transaction_id, 900_000)
    await world.app.settler.work_due()

    async def found(wanted: Narrowing) -> int:
        return len(await world.app.doubts.doubts(wanted, settled_too=True))

    assert await found(Narrowing(station_id=STATION, client_id=CLIENT)) == 1
    assert await found(Narrowing(of_stations=[OTHER])) == 0
    assert await found(Narrowing(client_id=ClientId("another"))) == 0
    assert await found(Narrowing(since=world.clock.now() + timedelta(days=1))) == 0


async def test_attempts_are_cut_after_they_are_narrowed(world: World) -> None:
    for client in (CLIENT, ClientId("client-2"), ClientId("client-2")):
        with pytest.raises(InsufficientBalance):
            await world.order(energy_wh=1_000, client=client)
    assert len(await world.app.attempts.listed(Narrowing(limit=2))) == 2
    assert [each.client_id for each in await world.app.attempts.listed(Narrowing(limit=2, client_id=CLIENT))] == [
        CLIENT
    ]


async def test_attempts_come_by_page_without_a_gap(world: World) -> None:
    for _ in range(5):
        with pytest.raises(InsufficientBalance):
            await world.order(energy_wh=1_000)
        world.clock.advance(60)
    seen, after_id = [], None
    while True:
        found, after_id = await world.app.attempts.page(Narrowing(limit=2), before=None, after_id=after_id)
        seen += [each.attempted_at for each in found]
        if after_id is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    until = await world.app.attempts.page(Narrowing(), before=seen[0], after_id=None)
    assert len(until[0]) == 4
