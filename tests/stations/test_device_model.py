"""Reports of OCPP 2.0.1 stations in parts, and when the whole inventory is asked for (contract/ocpp201 §2, §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evpower.attention.rows.network import read_station_facts
from evpower.db.unit_of_work import reading
from evpower.events import StationChanged
from evpower.network.station import Boot
from evpower.network_file.rows.doubts import configuration_doubts
from evpower.stations.device_model import DeviceModel
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable
from tests.worlds.charging import STATION, World

INTERVAL = DeviceVariable("SampledDataCtrlr", "TxUpdatedInterval", "30")
LIMIT = DeviceVariable("OCPPCommCtrlr", "OfflineThreshold", "60", mutability="ReadOnly")


def model_of(world: World) -> DeviceModel:
    return world.app.operations.device_model


async def known(world: World, component: str | None = None) -> dict[str, str | None]:
    return {each.variable: each.value for each in await model_of(world).known(STATION, component)}


async def asked(world: World, firmware: str = "1.0") -> int | None:
    """After a boot."""
    await world.app.reports.boot(STATION, Boot("V", "M", firmware, ocpp_version="2.0.1"))
    return await world.app.reports.inventory_to_ask(STATION)


async def test_a_report_is_kept_when_its_last_part_has_come_in_any_order(world: World) -> None:
    model = model_of(world)
    await model.report(STATION, 1, 1, [LIMIT], more=False)
    assert await known(world) == {}
    await model.report(STATION, 1, 0, [INTERVAL], more=True)
    assert await known(world) == {"TxUpdatedInterval": "30", "OfflineThreshold": "60"}
    assert await known(world, "ocppcommctrlr") == {"OfflineThreshold": "60"}


async def test_a_report_whose_rest_does_not_come_is_dropped_after_five_minutes(world: World) -> None:
    model = model_of(world)
    await model.report(STATION, 1, 0, [INTERVAL], more=True)
    world.clock.advance(301)
    await model.report(STATION, 1, 1, [LIMIT], more=False)
    assert await known(world) == {}


async def test_the_inventory_is_asked_for_when_unknown_and_when_the_firmware_changed(world: World) -> None:
    number = await asked(world)
    assert number is not None
    assert await asked(world) is None, "not again at once"
    await world.app.reports.device_report(STATION, number, 0, [INTERVAL, LIMIT], more=False)
    world.clock.advance(3600)
    assert await asked(world) is None
    other = await asked(world, "2.0")
    assert other not in (None, number)


async def test_an_inventory_takes_the_place_of_what_was_known_and_another_report_adds_to_it(world: World) -> None:
    number = await asked(world)
    assert number is not None
    model = model_of(world)
    await model.report(STATION, number, 0, [INTERVAL, LIMIT], more=False)
    world.clock.advance(60)
    await model.report(STATION, 0, 0, [replace(LIMIT, value="90")], more=False)
    assert await known(world) == {"TxUpdatedInterval": "30", "OfflineThreshold": "90"}
    world.clock.advance(60)
    other = await asked(world, "2.0")
    assert other is not None
    await model.report(STATION, other, 0, [INTERVAL], more=False)
    assert await known(world) == {"TxUpdatedInterval": "30"}


async def test_what_a_monitor_notifies_is_grave_up_to_severity_4_and_when_nothing_is_known(world: World) -> None:
    model, name = model_of(world), "Connector.Temperature"
    await model.monitors(STATION, 1, 0, [DeviceMonitor(number, name, number) for number in range(10)], more=False)
    assert [number for number in range(11) if await model.is_grave(STATION, number, name)] == [0, 1, 2, 3, 4, 10]
    assert await model.is_grave(STATION, None, name)
    assert await model.is_grave(STATION, 9, "Connector.Problem"), "its number belongs to another monitor now"


async def test_a_report_on_monitors_is_kept_when_its_last_part_has_come_in_any_order(world: World) -> None:
    """Dropped after five minutes without (contract ocpp201 §2)."""
    model, name = model_of(world), "Connector.Temperature"
    late, early = [DeviceMonitor(1, name, 8)], [DeviceMonitor(2, name, 8)]
    await model.monitors(STATION, 7, 1, late, more=False)
    assert await model.is_grave(STATION, 1, name), "the first part has not come"
    await model.monitors(STATION, 7, 0, early, more=True)
    assert not await model.is_grave(STATION, 1, name)
    assert not await model.is_grave(STATION, 2, name)
    await model.monitors(STATION, 8, 0, [DeviceMonitor(3, name, 8)], more=True)
    world.clock.advance(301)
    await model.monitors(STATION, 8, 1, [DeviceMonitor(4, name, 8)], more=False)
    assert await model.is_grave(STATION, 3, name)
    assert await model.is_grave(STATION, 4, name)


async def test_a_monitors_last_severity_counts_and_the_latest_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evpower.stations.device_model.MOST_MONITORS", 2)
    model, name = model_of(world), "Connector.Temperature"
    await model.monitors(STATION, 1, 0, [DeviceMonitor(1, name, 2), DeviceMonitor(1, name, 8)], more=False)
    assert not await model.is_grave(STATION, 1, name)
    world.clock.advance(1)
    await model.monitors(STATION, 1, 0, [DeviceMonitor(2, name, 8), DeviceMonitor(3, name, 8)], more=False)
    assert [number for number in (1, 2, 3) if await model.is_grave(STATION, number, name)] == [1]


async def test_an_inventory_with_other_evses_than_are_configured_is_a_warning_and_makes_no_connector(
    world: World,
) -> None:
    """Wherever operators look: the list, the administrators' record, an import; until an inventory agrees."""
    evses = [replace(LIMIT, component="EVSE", evse_id=number) for number in (1, 2, 3)]
    warning = "the station reports the EVSEs 1, 2, 3, but the connectors make the EVSEs 1, 2"
    number = await asked(world)
    assert number is not None
    with world.app.bus.subscribe(lambda event: isinstance(event, StationChanged)) as changes:
        await world.app.reports.device_report(STATION, number, 0, [INTERVAL, *evses], more=False)
        assert changes.receive_nowait() == StationChanged(STATION)
    (seen,) = await world.operator().stations()
    assert seen.line.configuration_warnings == [warning]
    record = (await world.app.views.station(STATION)).record
    assert record.configuration_warnings == [warning]
    async with reading(world.pool) as conn:
        assert await configuration_doubts(conn) == [f"station {STATION}: {warning}"]
        (facts,) = await read_station_facts(conn)
    assert facts.reported_evses == [1, 2, 3]
    assert await world.sql("SELECT count(*) AS n FROM connectors") == [{"n": 2}]
    await world.app.reports.device_report(STATION, 0, 0, [replace(evses[0], evse_id=9)], more=False)
    (seen,) = await world.operator().stations()
    assert seen.line.configuration_warnings == [warning], "another report is no inventory"
    other = await asked(world, "2.0")
    assert other is not None
    await world.app.reports.device_report(STATION, other, 0, evses[:2], more=False)
    (seen,) = await world.operator().stations()
    assert seen.line.configuration_warnings == []


async def test_what_was_read_after_a_boot_is_kept(world: World) -> None:
    await world.app.reports.variables_read(STATION, [LIMIT])
    await world.app.reports.variables_read(STATION, [replace(LIMIT, value="90")])
    assert await known(world) == {"OfflineThreshold": "90"}
