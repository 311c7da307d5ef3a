"""An import that is only tried: every difference is shown, and nothing is changed, no money either."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.narrowing import Narrowing
from evpower.network_file.imports import forget_imports
from evpower.network_file.service import Difference
from tests.worlds.charging import World

FLEET = """
[[locations]]
id = "EVP-LOC-001"
name = "ТЦ Дордой Плаза"
address = "ул. Московская, 123"
city = "Ош"

[[locations.stations]]
id = "EVP-001-01"
serial_number = "EVPCS-001"
model = "New"
manufacturer = "ChargePoint"

[[locations.stations]]
id = "EVP-001-02"
serial_number = "EVPCS-002"
model = "New"
manufacturer = "ChargePoint"

[[clients]]
id = "new-client"
opening_balance = 100
"""


async def test_every_difference_is_shown_and_nothing_changes(world: World) -> None:
    operator = world.operator()
    tried = await operator.try_fleet(FLEET)
    assert set(tried.differences) >= {
        Difference("locations", "EVP-LOC-001", "city", "Бишкек", "Ош"),
        Difference("stations", "EVP-001-01", "model", "ChargePoint Express 250", "New"),
        Difference("stations", "EVP-001-02"),
        Difference("clients", "new-client"),
    }
    assert await world.sql("SELECT city FROM locations") == [{"city": "Бишкек"}]
    assert await world.sql("SELECT id FROM clients") == []
    assert await world.sql("SELECT id FROM evpower.ledger_entries") == []
    done = await operator.import_fleet(FLEET, actor="test")
    assert (done.created, done.changed, done.differences) == (tried.created, tried.changed, ())
    assert (await operator.try_fleet(FLEET)).differences == ()


async def test_a_file_that_is_refused_is_refused_when_it_is_tried(world: World) -> None:
    with pytest.raises(InvalidRequest):
        await world.operator().try_fleet("[[locations]]\n")
    contradiction = FLEET.replace('"EVPCS-002"', '"EVPCS-001"')
    with pytest.raises(InvalidRequest):
        await world.operator().try_fleet(contradiction)


async def test_an_import_is_in_the_history_of_each_station_that_it_touched_and_a_trial_is_not(world: World) -> None:
    operator = world.operator()
    await operator.try_fleet(FLEET)
    assert await world.sql("SELECT 1 FROM evpower.station_imports") == []
    await operator.import_fleet(FLEET, actor="operator aida")
    await operator.import_fleet(FLEET, actor="nobody")
    rows = await world.sql("SELECT station_id, actor, changes FROM evpower.station_imports ORDER BY station_id")
    assert [tuple(each.values()) for each in rows] == [
        ("EVP-001-01", "operator aida", rows[0]["changes"]),
        ("EVP-001-02", "operator aida", None),
    ]
    assert "model: ChargePoint Express 250 → New" in rows[0]["changes"]
    (event, *_) = await world.app.station_cases.events(Narrowing(StationId("EVP-001-01")))
    assert (event.who, event.kind, event.what) == ("operator aida", "import", rows[0]["changes"])
    await forget_imports(world.pool, world.clock.now() + timedelta(days=401))
    assert await world.sql("SELECT 1 FROM evpower.station_imports") == []
