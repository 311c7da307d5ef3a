"""Seed §4: sockets that do not fit the connectors are told where operators look, and nothing is refused for it."""

from __future__ import annotations

import logging

import pytest

from tests.worlds.charging import World

TOO_FEW = "connectors_count is 1, but 2 connectors are configured"
BEYOND = "connectors_count is 1, but there are connectors with the numbers 2"
FLEET = """
[[locations]]
id = "EVP-LOC-001"
name = "ТЦ Дордой Плаза"
address = "ул. Московская, 123"
[[locations.stations]]
id = "EVP-001-01"
serial_number = "EVPCS-001"
connectors_count = {count}
"""


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


async def test_the_operators_list_warns_of_the_station(world: World) -> None:
    await world.sql("UPDATE stations SET connectors_count = 1")
    (station,) = await world.operator().stations()
    assert station.line.configuration_warnings == [TOO_FEW, BEYOND]


async def test_a_station_that_fits_has_no_warning(world: World) -> None:
    (station,) = await world.operator().stations()
    assert station.line.configuration_warnings == []


async def test_an_import_that_makes_it_so_answers_and_logs_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    report = await world.operator().import_fleet(FLEET.format(count=1), actor="test")
    expected = [f"station EVP-001-01: {TOO_FEW}", f"station EVP-001-01: {BEYOND}"]
    assert list(report.warnings) == expected
    assert warnings_in(caplog) == expected


async def test_what_was_so_before_is_answered_and_not_logged_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.operator().import_fleet(FLEET.format(count=1), actor="test")
    caplog.clear()
    report = await world.operator().import_fleet(FLEET.format(count=1) + 'model = "New"\n', actor="test")
    assert len(report.warnings) == 2
    assert warnings_in(caplog) == []


async def test_looking_at_the_stations_logs_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.sql("UPDATE stations SET connectors_count = 1")
    await world.operator().stations()
    await world.app.locations.picture()
    assert warnings_in(caplog) == []
