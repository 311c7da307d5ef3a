"""Events that a station of OCPP 2.0.1 notifies: kept once their last part has come, the grave ones as its events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from evpower.db.pool import Pool
from evpower.reports.device_event import DeviceEvent, EventsPart
from evpower.reports.device_events import DeviceEvents, drop_overdue
from evpower.stations.device_variable import DeviceMonitor
from tests.worlds.charging import STATION, World, impatient, open_world
from tests.worlds.fakes import NOON


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    async with open_world(pool, impatient()) as world:
        yield world


def event(variable: str, monitor_id: int | None = None) -> DeviceEvent:
    notified = "Alerting", "CustomMonitor", "Connector", variable, "true"
    return DeviceEvent(1, NOON, *notified, evse_id=1, monitor_id=monitor_id, tech_code="E42")


async def take(world: World, seq_no: int, *variables: str, more: bool = False, later_s: int = 0) -> None:
    events = tuple(map(event, variables))
    part = EventsPart(seq_no, NOON + timedelta(seconds=later_s), events, more)
    await world.app.reports.device_events(STATION, part)


async def raised(world: World) -> list[tuple[str, str]]:
    rows = await world.sql("SELECT action, type FROM evpower.ocpp_security_events ORDER BY id")
    return [(row["action"], row["type"]) for row in rows]


async def kept(world: World) -> list[str]:
    rows = await world.sql("SELECT variable FROM evpower.device_events WHERE is_whole ORDER BY seq_no, id")
    return [row["variable"] for row in rows]


async def test_a_message_that_is_no_part_is_kept_at_once_whatever_its_number(world: World) -> None:
    await take(world, 0, "Problem")
    await take(world, 7, "Tripped")
    assert await raised(world) == [("NotifyEvent", "Connector.Problem"), ("NotifyEvent", "Connector.Tripped")]
    (row, _) = await world.sql("SELECT * FROM evpower.device_events ORDER BY id")
    assert (row["component"], row["evse_id"], row["actual_value"], row["grave"]) == ("Connector", 1, "true", True)
    (shown, _) = await world.sql("SELECT detail, alarming FROM evpower.ocpp_security_events")
    assert (shown["detail"], shown["alarming"]) == ("true E42", True)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (0, 0, 1, 1, 2)])
async def test_parts_count_when_all_have_come_in_the_order_of_their_numbers(
    world: World, order: tuple[int, ...]
) -> None:
    """Also when one is sent again."""
    for place, number in enumerate(order):
        assert await raised(world) == [], place
        await take(world, number, f"V{number}", more=number < 2)
    assert await kept(world) == ["V0", "V1", "V2"]
    assert await raised(world) == [("NotifyEvent", f"Connector.V{number}") for number in range(3)]


async def test_what_is_not_grave_is_kept_and_is_no_event_of_the_station(world: World) -> None:
    monitors = [DeviceMonitor(3, "Connector.Warm", 8)]
    await world.app.reports.monitors(STATION, 1, 0, monitors, more=False)
    part = EventsPart(0, NOON, (event("Warm", 3), event("Warm", 4)))
    await world.app.reports.device_events(STATION, part)
    assert await kept(world) == ["Warm", "Warm"]
    assert await raised(world) == [("NotifyEvent", "Connector.Warm")]


async def test_parts_whose_rest_does_not_come_are_dropped_after_five_minutes_and_named(world: World) -> None:
    await take(world, 0, "Old", more=True)
    world.clock.advance(301)
    await take(world, 1, "New")
    assert await kept(world) == ["New"], "it is a message of its own"
    assert await raised(world) == [("NotifyEvent", "PartsDropped"), ("NotifyEvent", "Connector.New")]
    (row, _) = await world.sql("SELECT detail FROM evpower.ocpp_security_events ORDER BY id")
    assert row["detail"] == "Connector.Old"


async def test_they_are_dropped_also_when_their_station_says_nothing_more(world: World) -> None:
    await take(world, 0, "Old", more=True)
    world.clock.advance(299)
    await drop_overdue(world.pool, world.clock.now())
    assert await raised(world) == []
    world.clock.advance(2)
    for _ in range(2):
        await drop_overdue(world.pool, world.clock.now())
    assert await raised(world) == [("NotifyEvent", "PartsDropped")]
    assert await world.sql("SELECT FROM evpower.device_events") == []


async def test_the_first_part_of_another_report_ends_the_one_before(world: World) -> None:
    await take(world, 0, "Old", more=True)
    await take(world, 0, "New", more=True, later_s=60)
    await take(world, 1, "Last", later_s=60)
    assert await kept(world) == ["New", "Last"]
    assert await raised(world) == [
        ("NotifyEvent", "PartsDropped"),
        ("NotifyEvent", "Connector.New"),
        ("NotifyEvent", "Connector.Last"),
    ]


async def test_a_message_of_its_own_in_between_ends_nothing(world: World) -> None:
    await take(world, 0, "First", more=True)
    await take(world, 0, "Apart")
    await take(world, 1, "Last")
    assert await raised(world) == [("NotifyEvent", f"Connector.{each}") for each in ("Apart", "First", "Last")]


async def test_of_a_station_the_newest_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evpower.reports.rows.device_events.KEPT_PER_STATION", 2)
    for number in range(4):
        await take(world, 0, f"V{number}")
    assert await kept(world) == ["V2", "V3"]
    (newest, _) = await DeviceEvents(world.pool, world.clock, world.app.operations.device_model).newest(STATION, 10)
    assert (newest.name, newest.grave, newest.received_at) == ("Connector.V3", True, world.clock.now())
