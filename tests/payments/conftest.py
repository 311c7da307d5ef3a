from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.pool import Pool
from tests.worlds.payments import World, open_world


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """Money in, over a database of its own."""
    async with open_world(pool) as world:
        yield world
