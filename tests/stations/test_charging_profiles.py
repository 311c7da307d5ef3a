"""Which charging profiles a charger holds (OCPP 1.6 §5.16)."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import CheckViolation

from tests.worlds.charging import ONE, STATION, World


async def set_profile(world: World, profile_id: int, stack_level: int) -> None:
    profile: dict[str, Any] = {
        "chargingProfileId": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]},
    }
    await world.app.operations.profiles.set(STATION, ONE, profile)


async def held(world: World) -> list[tuple[int, int]]:
    rows = await world.sql("SELECT profile_id, stack_level FROM evpower.ocpp_charging_profiles ORDER BY stack_level")
    return [(row["profile_id"], row["stack_level"]) for row in rows]


async def test_an_id_is_one_profile_wherever_it_was(world: World) -> None:
    await set_profile(world, 7, 0)
    await set_profile(world, 8, 1)
    await set_profile(world, 7, 2)
    assert await held(world) == [(8, 1), (7, 2)]


async def test_a_profile_that_could_not_be_stored_leaves_the_one_it_replaces(world: World) -> None:
    await set_profile(world, 7, 0)
    await world.sql("ALTER TABLE evpower.ocpp_charging_profiles ADD CONSTRAINT no_more CHECK (stack_level = 0)")
    with pytest.raises(CheckViolation):
        await set_profile(world, 7, 1)
    assert await held(world) == [(7, 0)]
