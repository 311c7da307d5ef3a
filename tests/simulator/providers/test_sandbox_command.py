"""`evpower sandbox` as a person runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import trio

pytestmark = pytest.mark.external
COMMAND = [sys.executable, "-m", "evpower", "sandbox"]
FREE_PORTS = ["--odengi-port", "0", "--obank-port", "0", "--page-port", "0"]
NAMES = {
    *(f"EVPOWER_ODENGI_{name}" for name in ("URL", "SID", "SECRET")),
    *(f"EVPOWER_OBANK_{name}" for name in ("URL", "POINT", "SERVICE", "CERTIFICATE", "CERTIFICATE_PASSWORD")),
    "EVPOWER_OBANK_CA_CERTIFICATE",
}


async def test_the_command_prints_the_servers_settings_and_ends_on_a_signal(tmp_path: Path) -> None:
    command = [*COMMAND, *FREE_PORTS, "--directory", str(tmp_path)]
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(_run, command)
            text = await _until_help(process)
            settings = dict(line.removeprefix("export ").split("=", 1) for line in text if line.startswith("export "))
            assert settings.keys() == NAMES
            assert (settings["EVPOWER_OBANK_POINT"], settings["EVPOWER_OBANK_SERVICE"]) == ("4354", "1331")
            assert Path(settings["EVPOWER_OBANK_CERTIFICATE"]).is_file()
            page = next(line.rpartition(" ")[2] for line in text if line.startswith("# Pay"))
            async with httpx2.AsyncClient(trust_env=False) as http:
                assert "Счетов пока нет" in (await http.get(page)).text
            process.send_signal(signal.SIGINT)
        assert process.returncode == 0


async def test_a_port_that_is_taken_is_one_line_and_1(tmp_path: Path) -> None:
    with trio.fail_after(30):
        (taken,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with taken:
            port = str(taken.socket.getsockname()[1])
            command = [*COMMAND, *FREE_PORTS, "--page-port", port, "--directory", str(tmp_path)]
            ended = await trio.run_process(command, capture_stderr=True, check=False)
    assert (ended.returncode, ended.stderr.count(b"\n"), b"in use" in ended.stderr) == (1, 1, True)


async def _run(command: list[str], *, task_status: trio.TaskStatus[trio.Process]) -> None:
    await trio.run_process(command, stdout=subprocess.PIPE, check=False, task_status=task_status)


async def _until_help(process: trio.Process) -> list[str]:
    assert process.stdout is not None
    text = b""
    while b"docs/sandbox.md" not in text:
        part = await process.stdout.receive_some()
        assert part, text
        text += part
    return text.decode().splitlines()
