"""One central system, and chargers that connect to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from tests.simulator.central_system import CentralSystem, TrioClock
from tests.simulator.providers.sandbox_client import (
    SECRET,
    Merchant,
    Point,
    SetClock,
    Waits,
    Webhook,
    own_point,
    serve_webhook,
)

Charger = Callable[..., Awaitable[SimulatedStation]]


@pytest.fixture
async def central(nursery: trio.Nursery) -> CentralSystem:
    """A central system in memory."""
    return CentralSystem(nursery)


@pytest.fixture
async def charger(nursery: trio.Nursery, central: CentralSystem) -> Charger:
    """Starts a charger with the given settings and returns it when it has booted."""

    async def start(connectors: int = 1, boots: bool = True, **settings: Any) -> SimulatedStation:
        station = SimulatedStation("CP 1", connectors, StationSettings(**settings), TrioClock(), dial=central.dial)
        if boots:
            with trio.fail_after(100):
                await nursery.start(station.run, "ws://mem/ws")
        else:
            nursery.start_soon(station.run, "ws://mem/ws")
        return station

    return start


@pytest.fixture
def waits() -> Waits:
    """What late webhooks and slow replies of the sandbox wait by."""
    return Waits()


@pytest.fixture
def set_clock() -> SetClock:
    """The sandbox's true time."""
    return SetClock()


@pytest.fixture
async def sandbox(nursery: trio.Nursery, tmp_path: Path, set_clock: SetClock, waits: Waits) -> AsyncIterator[Sandbox]:
    """Both providers on real sockets; nothing of a test takes longer than 20 s."""
    settings = SandboxSettings(directory=tmp_path / "sandbox", secret=SECRET)
    with trio.fail_after(20):
        yield await nursery.start(partial(run_sandbox, settings, clock=set_clock, sleep=waits))
        nursery.cancel_scope.cancel()


@pytest.fixture
async def merchant(sandbox: Sandbox) -> AsyncIterator[Merchant]:
    """O!Dengi's client."""
    # Plain HTTP, so nothing is verified; loading the authorities for each client took longer than the test.
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
        yield Merchant(sandbox, http)


@pytest.fixture
async def point(sandbox: Sandbox) -> AsyncIterator[Point]:
    """OBANK's client."""
    async with own_point(sandbox) as point:
        yield point


@pytest.fixture
async def webhook(nursery: trio.Nursery, sandbox: Sandbox) -> Webhook:
    """The merchant's server."""
    hook: Webhook = await nursery.start(serve_webhook, sandbox)
    return hook
