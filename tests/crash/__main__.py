"""`make crash MINUTES=20 SEED=7`: rounds of load, two disasters at a time, rest, audit."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import trio

from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings
from tests.crash.audit import audit, until_quiet
from tests.crash.disasters import DISASTERS, OF_A_PAIR, Scene
from tests.crash.pair import Pair
from tests.crash.proxy import Proxy
from tests.crash.street import Place, fleet
from tests.e2e.process import Server
from tests.ports import free_port
from tests.worlds.redis_server import RedisServer

PLACES = 6
DISK = "900m"
LOAD_S = (8.0, 25.0)
#: systemd waits as long before it starts a process again.
RESTART_AFTER_S = 1.0
#: Debian's libfaketime, for a wall clock that steps; the monotonic one goes on.
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def main() -> int:
    """Exit code 1 when an audit found something."""
    parser = argparse.ArgumentParser(prog="make crash")
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--disasters", help="only these, by commas")
    parser.add_argument("--standby", action="store_true", help="PostgreSQL with a synchronous standby; it loses one")
    options = parser.parse_args()
    possible = OF_A_PAIR if options.standby else DISASTERS
    wanted = options.disasters.split(",") if options.disasters else list(possible)
    with (
        TemporaryDirectory(prefix="evpower-crash-") as directory,
        _disk(Path(directory)) as disk,
        _pair(Path(directory) / "servers") if options.standby else nullcontext() as pair,
    ):
        return trio.run(_run, Path(directory), disk, pair, options.minutes, options.seed, wanted)


@contextmanager
def _pair(directory: Path) -> Iterator[Pair]:
    pair = Pair(directory)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


@contextmanager
def _disk(directory: Path) -> Iterator[Path | None]:
    """A small file system of our own, when we may make one."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", directory], check=False, capture_output=True
    )
    try:
        yield directory if made.returncode == 0 else None
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "-l", directory], check=False)


async def _run(
    directory: Path, disk: Path | None, pair: Pair | None, minutes: float, seed: int, wanted: Sequence[str]
) -> int:
    dice, counts = random.Random(seed), Counter[str]()
    redis = RedisServer(directory)
    redis.start()
    problems: list[str] = []
    rounds, began = 0, time.monotonic()
    async with trio.open_nursery() as nursery:
        sandbox: Sandbox = await nursery.start(run_sandbox, SandboxSettings(directory=directory / "bank"))
        server, clock = _server(nursery, directory, sandbox, redis)
        if pair is not None:
            server.environment["EVPOWER_DATABASE_URL"] = pair.url
        await server.start()
        await server.import_fleet(fleet(PLACES))
        proxy = Proxy(server.dial, nursery)
        scene = Scene(server, redis, proxy, dice, disk, clock, pair)
        places = [Place(n, server, proxy, random.Random(f"{seed}/{n}"), counts) for n in range(PLACES)]
        for place in places:
            await nursery.start(place.station.run, "ws://stations/ws")
            nursery.start_soon(place.watch)
        nursery.start_soon(_keep_running, server, counts)
        while not problems and time.monotonic() < began + 60 * minutes:
            rounds += 1
            names = dice.sample(wanted, min(2, len(wanted)))
            await _round(scene, places, sandbox, names, counts)
            problems = await until_quiet(scene, places) or audit(scene, places)
            with suppress(Exception):
                await server.check_ledger()
                counts["ledger checks"] += 1
            _say(f"round {rounds} {' x '.join(names)}: {'; '.join(problems) or 'clean'}")
        if problems:
            _keep_evidence(server, places, seed)
        redis.kill()
        nursery.cancel_scope.cancel()
    _say(f"seed={seed} rounds={rounds} minutes={(time.monotonic() - began) / 60:.1f} {dict(sorted(counts.items()))}")
    return 1 if problems else 0


def _server(nursery: trio.Nursery, directory: Path, sandbox: Sandbox, redis: RedisServer) -> tuple[Server, Path | None]:
    """The real process with its own PostgreSQL; the file that sets its clock, where that can be."""
    (directory / "state").mkdir()
    port = free_port()
    server = Server(nursery, directory / "state", redis_url=redis.url, payments_webhook_per_minute=0)
    server.environment |= sandbox.environment() | {
        "EVPOWER_HTTP_BIND": f"127.0.0.1:{port}",
        "EVPOWER_PAYMENTS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "EVPOWER_ODENGI_TEST": "true",
        # A start that nothing comes of is given up, and a charge that a boot has ended is billed, within a round.
        "EVPOWER_CHARGING_START_DEADLINE_S": "30",
        "EVPOWER_CHARGING_REBOOT_GRACE_S": "20",
        "EVPOWER_HTTP_RATE_LIMIT_EXEMPT": "127.0.0.1",
    }
    if not FAKETIME.exists():
        return server, None
    clock = directory / "clock"
    clock.write_text("+0")
    server.environment |= {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return server, clock


async def _keep_running(server: Server, counts: Counter[str]) -> None:
    """As systemd does."""
    while True:
        if server.run is not None:
            code = await server.run.wait_for_exit()
            counts[f"exit {code}"] += 1
            server.run, server._ocpp_port = None, None
        await trio.sleep(RESTART_AFTER_S)
        try:
            with suppress(AssertionError):
                await server.start()
        except trio.TooSlowError:
            server.signal(signal.SIGKILL)  # as systemd does: nobody would learn where it listens


async def _round(
    scene: Scene, places: Sequence[Place], sandbox: Sandbox, names: Sequence[str], counts: Counter[str]
) -> None:
    """Load, with two disasters in it; then nobody begins anything, and everybody leaves."""
    stop = trio.Event()

    async def drive(place: Place) -> None:
        while not stop.is_set():
            if place.dice.random() < 0.2:
                await place.pay_in(sandbox)
            else:
                await place.charge()

    async def strike(name: str) -> None:
        await scene.wait(LOAD_S)
        counts[name] += 1
        await {**DISASTERS, **OF_A_PAIR}[name](scene)

    async with trio.open_nursery() as load:
        for place in places:
            load.start_soon(drive, place)
        async with trio.open_nursery() as disasters:
            for name in names:
                disasters.start_soon(strike, name)
        await scene.wait((1.0, 8.0))
        stop.set()
    for place in places:
        await place.station.unplug()


def _keep_evidence(server: Server, places: Sequence[Place], seed: int) -> None:
    """What a person needs who was not there: the log, and what each station said."""
    kept = Path(gettempdir()) / f"evpower-crash-{seed}-{os.getpid()}"
    kept.mkdir()
    shutil.copy(server.log_file, kept / "evpower.log")
    for place in places:
        lines = "".join(f"{each}\n" for each in place.station.trace)
        (kept / f"{place.station.station_id}.txt").write_text(lines)
    _say(f"evidence: {kept}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
