"""Health over PostgreSQL: computed from what was tried, kept, shown to phones, the list and operators (issue I, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from evpower.attention.conditions import ConditionKind
from evpower.charging.errors import SessionFailed
from evpower.db.unit_of_work import reading
from evpower.errors import EvPowerError
from evpower.events import Event, StationChanged
from evpower.health.failed_starts import FAILED, FAILED_BY
from evpower.health.records import ConnectorHealth
from evpower.health.rows.starts import read_starts
from evpower.health.service import ALL_EVERY, ConnectorsHealth, forget_plug_ins
from evpower.health.signs import is_failed
from evpower.identifiers import ClientId
from evpower.link.ports import Outcome
from evpower.network.listing import ListedConnector
from tests.worlds.charging import ONE, STATION, TWO, World

CLIENTS = [ClientId(name) for name in ("one", "two", "three", "four")]


async def refused(world: World, clients: Sequence[ClientId] = CLIENTS[:3]) -> None:
    """Each asks for a charge, and the station refuses."""
    world.link.outcome = Outcome.REJECTED
    for client in clients:
        await world.give(1_000_00, client, key=f"gift-{world.clock.now()}")
        with pytest.raises(SessionFailed):
            await world.order(energy_wh=1_000, client=client)
        world.clock.advance(60)
    world.link.outcome = Outcome.ACCEPTED


async def charged(world: World, client: ClientId) -> None:
    """One of them charges."""
    await world.give(1_000_00, client, key=f"gift-{world.clock.now()}")
    started = await world.order(energy_wh=1_000, client=client)
    await world.charge(started.session.session_id, 1_000)


async def never_begun(world: World, client: ClientId) -> None:
    """The station takes the start, and nothing comes of it."""
    await world.give(1_000_00, client, key=f"gift-{world.clock.now()}")
    started = await world.order(energy_wh=1_000, client=client)
    world.clock.advance(660)
    await world.app.settler.release(started.session.session_id, status="stopped", cause="overdue", reason="never began")


async def computed(world: World) -> dict[int, ConnectorHealth]:
    await world.app.health.work()
    return {each.connector_number: each for each in await world.app.health.listed([STATION])}


async def listed(world: World) -> dict[int, ListedConnector]:
    picture, _ = await world.app.locations.picture()
    return {each.connector_id: each for each in picture.locations[0].stations[0].connectors}


async def test_a_connector_that_refuses_three_clients_is_doubtful_to_everybody(world: World) -> None:
    assert (await listed(world))[ONE].reliability == "good"
    await refused(world)
    assert (await computed(world))[ONE].doubt == "starts_fail"
    assert (await listed(world))[ONE].reliability == "doubtful"
    assert (await listed(world))[TWO].reliability == "good"
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.app.pictures.look()
    picture = world.app.pictures.latest
    assert picture is not None
    assert [cell.is_doubtful for cell in picture.stations[STATION].cells] == [True, False]
    (entry,) = (
        part
        for entry in picture.todo.open
        for part in entry.item.parts
        if part.kind is ConditionKind.CONNECTOR_DOUBTFUL
    )
    assert (entry.subject, entry.facts["worked"], entry.facts["tried"]) == ("EVP-001-01/1", 0, 3)


async def test_it_is_good_again_by_itself(world: World) -> None:
    await refused(world)
    assert (await computed(world))[ONE].doubt is not None
    await charged(world, CLIENTS[3])
    await charged(world, CLIENTS[3])
    health = (await computed(world))[ONE]
    assert (health.doubt, health.doubted_since, health.worked, health.tried) == (None, None, 2, 5)
    assert (await listed(world))[ONE].reliability == "good"


async def test_a_change_is_published_once_and_nothing_is_written_twice(world: World) -> None:
    heard = list[Event]()
    await refused(world)
    world.app.bus.listen(heard.append)
    await computed(world)
    assert heard == [StationChanged(STATION)]
    written = await world.sql("SELECT *, xmin FROM evpower.connector_health")
    other = ConnectorsHealth(world.pool, world.clock, world.app.bus)
    await other.work()
    assert await world.sql("SELECT *, xmin FROM evpower.connector_health") == written
    assert heard == [StationChanged(STATION)]


async def test_clients_without_money_and_a_fault_that_is_reported_raise_no_doubt(world: World) -> None:
    for client in CLIENTS:
        with pytest.raises(EvPowerError):
            await world.order(energy_wh=1_000, client=client)
    await world.sql("UPDATE connectors SET ocpp_status = 'Faulted'")
    for client in CLIENTS:
        await world.give(1_000_00, client)
        with pytest.raises(EvPowerError):
            await world.order(energy_wh=1_000, client=client)
    assert (await computed(world))[ONE].doubt is None


async def test_a_cable_that_was_in_makes_a_start_that_never_began_the_connectors(world: World) -> None:
    await never_begun(world, CLIENTS[0])
    await world.say("Preparing")
    await never_begun(world, CLIENTS[1])
    await world.say("Available")
    await never_begun(world, CLIENTS[2])
    async with reading(world.pool) as conn:
        starts = (await read_starts(conn, [STATION]))[STATION, ONE]
    assert [each.cable_seen for each in sorted(starts, key=lambda each: each.attempted_at)] == [False, True, False]


async def test_a_client_who_began_at_another_connector_is_seen(world: World) -> None:
    await never_begun(world, CLIENTS[0])
    started = await world.order(energy_wh=1_000, client=CLIENTS[0], connector=TWO)
    await world.begin(await world.tag_of(started.session.session_id), connector=TWO)
    async with reading(world.pool) as conn:
        (start,) = (await read_starts(conn, [STATION]))[STATION, ONE]
    assert start.elsewhere is True


async def test_cables_that_come_and_go_without_a_start_raise_a_doubt(world: World) -> None:
    for _ in range(6):
        world.clock.advance(1200)
        await world.say("Preparing")
        world.clock.advance(120)
        await world.say("Available")
        world.clock.advance(1200)
    health = (await computed(world))[ONE]
    assert (health.doubt, health.tried) == ("starts_fail", 0)
    await forget_plug_ins(world.pool, world.clock.now() + timedelta(days=7))
    assert await world.sql("SELECT * FROM evpower.plug_ins") == []


async def test_a_connector_that_everybody_passes_over_is_doubtful_until_somebody_begins(world: World) -> None:
    await world.give(1_000_00)
    await world.sql("UPDATE stations SET is_available = true")
    await world.sql(
        "INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, status) "
        "SELECT 's' || n, 'client-1', 'EVP-001-01', CASE WHEN n < 40 THEN n %% 2 + 1 ELSE 2 END, "
        "       %s::timestamptz - interval '1 minute' * (100 - n), 'stopped' FROM generate_series(1, 60) n",
        world.clock.now(),
    )
    assert (await computed(world))[ONE].doubt == "passed_over"
    assert (await computed(world))[TWO].doubt is None
    world.clock.advance(60)
    await charged(world, CLIENTS[0])
    assert (await computed(world))[ONE].doubt is None
    world.clock.advance(ALL_EVERY.total_seconds())
    assert (await computed(world))[ONE].doubt is None


async def test_the_rule_in_sql_counts_what_the_rule_counts(world: World) -> None:
    await refused(world, CLIENTS[:1])
    await never_begun(world, CLIENTS[1])
    await charged(world, CLIENTS[2])
    with pytest.raises(EvPowerError):
        await world.order(energy_wh=1_000, client=ClientId("poor"))
    world.clock.advance(60)
    await world.give(1_000_00, CLIENTS[3])
    await world.sql("UPDATE connectors SET ocpp_status = 'Unavailable'")
    with pytest.raises(EvPowerError):
        await world.order(energy_wh=1_000, client=CLIENTS[3])
    async with reading(world.pool) as conn:
        cursor = await conn.execute(f"SELECT {FAILED} AS failed FROM evpower.start_attempts a ORDER BY id", FAILED_BY)
        in_sql = [row["failed"] for row in await cursor.fetchall()]
        starts = (await read_starts(conn, [STATION]))[STATION, ONE]
    assert in_sql == [is_failed(each) for each in sorted(starts, key=lambda each: each.attempted_at)]
    assert in_sql == [True, True, False, False, True]
