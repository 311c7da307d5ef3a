from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.pool import Pool
from tests.charging.world import World, impatient, open_world


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """The application over its own database; chargers are asked, and not waited for."""
    async with open_world(pool, impatient()) as world:
        yield world
