"""What systemd sees of a unit with `Type=notify` and `NotifyAccess=main`: notifications, and who sent each."""

from __future__ import annotations

import signal
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import trio

from tests.e2e.process import Server, poll

#: pid, uid and gid of who sent, as the kernel says (unix(7)).
CREDENTIALS = struct.Struct("3i")
WATCHDOG_S = 1.0
#: A loaded machine delays a ping; one that is later than the patience itself is a restart.
LATE_S = WATCHDOG_S
PINGS = 4
WITHIN_S = 30.0


@dataclass
class ServiceManager:
    """Where a server's notifications arrive."""

    address: str
    #: As they came: when, by which process, what.
    heard: list[tuple[float, int, str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What systemd adds to a unit's."""
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1_000_000))}

    def times(self, state: str) -> list[float]:
        """When it was said."""
        return [at for at, _, said in self.heard if said == state]

    async def _has(self, state: str, count: int) -> bool:
        return len(self.times(state)) >= count

    async def wait_for(self, state: str, count: int = 1) -> None:
        """Returns once it was said so often."""
        with trio.fail_after(WITHIN_S):
            await poll(lambda: self._has(state, count))


@asynccontextmanager
async def service_manager(folder: Path) -> AsyncIterator[ServiceManager]:
    """Listens at a socket that any user may write to."""
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager = ServiceManager(str(folder / "notify"))
        await line.bind(manager.address)
        await trio.Path(manager.address).chmod(0o777)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, line, manager)
            yield manager
            nursery.cancel_scope.cancel()


async def _listen(line: trio.socket.SocketType, manager: ServiceManager) -> None:
    while True:
        said, ancillary, _, _ = await line.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        ((_, _, sender),) = ancillary
        manager.heard.append((trio.current_time(), CREDENTIALS.unpack(sender)[0], said.decode()))


async def check_notifications(
    server: Server, folder: Path, meanwhile: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Start, reload and stop a server as the unit does; every notification is as systemd needs it."""
    async with service_manager(folder) as manager:
        server.environment |= manager.environment
        await server.start()
        main_pid = server.process.process.pid
        await manager.wait_for("READY=1")
        await manager.wait_for("WATCHDOG=1", PINGS)
        if meanwhile is not None:
            await meanwhile()
        server.signal(signal.SIGHUP)
        await server.process.wait_for_line("received SIGHUP")
        await manager.wait_for("WATCHDOG=1", len(manager.times("WATCHDOG=1")) + PINGS)
        assert manager.times("STOPPING=1") == []
        await server.stop()
        await manager.wait_for("STOPPING=1")
        assert len(manager.times("READY=1")) == 1
        assert {sender for _, sender, _ in manager.heard} == {main_pid}, (main_pid, manager.heard)
        pings = manager.times("WATCHDOG=1")
        apart = [later - earlier for earlier, later in pairwise(pings)]
        assert max(apart) < WATCHDOG_S / 2 + LATE_S, apart
