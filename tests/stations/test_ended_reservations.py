"""A reservation that its station reports as ended keeps no connector here (OCPP 2.0.1 H04)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.identifiers import StationId
from tests.worlds.charging import ONE, STATION, World


async def reserved(world: World) -> int:
    reservations = world.app.operations.reservations
    taken = await reservations.reserve(STATION, ONE, "CARD", world.clock.now() + timedelta(hours=1), None)
    return taken.reservation_id


async def status(world: World) -> str:
    (row,) = await world.sql("SELECT status FROM evpower.ocpp_reservations")
    return str(row["status"])


@pytest.mark.parametrize(("expired", "ended"), [(True, "Expired"), (False, "Cancelled")])
async def test_it_ends_as_its_station_reports(world: World, expired: bool, ended: str) -> None:
    number = await reserved(world)
    assert await status(world) == "Active"
    await world.app.reports.reservation_ended(STATION, number, expired=expired)
    assert await status(world) == ended


async def test_one_that_was_used_stays_used(world: World) -> None:
    number = await reserved(world)
    await world.app.operations.reservations.used(STATION, number)
    await world.app.reports.reservation_ended(STATION, number, expired=False)
    assert await status(world) == "Used"


async def test_another_stations_is_not_ended(world: World) -> None:
    number = await reserved(world)
    await world.app.reports.reservation_ended(StationId("EVP-999-99"), number, expired=False)
    await world.app.reports.reservation_ended(STATION, number + 1, expired=False)
    assert await status(world) == "Active"
