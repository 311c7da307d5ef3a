"""What a newer CPython costs or saves: the same server by several interpreters in turns, each on its own database.

`python -m benchmarks.interpreters .venv/bin/python OTHER/bin/python…`: each is the python of an environment with what
`requirements.lock` names (`uv pip install --require-hashes -r requirements.lock`); the first is what the others are
compared with. How an interpreter was built matters as much as its version, so that is printed too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

import trio

from benchmarks import cycles
from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, analyze, make_network, open_postgres
from benchmarks.processes import Server, serving_ours
from benchmarks.results import Row
from benchmarks.wire import heartbeats, station_id, status

HEARTBEATS = 20_000
CYCLES, WARM_UP, ROUNDS = 3, 1, 3
STATIONS = cycles.CHARGERS
ABOUT = """
import platform, sysconfig
options = sysconfig.get_config_var("CONFIG_ARGS") or ""
print(platform.python_version() + (", optimised" if "--enable-optimizations" in options else ", not optimised"))
"""


async def main(pythons: Sequence[str]) -> None:
    names = dict(zip(pythons, map(_about, pythons), strict=True))
    async with open_postgres(stations=1, charging=0) as postgres:
        urls = {
            python: await make_network(
                postgres, STATIONS, STATIONS // 10, cards=cycles.CHARGERS, kind=f"_python_{number}"
            )
            for number, python in enumerate(pythons)
        }
        rows = await trio.to_thread.run_sync(_compare, postgres, urls)
    for row in rows:
        first = row.figures[pythons[0]]
        for python, name in names.items():
            print(f"{row.name}, {name}: {row.figures[python]:,.1f} {row.unit} ({row.figures[python] / first:.2f})")


def _compare(postgres: Postgres, urls: dict[str, str]) -> list[Row]:
    heartbeat: dict[str, list[float]] = {python: [] for python in urls}
    charge: dict[str, list[float]] = {python: [] for python in urls}
    with ExitStack() as stack:
        servers = {
            python: stack.enter_context(serving_ours(url, python=python, **cycles.NONE_FALLS_SILENT))
            for python, url in urls.items()
        }
        for server in servers.values():
            cycles.measure([server], postgres, WARM_UP)
        for url in urls.values():
            analyze(url)
        for _ in range(ROUNDS):
            for python, server in servers.items():
                heartbeat[python].append(_heartbeat_us(server))
                charge[python].append(cycles.measure([server], postgres, CYCLES).server_us)
    return [
        Row("a Heartbeat, server's CPU", "µs", {python: median(each) for python, each in heartbeat.items()}),
        Row("a message of a whole charge, server's CPU", "µs", {of: median(each) for of, each in charge.items()}),
    ]


def _heartbeat_us(server: Server) -> float:
    with Fleet() as fleet:
        fleet.connect([station_id(number) for number in range(cycles.CHARGERS)], server.port)
        fleet.drive(status("Available"), upgrading=True)
        fleet.listen(quiet_s=1.0)
        cpu_s = server.cpu_s()
        fleet.drive(heartbeats(HEARTBEATS))
        return (server.cpu_s() - cpu_s) * 1e6 / HEARTBEATS


def _about(python: str) -> str:
    return subprocess.run([python, "-c", ABOUT], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
