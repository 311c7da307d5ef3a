"""Two plugs of one EVSE: what is configured, and that one car at a time charges there (contract ocpp201 §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import ClientId, ConnectorId, IdTag
from evpower.network.rows.stations import admit
from evpower.network.spots.errors import ConnectorOccupied
from evpower.network.spots.evses import EACH_ITS_OWN, EvsePlace, Evses
from tests.worlds.charging import CLIENT, STATION, TWO, World, impatient, open_world
from tests.worlds.events import EventWorld

OTHER = ClientId("client-2")
PLACED = "INSERT INTO evpower.connector_evses VALUES (%s, 2, 1, 2, now(), now())"
TYPED = """
INSERT INTO evpower.device_variables (station_id, component, component_instance, evse_id, connector_id, variable,
    variable_instance, attribute, value, persistent, reported_at)
VALUES (%s, 'Connector', '', 1, 2, 'ConnectorType', '', 'Actual', 'cG105', false, now())
"""


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    async with open_world(pool, impatient()) as world:
        await world.give(500_00)
        await world.give(500_00, OTHER)
        yield EventWorld(world)


async def test_a_station_is_admitted_with_the_places_of_its_connectors(world: World) -> None:
    """Of all of them, once one has a place of its own; the types are those that the station reported."""
    async with reading(world.pool) as conn:
        plain = await admit(conn, STATION)
    assert plain is not None
    assert plain.evses is EACH_ITS_OWN
    await world.sql(PLACED, STATION)
    await world.sql(TYPED, STATION)
    async with reading(world.pool) as conn:
        placed = await admit(conn, STATION)
    assert placed is not None
    assert placed.evses == Evses(((ConnectorId(1), EvsePlace(1)), (TWO, EvsePlace(1, 2, "cG105"))))


async def test_while_one_plug_charges_nobody_begins_at_the_other(world: World) -> None:
    """Neither from the app nor with a card; afterwards there is room."""
    await world.sql(PLACED, STATION)
    ordered = await world.order(energy_wh=1_000, client=CLIENT)
    begun = await world.begin(await world.tag_of(ordered.session.session_id))
    with pytest.raises(ConnectorOccupied):
        await world.order(energy_wh=1_000, client=OTHER, connector=TWO)
    await world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)"
        " VALUES ('CARD', 'Accepted', %s, now())",
        OTHER,
    )
    assert (await world.begin(IdTag("CARD"), connector=TWO)).verdict.status == "Blocked"
    await world.end(begun.wire_transaction_id, 1_500)
    await world.app.settler.work_due()
    await world.order(energy_wh=1_000, client=OTHER, connector=TWO)
