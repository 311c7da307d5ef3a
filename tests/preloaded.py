"""A process that has imported EvPower, and forks: `evpower serve` in tests without two seconds of imports a start.

The suite starts some hundred servers, and imports were most of what a start costs. What is forked has imported, and
nothing else: no thread, no loop, no open file. It gets the environment and the output of the one who asked, and runs
`evpower` from its beginning. The crash run, the benchmarks, the demo and what is handed out start as users start them.

A process waits from the beginning of a test run, imports at the first request, and ends with the run.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp

import pytest
import trio

#: Where the one of this run of tests listens.
ADDRESS = "TESTS_PRELOADED"
IMPORTS = ("evpower.cli", "evpower.command_line.running", "evpower.server.supervisor")
PARENT = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    os.environ[ADDRESS] = address = str(Path(mkdtemp(prefix="evpower-tests-")) / "preloaded")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    config.stash[PARENT] = subprocess.Popen(
        [sys.executable, "-m", "tests.preloaded", address], stdin=subprocess.PIPE, env=environment, cwd=config.rootpath
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """It ends when its standard input does, and so also when a run of tests is killed."""
    config.stash[PARENT].communicate()
    path = Path(os.environ.pop(ADDRESS))
    path.unlink(missing_ok=True)
    path.parent.rmdir()


class ForkedProcess:
    """What trio.Process is of a command, as far as tests need it."""

    def __init__(self, connection: trio.SocketStream, pid: int, stdout: trio.lowlevel.FdStream) -> None:
        self._connection = connection
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, without waiting for the end."""
        self.send_signal(signal.SIGKILL)
        self._connection.socket.close()

    async def wait(self) -> int:
        """The exit code; the negative of the signal that ended it."""
        if self.returncode is None:
            self.returncode = json.loads(await _line(self._connection))
            await self._connection.aclose()
        return self.returncode


async def fork(arguments: Sequence[str], environment: Mapping[str, str]) -> ForkedProcess:
    """Run `evpower ARGUMENTS` with no other environment than this; both outputs are its `stdout`."""
    ours, its = os.pipe()
    with socket.socket(socket.AF_UNIX) as connection:
        while True:
            try:
                connection.connect(os.environ[ADDRESS])
                break
            except (FileNotFoundError, ConnectionRefusedError):  # it has only just been started
                await trio.sleep(0.02)
        socket.send_fds(connection, [json.dumps([list(arguments), dict(environment)]).encode() + b"\n"], [its])
        os.close(its)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(connection.dup()))
    return ForkedProcess(stream, json.loads(await _line(stream)), trio.lowlevel.FdStream(ours))


async def _line(stream: trio.SocketStream) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        received = await stream.receive_some(1)
        assert received, "the preloaded process has ended"
        line += received
    return line


class Parent:
    """The one that forks; a connection to it is a process of its own."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._asked: dict[int, socket.socket] = {}
        self._woken, waker = socket.socketpair()
        waker.setblocking(False)
        self._waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno())

    def fork_for_ever(self) -> list[str] | None:
        """The arguments, in each child; None in the parent, once its standard input has ended."""
        while True:
            ready, _, _ = select.select([self._listener, self._woken, sys.stdin], [], [])
            if self._woken in ready:
                self._woken.recv(1024)
                self._reap()
            if self._listener in ready and (arguments := self._fork()) is not None:
                return arguments
            if sys.stdin in ready:
                return None

    def _fork(self) -> list[str] | None:
        connection, _ = self._listener.accept()
        request, [output], *_ = socket.recv_fds(connection, 1 << 16, 1)
        while not request.endswith(b"\n"):
            request += connection.recv(1 << 16)
        for name in IMPORTS:
            import_module(name)
        gc.freeze()  # no child needs to look at what was imported
        if pid := os.fork():
            os.close(output)
            self._asked[pid] = connection
            connection.sendall(b"%d\n" % pid)
            return None
        arguments, environment = json.loads(request)
        self._become(connection, output, environment)
        return list(arguments)

    def _become(self, connection: socket.socket, output: int, environment: dict[str, str]) -> None:
        """A child, with nothing of its parent's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._listener, self._woken, self._waker, connection, *self._asked.values()):
            each.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(nothing)
        os.close(output)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                with self._asked.pop(pid) as connection, suppress(BrokenPipeError):
                    connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def main() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        arguments = Parent(listener).fork_for_ever()
    if arguments is not None:
        sys.argv[:] = ["evpower", *arguments]
        runpy.run_module("evpower", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
