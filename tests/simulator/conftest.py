"""One central system, and chargers that connect to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from evpower.simulator.charge_point import SimulatedChargePoint
from evpower.simulator.settings import ChargePointSettings
from tests.simulator.central_system import CentralSystem, TrioClock

Charger = Callable[..., Awaitable[SimulatedChargePoint]]


@pytest.fixture
async def central(nursery: trio.Nursery) -> CentralSystem:
    """A central system in memory."""
    return CentralSystem(nursery)


@pytest.fixture
async def charger(nursery: trio.Nursery, central: CentralSystem) -> Charger:
    """Starts a charger with the given settings and returns it when it has booted."""

    async def start(connectors: int = 1, boots: bool = True, **settings: Any) -> SimulatedChargePoint:
        charge_point = SimulatedChargePoint(
            "CP 1", connectors, ChargePointSettings(**settings), TrioClock(), dial=central.dial
        )
        if boots:
            with trio.fail_after(100):
                await nursery.start(charge_point.run, "ws://mem/ws")
        else:
            nursery.start_soon(charge_point.run, "ws://mem/ws")
        return charge_point

    return start
