"""What systemd hears."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from evpower.server.notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        yield line


def heard(line: socket.socket) -> list[bytes]:
    words = []
    while True:
        try:
            words.append(line.recv(100))
        except BlockingIOError:
            return words


def test_ready_and_stopping_are_told(systemd: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.ready()
    notifier.stopping()
    assert heard(systemd) == [b"READY=1", b"STOPPING=1"]


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        name = f"evpower-test-{os.getpid()}"
        line.bind(f"\0{name}")
        line.setblocking(False)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(line) == [b"READY=1"]


async def test_the_watchdog_is_pinged_twice_in_its_time(
    systemd: socket.socket, autojump_clock: trio.testing.MockClock
) -> None:
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"}
    with trio.move_on_after(31):
        await Notifier(environ).keep_watchdog()
    assert heard(systemd) == [b"WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "²"}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}],
    ids=["no watchdog", "zero", "no number", "another process"],
)
async def test_no_ping_is_sent_that_nobody_waits_for(systemd: socket.socket, environ: dict[str, str]) -> None:
    await Notifier({"NOTIFY_SOCKET": systemd.getsockname(), **environ}).keep_watchdog()
    assert heard(systemd) == []


def test_without_systemd_nothing_happens() -> None:
    Notifier({}).ready()


def test_a_vanished_systemd_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert "systemd was not told READY=1" in caplog.text
