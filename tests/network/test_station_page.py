"""Who reads a station reads the same words: its own page, the list, the operator; over real rows."""

from __future__ import annotations

import pytest

from evpower.errors import StationNotFound
from evpower.identifiers import ConnectorId, StationId
from evpower.network.station_view import StationView
from tests.worlds.charging import ONE, STATION, TWO, World

WHOLE = ConnectorId(0)
NEIGHBOUR = """
INSERT INTO stations (id, serial_number, location_id, status, is_available, last_heartbeat_at)
VALUES ('EVP-001-02', 'EVPCS-002', 'EVP-LOC-001', %s, true, %s)
"""


async def page(world: World) -> StationView:
    return await world.app.station_pages.station(STATION)


async def operators_word(world: World) -> str:
    return (await world.operator().stations())[0].status


async def start(world: World) -> None:
    await world.give(50_000)
    await world.order(energy_wh=20_000)


async def test_a_charge_at_a_charger_that_calls_itself_faulted_occupies_station_and_location(world: World) -> None:
    await start(world)
    await world.say("Faulted", connector=WHOLE)
    shown = await page(world)
    assert (shown.station.status, shown.location.status) == ("occupied", "occupied")


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("whole", ["Available", "Faulted", "Unavailable"])
@pytest.mark.parametrize("other", ["Available", "Charging", "Unavailable", "Faulted"])
async def test_page_list_and_operator_say_the_same(world: World, running: bool, whole: str, other: str) -> None:
    if running:
        await start(world)
    await world.say(other, connector=TWO)
    await world.say(whole, connector=WHOLE)
    shown, location = await page(world), await world.app.locations.location("EVP-LOC-001")
    assert (shown.station, shown.location) == (location.stations[0], location)
    assert await operators_word(world) == shown.station.status


@pytest.mark.parametrize(
    ("neighbour", "word"),
    [("active", "offline"), ("maintenance", "maintenance"), ("inactive", "available")],
)
async def test_the_locations_word_is_that_of_all_its_visible_stations(world: World, neighbour: str, word: str) -> None:
    """The active one has no connectors."""
    await world.sql(NEIGHBOUR, neighbour, world.clock.now())
    shown = await page(world)
    assert (shown.station.status, shown.location.status) == ("available", word)


@pytest.mark.parametrize("hidden", ["inactive", "maintenance"])
async def test_a_station_of_a_location_the_list_hides_has_its_page(world: World, hidden: str) -> None:
    await world.sql("UPDATE locations SET status = %s", hidden)
    shown = await page(world)
    assert (shown.station.status, shown.location.status, shown.location.id) == ("available", "available", "EVP-LOC-001")


async def test_an_inactive_station_and_one_nobody_has_have_no_page(world: World) -> None:
    with pytest.raises(StationNotFound):
        await world.app.station_pages.station(StationId("NOBODY"))
    await world.sql("UPDATE stations SET status = 'inactive'")
    with pytest.raises(StationNotFound):
        await page(world)


async def test_a_page_is_right_whatever_the_watchdog_wrote(world: World) -> None:
    world.link.connected.clear()
    world.clock.advance(300)
    assert (await page(world)).station.status == "available"
    world.clock.advance(0.001)
    assert (await world.sql("SELECT is_available FROM stations"))[0]["is_available"] is True
    assert (await page(world)).station.status == "offline"
    await world.sql("UPDATE stations SET is_available = false, last_heartbeat_at = %s", world.clock.now())
    assert (await page(world)).station.status == "available"


async def test_a_station_whose_socket_is_closed_is_not_online_and_keeps_its_word_for_five_minutes(world: World) -> None:
    world.link.connected.clear()
    shown = await page(world)
    assert (shown.is_online, shown.station.status) == (False, "available")


async def test_a_station_that_spoke_to_another_process_since_is_there_for_every_reader(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its old socket still looks open here."""
    before = world.clock.now()
    monkeypatch.setattr(world.link, "last_seen_at", lambda _: before)
    world.clock.advance(400)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    assert ((await page(world)).station.status, await operators_word(world)) == ("available", "available")
    await start(world)


async def test_a_page_shows_errors_and_running_charges(world: World) -> None:
    await start(world)
    await world.say("Faulted", connector=TWO, error="GroundFailure")
    shown = await page(world)
    assert shown.error_codes == {ONE: "NoError", TWO: "GroundFailure"}
    assert [(each.connector_id, each.energy_wh, each.limit_type) for each in shown.running] == [(ONE, 0, "energy")]


async def test_a_word_that_is_not_ocpps_is_unavailable(world: World) -> None:
    await world.sql("UPDATE connectors SET ocpp_status = 'занято' WHERE connector_number = 1")
    await world.sql("UPDATE connectors SET ocpp_status = NULL WHERE connector_number = 2")
    connectors = (await page(world)).station.connectors
    assert [(each.ocpp_status, each.status) for each in connectors] == [("Unavailable", "unavailable")] * 2


async def test_a_page_is_found_by_serial_number_and_answers_the_id(world: World) -> None:
    """Field ruling 6.1: every screen of the app navigates by serial number."""
    shown = await world.app.station_pages.station("EVPCS-001")
    assert shown == await page(world)
    assert shown.station.id == STATION


async def test_the_id_wins_when_another_stations_serial_number_is_the_same(world: World) -> None:
    """Field ruling 6.1."""
    await world.sql(NEIGHBOUR.replace("EVPCS-002", STATION), "active", world.clock.now())
    assert (await page(world)).station.id == STATION
    await world.sql("UPDATE stations SET serial_number = 'EVP 002/Ж' WHERE id = 'EVP-001-02'")
    assert (await world.app.station_pages.station("EVP 002/Ж")).station.id == "EVP-001-02"


async def test_an_inactive_station_is_found_by_neither_name(world: World) -> None:
    await world.sql("UPDATE stations SET status = 'inactive'")
    for name in (STATION, "EVPCS-001"):
        with pytest.raises(StationNotFound):
            await world.app.station_pages.station(name)
