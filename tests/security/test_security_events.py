"""Chargers' security events over PostgreSQL: kept, bounded, shown newest first, alarming ones said."""

from __future__ import annotations

import logging

import pytest

from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.security.rows import security_events
from evpower.security.security_report import SecurityMatter, SecurityReport
from evpower.security.station_access import StationAccess
from tests.worlds.charging import STATION, World


def event(type_: str) -> SecurityReport:
    return SecurityReport(SecurityMatter.EVENT, "SecurityEventNotification", type_, detail="why")


async def types(world: World) -> list[str]:
    access = StationAccess(world.pool, world.clock, world.link, SaltedPasswords())
    return [row.type for row in await access.security_events(STATION)]


async def test_events_are_shown_newest_first(world: World) -> None:
    for type_ in ("StartupOfTheDevice", "TamperDetectionActivated"):
        await world.app.reports.security(STATION, event(type_))
    assert await types(world) == ["TamperDetectionActivated", "StartupOfTheDevice"]


async def test_only_the_newest_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_events, "KEPT_PER_STATION", 3)
    for number in range(6):
        await world.app.reports.security(STATION, event(f"Event{number}"))
    assert await types(world) == ["Event5", "Event4", "Event3"]


@pytest.mark.parametrize(
    ("type_", "level"),
    [("TamperDetectionActivated", logging.WARNING), ("NobodyKnows", logging.WARNING), ("ResetOrReboot", logging.INFO)],
)
async def test_what_is_not_routine_is_a_warning(
    world: World, caplog: pytest.LogCaptureFixture, type_: str, level: int
) -> None:
    caplog.set_level(logging.INFO, "security")
    await world.app.reports.security(STATION, event(type_))
    assert [record.levelno for record in caplog.records if record.name == "security"] == [level]


async def test_an_unknown_station_has_no_events(world: World) -> None:
    access = StationAccess(world.pool, world.clock, world.link, SaltedPasswords())
    with pytest.raises(StationNotFound):
        await access.security_events(StationId("nobody"))
