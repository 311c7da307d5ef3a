"""What befalls the running server."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import trio

from evpower.db.embedded import serving
from tests.crash.pair import Pair
from tests.crash.proxy import Proxy
from tests.e2e.process import Server
from tests.worlds.redis_server import RedisServer

#: Longer than a lease and than most waits, shorter than a person's patience.
FROZEN_S = (5.0, 40.0)
AWAY_S = (1.0, 15.0)
STEPS = ("+1d", "-1d", "+2h", "-10m")
FILL_CHUNK = 1 << 20


@dataclass
class Scene:
    """What can be hit."""

    server: Server
    redis: RedisServer
    proxy: Proxy
    dice: random.Random
    #: The file system on which everything is; None: it cannot be filled.
    disk: Path | None
    #: The file in which the server's wall clock is set; None: it cannot be stepped.
    clock: Path | None
    #: The servers of the database; None: it is the private one.
    pair: Pair | None

    @property
    def pid(self) -> int | None:
        run = self.server.run
        return None if run is None else run.process.pid

    def postmaster(self) -> int | None:
        """The process of the private PostgreSQL."""
        try:
            text = (self.server.state_dir / "postgres" / "postmaster.pid").read_text()
        except OSError:
            return None
        return int(text.splitlines()[0])

    def database(self) -> psycopg.Connection[tuple[object, ...]] | None:
        """A look from outside; None while there is no PostgreSQL."""
        places = serving(self.server.state_dir / "postgres") if self.pair is None else [self.pair.url]
        for conninfo in places:
            with suppress(psycopg.Error):
                return psycopg.connect(conninfo, autocommit=True, connect_timeout=3)
        return None

    async def wait(self, span_s: tuple[float, float]) -> None:
        await trio.sleep(self.dice.uniform(*span_s))


def send(pid: int | None, number: int) -> None:
    """A signal, if anything is there."""
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def killed(scene: Scene) -> None:
    send(scene.pid, signal.SIGKILL)
    await trio.lowlevel.checkpoint()


async def killed_while_it_starts(scene: Scene) -> None:
    send(scene.pid, signal.SIGKILL)
    for _ in range(3):
        await scene.wait((0.3, 4.0))
        send(scene.pid, signal.SIGKILL)


async def asked_to_stop(scene: Scene) -> None:
    send(scene.pid, signal.SIGTERM)
    await trio.lowlevel.checkpoint()


async def stands_still(scene: Scene) -> None:
    pid = scene.pid
    send(pid, signal.SIGSTOP)
    await scene.wait(FROZEN_S)
    send(pid, signal.SIGCONT)


async def postgres_killed(scene: Scene) -> None:
    send(scene.postmaster(), signal.SIGKILL)
    await trio.lowlevel.checkpoint()


async def postgres_stands_still(scene: Scene) -> None:
    pid = scene.postmaster()
    backends = children(pid)
    for each in backends:
        send(each, signal.SIGSTOP)
    await scene.wait(AWAY_S)
    for each in backends:
        send(each, signal.SIGCONT)


async def backend_killed(scene: Scene) -> None:
    """One, by the kernel: PostgreSQL then restarts all of them."""
    backends = children(scene.postmaster())
    if backends:
        send(scene.dice.choice(backends), signal.SIGKILL)
    await trio.lowlevel.checkpoint()


async def connections_ended(scene: Scene) -> None:
    if (database := scene.database()) is not None:
        with database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
    await trio.lowlevel.checkpoint()


async def redis_killed(scene: Scene) -> None:
    scene.redis.kill()
    await scene.wait(AWAY_S)
    scene.redis.start()


async def redis_hangs(scene: Scene) -> None:
    """Killed before or meanwhile, it does not hang."""
    if scene.redis.runs:
        scene.redis.freeze()
    await scene.wait(AWAY_S)
    if scene.redis.runs:
        scene.redis.thaw()


async def lines_cut(scene: Scene) -> None:
    for _ in range(scene.dice.randint(1, 5)):
        scene.proxy.cut()
        await scene.wait((0.1, 2.0))


async def net_swallows(scene: Scene) -> None:
    scene.proxy.swallow()
    await scene.wait(AWAY_S)
    if scene.dice.random() < 0.5:
        scene.proxy.cut()
    scene.proxy.mend()


async def disk_full(scene: Scene) -> None:
    if scene.disk is None:
        return
    filler = scene.disk / "filler"
    with filler.open("wb") as file, suppress(OSError):
        while True:
            file.write(bytes(FILL_CHUNK))
            file.flush()
    await scene.wait(AWAY_S)
    filler.unlink()


async def clock_steps(scene: Scene) -> None:
    if scene.clock is None:
        return
    scene.clock.write_text(scene.dice.choice(STEPS))
    await scene.wait(AWAY_S)
    scene.clock.write_text("+0")


async def primary_lost(scene: Scene) -> None:
    """The machine of the first is gone; somebody promotes the standby, and brings another one later."""
    if scene.pair is None:
        return
    await scene.pair.followed()
    scene.pair.lose_first()
    await scene.wait(AWAY_S)
    await trio.to_thread.run_sync(scene.pair.promote)
    await scene.wait(AWAY_S)
    await scene.pair.comes_back()


def children(pid: int | None) -> list[int]:
    """The processes that PostgreSQL has for connections and itself."""
    if pid is None:
        return []
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


Disaster = Callable[[Scene], Awaitable[None]]
DISASTERS: Mapping[str, Disaster] = {
    each.__name__: each
    for each in (
        killed,
        killed_while_it_starts,
        asked_to_stop,
        stands_still,
        postgres_killed,
        postgres_stands_still,
        backend_killed,
        connections_ended,
        redis_killed,
        redis_hangs,
        lines_cut,
        net_swallows,
        disk_full,
        clock_steps,
    )
}
#: With servers of its own the database can be lost whole; what hits the private one has nothing to hit.
OF_A_PAIR: Mapping[str, Disaster] = {
    each.__name__: each for each in (primary_lost, killed, asked_to_stop, stands_still, connections_ended, lines_cut)
}
