"""Stations where connectors can be kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evpower.db.pool import Pool
from tests.worlds.reservations import ParkingLot, open_lot


@pytest.fixture
async def lot(pool: Pool) -> AsyncIterator[ParkingLot]:
    async with open_lot(pool) as lot:
        yield lot
