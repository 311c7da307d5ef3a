"""The chargingPriority that OCPP 2.0.1 stations are answered: that of the connector in its group of power."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from tests.worlds.charging import ONE, STATION, TWO, impatient, open_world

GROUP = """
INSERT INTO evpower.power_groups (location_id, name, phases, limit_a, failsafe_a, active, created_at)
VALUES ('EVP-LOC-001', 'g', 3, 40, 6, true, now()) RETURNING id
"""
MEMBER = """
INSERT INTO evpower.power_group_members (station_id, connector_id, group_id, max_a, priority)
VALUES (%s, %s, %s, 32, %s)
"""


@pytest.mark.parametrize(
    ("priorities", "expected"),
    [({}, (0, 0, 0)), ({1: 100}, (9, 0, 0)), ({1: 100, 2: 50}, (9, 5, 5)), ({1: 5, 2: 6}, (0, 1, 0))],
)
async def test_a_charge_is_as_important_as_its_connector_and_one_anywhere_as_the_least_of_them(
    pool: Pool, priorities: dict[int, int], expected: tuple[int, int, int]
) -> None:
    async with open_world(pool, impatient()) as world:
        (group,) = await world.sql(GROUP)
        for connector, priority in priorities.items():
            await world.sql(MEMBER, STATION, connector, group["id"], priority)
        reports = world.app.reports
        found = [await reports.charging_priority(STATION, each) for each in (ONE, TWO, None)]
    assert tuple(found) == expected
