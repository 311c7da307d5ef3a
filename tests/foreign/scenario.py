"""One charge at a charger that is somebody else's program: started and stopped by phone, paid by its register."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from tests.e2e.process import Process, Server
from tests.e2e.street import FLEET, OPENING, STATION, WITHIN_S, Phone, cost_of

PASSWORD = "a-password-of-its-own"
LOCKED_FLEET = FLEET.replace('model = "Simulator"', f'model = "Simulator"\npassword = "{PASSWORD}"')
CHARGED_WH = 4_000


@asynccontextmanager
async def foreign_charger(server: Server, command: Sequence[str], password: str) -> AsyncIterator[Process]:
    """The command with its URL, as the charger at `STATION`; ended with the block."""
    url = f"ws://{STATION}:{password}@{server.ocpp_address}/ws/{STATION}"
    process = await trio.lowlevel.open_process(
        [*command, url],
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


async def event(charger: Process, name: str) -> dict[str, Any]:
    """The first line by which the charger says so."""
    with trio.fail_after(WITHIN_S):
        line = await charger.wait_for_line(f'"event":"{name}"')
    said = json.loads(line)
    assert isinstance(said, dict)
    return said


async def charge_and_pay(server: Server, charger: Process, subprotocol: str = "ocpp1.6") -> None:
    """From its boot to the driver's receipt; the server has the locked fleet."""
    phone = Phone(server)
    assert (await event(charger, "connected"))["subprotocol"] == subprotocol
    assert await event(charger, "booted") == {"event": "booted", "status": "Accepted", "interval": 60}
    assert (await event(charger, "TriggerMessage"))["connector_id"] == 2  # the one that had not spoken

    started = await phone.start(energy_kwh=20)
    assert (started["success"], started["reserved_amount"]) == (True, 270), started
    assert await event(charger, "started") == {"event": "started", "authorize": "Accepted", "start": "Accepted"}
    await event(charger, "metered")
    running = await phone.until(started["session_id"], lambda status: status["energy_consumed"] == 3)
    assert running["status"] == "started"

    answer = await phone.stop(started["session_id"])
    with trio.fail_after(WITHIN_S):
        assert await charger.wait_for_exit() == 0, "\n".join(charger.lines)
    assert (answer["success"], answer["status"]) == (True, "stopped"), answer
    assert answer["final_cost"] == float(cost_of(CHARGED_WH)) == 54
    assert await phone.balance() == OPENING - cost_of(CHARGED_WH)
    if subprotocol == "ocpp2.0.1":  # the end of its transaction was answered with the bill (I03)
        assert (await event(charger, "stopped"))["total_cost"] == 54
    await server.check_ledger()


async def refused_measurands(charger: Process) -> list[tuple[str, bool]]:
    """The keys it was asked to change, and whether SoC, which it refuses, was among the values."""
    await event(charger, "TriggerMessage")
    asked = [json.loads(line) for line in charger.lines if "ChangeConfiguration" in line]
    return [(each["key"], "SoC" in each["value"]) for each in asked]
