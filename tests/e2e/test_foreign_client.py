"""A charger client nobody here wrote charges against the started process: the `ocpp` package's own, in asyncio."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.process import Process, Server
from tests.e2e.street import FLEET, OPENING, STATION, WITHIN_S, Phone, cost_of

SCRIPT = Path(__file__).parents[1] / "foreign" / "ocpp_package.py"
PASSWORD = "a-password-of-its-own"
CHARGED_WH = 4_000


@asynccontextmanager
async def foreign_charger(server: Server, password: str) -> AsyncIterator[Process]:
    """The script at `STATION`, ended with the block."""
    url = f"ws://{STATION}:{password}@{server.ocpp_address}/ws/{STATION}"
    process = await trio.lowlevel.open_process(
        [sys.executable, str(SCRIPT), url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    charger = Process(process)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(charger.read)
        try:
            yield charger
        finally:
            process.kill()  # nothing, when it has left by itself
    await process.wait()


@pytest.fixture
async def locked(server: Server) -> Server:
    """The server, whose station has a password."""
    await server.import_fleet(FLEET.replace('model = "Simulator"', f'model = "Simulator"\npassword = "{PASSWORD}"'))
    return server


async def event(charger: Process, name: str) -> dict[str, Any]:
    with trio.fail_after(WITHIN_S):
        line = await charger.wait_for_line(f'"event": "{name}"')
    said = json.loads(line)
    assert isinstance(said, dict)
    return said


async def test_the_ocpp_packages_charger_boots_charges_and_stops_and_the_driver_pays_its_register(
    locked: Server,
) -> None:
    phone = Phone(locked)
    async with foreign_charger(locked, PASSWORD) as charger:
        assert (await event(charger, "connected"))["subprotocol"] == "ocpp1.6"
        assert await event(charger, "booted") == {"event": "booted", "status": "Accepted", "interval": 60}
        assert (await event(charger, "TriggerMessage"))["connector_id"] == 2  # the one that had not spoken

        started = await phone.start(energy_kwh=20)
        assert (started["success"], started["reserved_amount"]) == (True, 270)
        assert await event(charger, "started") == {"event": "started", "authorize": "Accepted", "start": "Accepted"}
        await event(charger, "metered")
        running = await phone.until(started["session_id"], lambda status: status["energy_consumed"] == 3)
        assert running["status"] == "started"

        answer = await phone.stop(started["session_id"])
        with trio.fail_after(WITHIN_S):
            assert await charger.wait_for_exit() == 0, "\n".join(charger.lines)
    assert (answer["success"], answer["status"]) == (True, "stopped")
    assert answer["final_cost"] == float(cost_of(CHARGED_WH)) == 54
    assert await phone.balance() == OPENING - cost_of(CHARGED_WH)
    await locked.check_ledger()


async def test_it_refuses_a_measurand_and_is_offered_the_shorter_list(server: Server) -> None:
    async with foreign_charger(server, "") as charger:
        await event(charger, "TriggerMessage")
        asked = [json.loads(line) for line in charger.lines if "ChangeConfiguration" in line]
    assert [(each["key"], "SoC" in each["value"]) for each in asked] == [
        ("MeterValueSampleInterval", False),
        ("MeterValuesSampledData", True),
        ("MeterValuesSampledData", False),
    ]


async def test_with_a_wrong_password_it_does_not_get_in(locked: Server) -> None:
    async with foreign_charger(locked, "another-password-altogether") as charger:
        with trio.fail_after(WITHIN_S):
            assert await charger.wait_for_exit() == 1
    assert "HTTP 401" in charger.lines[-1]
