"""`evpower demo`, what a newcomer sees first: embedded PostgreSQL, the fleet of config/demo.toml, commands to try."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from evpower.config import Config
from evpower.demo import DemoFleetMissing, run
from tests.e2e.process import Process, poll, start

READY_WITHIN_S = 90.0
ENDED_WITHIN_S = 30.0


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """As open as a checkout: started by root, PostgreSQL runs as nobody."""
    with tempfile.TemporaryDirectory(prefix="evpower-demo-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


async def start_demo(nursery: trio.Nursery, state_dir: Path) -> Process:
    environment = {
        "EVPOWER_STATE_DIR": str(state_dir),
        "EVPOWER_HTTP_BIND": "127.0.0.1:0",
        "EVPOWER_OCPP_BIND": "127.0.0.1:0",
    }
    demo = await start(nursery, "demo", environment=environment)
    with trio.fail_after(READY_WITHIN_S):
        await demo.wait_for_line("EvPower demo is ready")
        await demo.wait_for_line("ledger check")
    return demo


async def end_demo(demo: Process, number: signal.Signals) -> None:
    demo.process.send_signal(number)
    with trio.fail_after(ENDED_WITHIN_S):
        assert await demo.wait_for_exit() == 0
    assert demo.lines[-1] == "EvPower demo: ended."
    assert not [line for line in demo.lines if "Traceback" in line or "ERROR" in line]


async def shell(command: str) -> Any:
    """The JSON a printed command prints."""
    done = await trio.run_process(["/bin/sh", "-c", command], capture_stdout=True)
    return json.loads(done.stdout)


async def test_the_demo_s_printed_commands_work_and_it_ends_cleanly_and_starts_again(
    state_dir: Path, nursery: trio.Nursery
) -> None:
    demo = await start_demo(nursery, state_dir)
    commands = [line.strip() for line in demo.lines if line.startswith("  ") and ("curl" in line or "evpower" in line)]
    curl = {name: next(each for each in commands if f"/{name}" in each) for name in ("balance", "start", "stop")}
    look = next(each for each in commands if "/charging/status/" in each)
    assert (await shell(curl["balance"]))["balance"] == 1000
    started = await shell(curl["start"])
    assert started["success"], started
    session_id = started["session_id"]

    async def charges() -> bool:
        return bool((await shell(look.replace("SESSION_ID", session_id)))["energy_consumed"] > 0)

    with trio.fail_after(30):
        await poll(charges, 0.2)
    stopped = await shell(curl["stop"].replace("SESSION_ID", session_id))
    assert (stopped["status"], stopped["station_online"]) == ("stopped", True)
    [ledger] = [each for each in commands if re.search("ledger check", each)]
    assert (await shell(f"{ledger} --json"))["ok"]
    await end_demo(demo, signal.SIGINT)

    again = await start_demo(nursery, state_dir)
    balance = next(line.strip() for line in again.lines if "/balance/" in line)
    assert (await shell(balance))["balance"] == stopped["new_balance"]
    await end_demo(again, signal.SIGTERM)


async def test_without_its_fleet_file_the_demo_says_where_it_looked(tmp_path: Path) -> None:

    with pytest.raises(DemoFleetMissing, match=r"nowhere/demo.toml.*make run"):
        await run(Config(), fleet_file=tmp_path / "nowhere" / "demo.toml")
