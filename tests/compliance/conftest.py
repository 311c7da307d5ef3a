from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.pool import Pool
from tests.compliance.site import Site, open_site


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[Site]:
    """The application with one charger, booted and idle, on the other end of its wire."""
    async with open_site(pool) as site:
        yield site
