"""`evpower serve` as a real process: started, killed, started again on the same state directory and database."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import trio

from tests.preloaded import ADDRESS, ForkedProcess, fork

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 40.0
HTTP = re.compile(r"HTTP listening: (http://\S+)")
OCPP = re.compile(r"chargers: listening at ws://\S+:(\d+)")
CONTROL = "HTTP listening: unix:"  # the last door to open


class Process:
    """One run of a command: its lines as they come, and its end."""

    def __init__(self, process: trio.Process | ForkedProcess) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = trio.Event()
        self._ended = False

    async def read(self) -> None:
        """Take in standard output until it closes; a test that fails leaves no process behind."""
        assert self.process.stdout is not None
        rest = b""
        try:
            async for chunk in self.process.stdout:
                *lines, rest = (rest + chunk).split(b"\n")
                self.lines += [line.decode() for line in lines]
                self._wake()
        except trio.Cancelled:
            self.process.kill()
            raise
        self._ended = True
        self._wake()

    async def wait_for_line(self, text: str) -> str:
        """The first line with `text` in it, also one that came before; fails when the output ends without it."""
        while True:
            for line in self.lines:
                if text in line:
                    return line
            assert not self._ended, f"no {text!r} in:\n" + "\n".join(self.lines)
            await self._news.wait()

    async def wait_for_exit(self) -> int:
        """The exit code, once all output was read."""
        while not self._ended:
            await self._news.wait()
        return await self.process.wait()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()


#: What `evpower` is in the checkout.
OURS = (sys.executable, "-m", "evpower")


async def start(
    nursery: trio.Nursery,
    *arguments: str,
    environment: Mapping[str, str],
    command: Sequence[str] = OURS,
    **options: Any,
) -> Process:
    """Run `command ARGUMENTS`, `options` as of Popen; nothing of our own environment's settings reaches it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EVPOWER_")}
    whole = {**inherited, "PYTHONUNBUFFERED": "1", **environment}
    process: trio.Process | ForkedProcess
    if ADDRESS in os.environ and command is OURS and arguments[0] == "serve" and not options:
        process = await fork(arguments, whole)
    else:
        process = await trio.lowlevel.open_process(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=whole,
            **options,
        )
    started = Process(process)
    nursery.start_soon(started.read)
    return started


class Server:
    """The server under test. Its ports change with each start; `dial` always finds the living one."""

    def __init__(self, nursery: trio.Nursery, state_dir: Path, **settings: object) -> None:
        self._nursery = nursery
        self.state_dir = state_dir
        self.log_file = state_dir / "evpower.log"
        self.control_socket = state_dir / "evpower.sock"
        self.environment = {
            "EVPOWER_STATE_DIR": str(state_dir),
            "EVPOWER_HTTP_BIND": "127.0.0.1:0",
            "EVPOWER_OPERATOR_BIND": "",
            "EVPOWER_OCPP_BIND": "127.0.0.1:0",
            "EVPOWER_LOG_FILE": str(self.log_file),
            **{f"EVPOWER_{name.upper()}": str(value) for name, value in settings.items()},
        }
        #: What is run, and as of Popen how.
        self.command: Sequence[str] = OURS
        self.options: dict[str, Any] = {}
        self.run: Process | None = None
        self.http_url = ""
        self._ocpp_port: int | None = None

    @property
    def process(self) -> Process:
        assert self.run is not None, "the server is not running"
        return self.run

    async def start(self) -> None:
        """Start, and wait until every door is open."""
        assert self.run is None
        self.run = await start(
            self._nursery, "serve", environment=self.environment, command=self.command, **self.options
        )
        with trio.fail_after(READY_WITHIN_S):
            await self.run.wait_for_line(CONTROL)
        self.http_url = self._found(HTTP)
        self._ocpp_port = int(self._found(OCPP))

    async def stop(self) -> None:
        """SIGTERM; the drain must end well."""
        self.signal(signal.SIGTERM)
        assert await self.ended() == 0

    async def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    def signal(self, number: int) -> None:
        """Send a signal and return at once."""
        self.process.process.send_signal(number)

    async def ended(self) -> int:
        """The exit code of the present run, once it is over."""
        with trio.fail_after(STOPPED_WITHIN_S):
            code = await self.process.wait_for_exit()
        self.run, self._ocpp_port = None, None
        return code

    async def dial(self, url: str) -> trio.abc.Stream:
        """A byte stream to the chargers' port, whatever port the URL names; OSError while there is no server."""
        del url
        if self._ocpp_port is None:
            raise ConnectionRefusedError("the server is not running")
        return await trio.open_tcp_stream("127.0.0.1", self._ocpp_port)

    @property
    def ocpp_address(self) -> str:
        """Where chargers connect, `host:port`."""
        return f"127.0.0.1:{self._ocpp_port}"

    async def control(self, method: str, path: str, **request: Any) -> Any:
        """An operator's request over the control socket; its data."""
        transport = httpx2.AsyncHTTPTransport(uds=str(self.control_socket), verify=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://evpower", timeout=30) as client:
            answer = (await client.request(method, f"/control/{path}", **request)).json()
        assert answer["success"], answer
        return answer["data"]

    async def import_fleet(self, text: str) -> None:
        """As `evpower import` does."""
        await self.control("POST", "import", content=text.encode())

    async def check_ledger(self) -> None:
        """As `evpower ledger check` does; fails when anything is wrong."""
        checked = await self.control("GET", "ledger")
        assert checked["ok"], checked

    def log(self) -> str:
        """Every line of every run so far."""
        return self.log_file.read_text(encoding="utf-8")

    def _found(self, pattern: re.Pattern[str]) -> str:
        found = (pattern.search(line) for line in self.process.lines)
        return next(match[1] for match in found if match)


async def poll(condition: Callable[[], Awaitable[Any]], every_s: float = 0.03) -> Any:
    """The first true value of an async condition; the caller sets the time-out."""
    while True:
        if value := await condition():
            return value
        await trio.sleep(every_s)
