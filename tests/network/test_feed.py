"""Pushes come exactly when something public changed, in order, with the state after it: contract/websocket-api §6."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from evpower.administration.provisioning import Provisioning
from evpower.events import NetworkChanged, StationChanged
from evpower.identifiers import IdTag, StationId
from evpower.network.feed import NetworkFeed
from evpower.network.published import LocationUpdate, NetworkNews, StationUpdate
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.operator import Operator
from tests.worlds.charging import CLIENT, STATION, TWO, World


class Ear:
    """Everything the feed told, as `station available`, `location available` …"""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.shadowed: list[StationId] = []
        self.fence = ""
        self.fence_passed = trio.Event()

    def hear(self, news: NetworkNews) -> None:
        match news:
            case LocationUpdate(self.fence):
                self.fence_passed.set()
            case LocationUpdate(_, counts):
                self.heard.append(f"location {counts.status}")
            case StationUpdate(station, is_shadowed):
                self.shadowed += [station.id] if is_shadowed else []
                self.heard.append(f"station {station.status}")


@pytest.fixture
async def ear(world: World) -> AsyncIterator[Ear]:
    ear = Ear()
    async with trio.open_nursery() as workers:
        feed = NetworkFeed(world.app.bus, world.app.locations, ear.hear)
        await workers.start(feed.run)
        yield ear
        workers.cancel_scope.cancel()


async def told(world: World, ear: Ear) -> list[str]:
    """What was told since the last time. The feed keeps order, so a location that is new now is told after it."""
    ear.fence, ear.fence_passed = f"{ear.fence or 'FENCE'}-", trio.Event()
    await world.sql("INSERT INTO locations (id, name, address) VALUES (%s, 'fence', 'fence')", ear.fence)
    world.app.bus.publish(NetworkChanged(ear.fence))
    with trio.fail_after(5):
        await ear.fence_passed.wait()
    heard, ear.heard = ear.heard, []
    return heard


async def test_one_event_is_one_station_and_one_location_push(world: World, ear: Ear) -> None:
    await world.say("Charging")
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_count_that_changes_is_pushed_although_the_word_stays(world: World, ear: Ear) -> None:
    await world.say("Charging")
    await told(world, ear)
    await world.say("Charging", connector=TWO)
    assert await told(world, ear) == ["station occupied", "location occupied"]


async def test_a_station_whose_words_change_and_whose_counts_do_not_is_no_news_of_its_location(
    world: World, ear: Ear
) -> None:
    await world.say("Charging")
    await told(world, ear)
    await world.say("Finishing")
    assert await told(world, ear) == ["station available"]


async def test_nothing_is_pushed_when_nothing_public_changed(world: World, ear: Ear) -> None:
    await world.say("Available")
    world.app.bus.publish(StationChanged(STATION))
    await world.say("Charging")
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_start_occupies_and_its_settlement_frees(world: World, ear: Ear) -> None:
    await world.give(50_000)
    started = await world.order(energy_wh=20_000)
    assert await told(world, ear) == ["station available", "location available"]
    news = (await world.app.locations.location("EVP-LOC-001")).stations[0].connectors[0]
    assert news.socket_status == "Occupied"
    await world.say("Finishing")
    await world.charge(started.session.session_id, 1000)
    await world.say("Available")
    assert (await told(world, ear))[-1] == "location available"


async def test_a_station_that_falls_silent_is_pushed(world: World, ear: Ear) -> None:
    world.link.connected.clear()
    world.clock.advance(301)
    await world.app.presence.watch()
    assert await told(world, ear) == ["station offline", "location offline"]


async def test_a_station_that_comes_back_is_pushed_at_once(world: World, ear: Ear) -> None:
    world.link.connected.clear()
    world.clock.advance(301)
    await world.app.presence.watch()
    await told(world, ear)
    world.link.connected.add(STATION)
    await world.app.reports.connected(STATION)
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_silent_station_whose_socket_stayed_open_is_pushed_when_it_speaks(world: World, ear: Ear) -> None:
    world.link.connected.clear()
    world.clock.advance(301)
    await world.app.presence.watch()
    await told(world, ear)
    world.link.connected.add(STATION)  # its last message is now
    world.app.reports.returned(STATION)
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_card_at_the_charger_occupies_its_connector(world: World, ear: Ear) -> None:
    await world.give(50_000)
    await world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)"
        " VALUES ('CARD', 'Accepted', %s, %s)",
        CLIENT,
        world.clock.now(),
    )
    assert (await world.begin(IdTag("CARD"))).verdict.status == "Accepted"
    assert await told(world, ear) == ["station available", "location available"]
    connector = (await world.app.locations.location("EVP-LOC-001")).stations[0].connectors[0]
    assert (connector.socket_status, connector.busy) == ("Occupied", True)


async def test_a_station_whose_serial_number_is_anothers_id_is_marked(world: World, ear: Ear) -> None:
    """Field ruling 6.1: the id wins; also of a station that comes in the same reading, at a later location."""
    await world.say("Charging")
    await told(world, ear)
    assert ear.shadowed == []
    await world.sql("INSERT INTO locations (id, name, address) VALUES ('L9', 'name', 'address')")
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('EVPCS-001', 'N', 'L9')")
    await world.sql("UPDATE stations SET status = 'maintenance' WHERE id = %s", STATION)
    for location_id in ("EVP-LOC-001", "L9"):
        world.app.bus.publish(NetworkChanged(location_id))
    await told(world, ear)
    assert ear.shadowed == [STATION]


async def test_a_connector_whose_type_changes_is_pushed(world: World, ear: Ear) -> None:
    """Field ruling 6.9: it is part of what the socket says of it."""
    await world.sql("UPDATE connectors SET connector_type = 'CCS2' WHERE connector_number = 2")
    world.app.bus.publish(NetworkChanged("EVP-LOC-001"))
    assert await told(world, ear) == ["station available"]


async def test_an_administrators_change_is_pushed(world: World, ear: Ear) -> None:
    await world.sql("UPDATE stations SET status = 'maintenance'")
    world.app.bus.publish(StationChanged(STATION))
    assert await told(world, ear) == ["station maintenance", "location maintenance"]


async def test_an_imported_file_is_pushed(world: World, ear: Ear) -> None:
    operator = Operator(world.pool, world.clock, world.link, world.app, 300, FailedLogins())
    await operator.import_fleet(
        """
        [[locations]]
        id = "EVP-LOC-001"
        name = "ТЦ Дордой Плаза"
        address = "ул. Московская, 123"
        [[locations.stations]]
        id = "EVP-001-01"
        serial_number = "EVPCS-001"
        status = "maintenance"
        """,
        actor="test",
    )
    assert await told(world, ear) == ["station maintenance", "location maintenance"]


class NobodyHere:
    """No stranger is connected."""

    def is_here(self, identity: str) -> bool:
        return False

    def invite(self, identity: str) -> None: ...

    def send_away(self, identity: str, reason: str) -> None: ...


async def test_a_stranger_that_becomes_a_station_is_pushed(world: World, ear: Ear) -> None:
    now = world.clock.now()
    await world.sql(
        "INSERT INTO evpower.ocpp_strangers"
        " (identity, status, vendor, model, address, boots, first_seen_at, last_seen_at)"
        " VALUES ('NEW', 'pending', '', '', '', 1, %s, %s)",
        now,
        now,
    )
    assert not (await world.app.locations.picture())[1]
    app = world.app
    desk = Provisioning(world.pool, world.clock, NobodyHere(), app.network_file)
    await desk.accept("NEW", {"location_id": "EVP-LOC-001"}, actor="operator ann")
    assert await told(world, ear) == ["station offline", "location offline"]
    (place,) = [each for each in (await world.app.locations.picture())[0].locations if each.id == "EVP-LOC-001"]
    assert [station.id for station in place.stations] == ["EVP-001-01", "NEW"]


async def test_a_new_connector_is_pushed(world: World, ear: Ear) -> None:
    await world.sql("INSERT INTO connectors (id, station_id, connector_number) VALUES ('n', 'EVP-001-01', 3)")
    world.app.bus.publish(NetworkChanged("EVP-LOC-001"))
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_connector_that_is_gone_is_pushed(world: World, ear: Ear) -> None:
    await world.sql("DELETE FROM connectors WHERE connector_number = 2")
    world.app.bus.publish(NetworkChanged("EVP-LOC-001"))
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_new_station_is_pushed_and_one_that_is_gone_is_news_of_its_location_alone(
    world: World, ear: Ear
) -> None:
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('NEW', 'new', 'EVP-LOC-001')")
    world.app.bus.publish(StationChanged(StationId("NEW")))
    assert await told(world, ear) == ["station offline", "location offline"]
    await world.sql("DELETE FROM stations WHERE id = 'NEW'")
    world.app.bus.publish(StationChanged(StationId("NEW")))
    assert await told(world, ear) == ["location available"]


async def test_a_location_that_is_hidden_is_no_news_and_shown_again_it_is(world: World, ear: Ear) -> None:
    await world.sql("UPDATE locations SET status = 'maintenance'")
    world.app.bus.publish(NetworkChanged("EVP-LOC-001"))
    assert await told(world, ear) == []
    await world.sql("UPDATE locations SET status = 'active'")
    world.app.bus.publish(NetworkChanged("EVP-LOC-001"))
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_lost_socket_is_no_news_until_five_minutes_have_passed(world: World, ear: Ear) -> None:
    world.link.connected.clear()
    await world.app.reports.disconnected(STATION, world.clock.now(), 1006)
    assert await told(world, ear) == []
    world.clock.advance(300.001)
    await world.app.presence.watch()
    assert await told(world, ear) == ["station offline", "location offline"]


async def test_a_station_that_was_hidden_is_news_of_its_location_alone(world: World, ear: Ear) -> None:
    await world.sql("UPDATE stations SET status = 'inactive'")
    world.app.bus.publish(StationChanged(STATION))
    assert await told(world, ear) == ["location offline"]


async def test_a_station_that_moved_is_news_of_both_locations(world: World, ear: Ear) -> None:
    await world.sql("INSERT INTO locations (id, name, address) VALUES ('EVP-LOC-002', 'Б', 'ул. Б')")
    await world.sql("UPDATE stations SET location_id = 'EVP-LOC-002'")
    world.app.bus.publish(StationChanged(STATION))
    assert sorted(await told(world, ear)) == ["location available", "location offline", "station available"]


async def test_a_change_costs_the_reading_of_its_station_alone(world: World, ear: Ear) -> None:
    """However many others its location has: theirs is not read, and they count as they were published."""
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('NEXT', 'next', 'EVP-LOC-001')")
    world.app.bus.publish(StationChanged(StationId("NEXT")))
    await told(world, ear)
    await world.sql("UPDATE stations SET status = 'maintenance' WHERE id = 'NEXT'")
    await world.say("Charging")
    assert await told(world, ear) == ["station available", "location offline"]
    world.app.bus.publish(StationChanged(StationId("NEXT")))
    assert await told(world, ear) == ["station maintenance", "location maintenance"]


async def test_a_new_station_of_a_location_that_was_not_shown_brings_it_whole(world: World, ear: Ear) -> None:
    await world.sql("INSERT INTO locations (id, name, address) VALUES ('EVP-LOC-002', 'Б', 'ул. Б')")
    for name in ("ONE", "TWO"):
        await world.sql(
            f"INSERT INTO stations (id, serial_number, location_id) VALUES ('{name}', '{name}', 'EVP-LOC-002')"
        )
    world.app.bus.publish(StationChanged(StationId("ONE")))
    assert await told(world, ear) == ["station offline", "station offline", "location offline"]


async def test_an_event_of_a_station_nobody_has_is_nothing(world: World, ear: Ear) -> None:
    world.app.bus.publish(StationChanged(StationId("NOBODY")))
    await world.say("Charging")
    assert await told(world, ear) == ["station available", "location available"]


async def test_a_flood_of_events_is_followed_by_a_comparison_of_everything(world: World, ear: Ear) -> None:
    await world.sql("UPDATE connectors SET ocpp_status = 'Charging', status = 'occupied'")
    for _ in range(5000):  # more than the feed's backlog, with no chance to run in between
        world.app.bus.publish(StationChanged(StationId("OTHER")))
    assert await told(world, ear) == ["station occupied", "location occupied"]
    await world.say("Available")
    assert await told(world, ear) == ["station available", "location available"]


async def test_pushes_keep_the_order_of_the_changes(world: World, ear: Ear) -> None:
    await world.say("Unavailable", connector=TWO)
    await told(world, ear)
    heard = []
    for word in ("Charging", "Available", "Faulted"):
        await world.say(word)
        heard += await told(world, ear)
    assert [word for word in heard if word.startswith("station")] == [
        "station occupied",
        "station available",
        "station offline",
    ]
