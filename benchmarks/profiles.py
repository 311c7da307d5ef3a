"""Where our server's CPU time goes while it does one kind of work.

`python -m benchmarks.profiles charge [FILE]` (or another of `watched.WORK`) prints the share of CPU time of each layer
and function, by the innermost of a sample, and of our functions with all that they call; FILE gets the stacks, for a
flame graph. Where `EVPOWER_BENCH_DATABASE_URL` names a server that has `pg_stat_statements` loaded, what PostgreSQL
spent on which statement follows.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import trio

from benchmarks.database import Postgres, open_postgres
from benchmarks.processes import Server
from benchmarks.sampler import BEGIN, WRITE
from benchmarks.watched import STATIONS, WORK

#: Where the server under measurement writes them.
SAMPLES = Path(tempfile.gettempdir()) / f"evpower-bench-samples-{os.getpid()}"
#: After which the server that was asked for them is taken for dead.
WRITTEN_WITHIN_S = 60.0
SHOWN, STATEMENTS_SHOWN = 45, 40
#: A share below is not shown.
LEAST = 0.01
#: A sample belongs to the layer of the innermost function whose file matches one of these.
LAYERS = (
    ("trio", r"\(trio/|\(outcome/|\(sortedcontainers/"),
    ("psycopg and what drives it", r"\(psycopg|\(evpower/db/"),
    ("lines of the log", r"\(logging/|\(evpower/server/log"),
    ("WebSocket and frames", r"\(evpower/ocpp/(wire|door)/|\(websockets/|\(wsproto/"),
    ("kept frames", r"\(evpower/ocpp/watch/"),
    ("OCPP", r"\(evpower/ocpp/"),
    ("HTTP", r"\((hypercorn|quart|quart_trio|werkzeug|h11|flask)/|\(evpower/http/"),
    ("Redis", r"\(redis/"),
    ("reports and journal", r"\(evpower/(reports|metering)/"),
    ("charging and billing", r"\(evpower/(charging|billing|tags|history)/"),
    ("feed and lists", r"\(evpower/network/"),
    ("the rest of ours", r"\(evpower/"),
)
FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+?)(:\d+)?\)$")
STATEMENTS = """
SELECT calls, (total_exec_time + total_plan_time) * 1000 AS us, total_plan_time * 1000 AS plan_us, plans,
       regexp_replace(query, E'\\\\s+', ' ', 'g') AS query
FROM pg_stat_statements ORDER BY us DESC LIMIT %s
"""


async def main(kind: str, keep_in: str = "") -> None:
    """Do the work, watched where it says so, and print what was seen."""
    os.environ["EVPOWER_BENCH_SAMPLES"] = str(SAMPLES)
    work = WORK[kind]
    async with open_postgres(stations=STATIONS, charging=work.charging) as postgres:
        url = await work.database(postgres)
        watch = _Watch(postgres)
        await trio.to_thread.run_sync(work.do, watch, postgres, url)
    _print(kind, watch.times, watch.stacks)
    if keep_in:
        await trio.Path(keep_in).write_text("".join(f"{stack} {times}\n" for stack, times in watch.stacks.items()))


class _Watch:
    """What the watched server did so many times, and every stack (`outermost;…;innermost`) that it was seen in."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self.times = 0
        self.stacks: Counter[str] = Counter()

    @contextmanager
    def __call__(self, server: Server, times: int) -> Iterator[None]:
        self.times = times
        with _statements(self._postgres, times), _sampled(server) as self.stacks:
            yield


@contextmanager
def _sampled(server: Server) -> Iterator[Counter[str]]:
    """Every stack (`outermost;…;innermost`) that the server was seen in, when the block has ended."""
    stacks: Counter[str] = Counter()
    os.kill(server.pid, BEGIN)
    yield stacks
    SAMPLES.unlink(missing_ok=True)
    os.kill(server.pid, WRITE)
    until = time.monotonic() + WRITTEN_WITHIN_S
    while not SAMPLES.exists():
        assert time.monotonic() < until, "the server wrote no samples"
        time.sleep(0.1)
    for line in SAMPLES.read_text().splitlines():
        stack, _, times = line.rpartition(" ")
        stacks[stack] += int(times)


@contextmanager
def _statements(postgres: Postgres, messages: int) -> Iterator[None]:
    """Print what PostgreSQL spends on each statement in the block, where it counts them."""
    with psycopg.connect(postgres.conninfo, autocommit=True) as server:
        loaded = server.execute("SHOW shared_preload_libraries").fetchone()
        if loaded is None or "pg_stat_statements" not in loaded[0]:
            yield
            return
        server.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        server.execute("SELECT pg_stat_statements_reset()")
        yield
        rows = server.execute(STATEMENTS, (STATEMENTS_SHOWN,)).fetchall()
    print(f"\n{'µs a message':>12} {'planning':>9} {'calls':>7} {'plans':>7}  of {messages:,}")
    for calls, spent_us, plan_us, plans, query in rows:
        times = f"{spent_us / messages:12.1f} {plan_us / messages:9.1f} {calls / messages:7.3f} {plans / messages:7.3f}"
        print(f"{times}  {query[:150]}")


def _print(kind: str, messages: int, stacks: Counter[str]) -> None:
    total = sum(stacks.values())
    layers: Counter[str] = Counter()
    itself: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for stack, times in stacks.items():
        frames = stack.split(";")
        layers[_layer(frames)] += times
        itself[_without_line(frames[-1])] += times
        for name in {name for frame in frames if (name := _ours(frame))}:
            functions[name] += times
    print(f"\n{kind}: {total:,} samples over {messages:,}\n\n| layer, itself | share |\n|---|---:|")
    _lines(layers, total, len(layers))
    print("\n| function, itself | share |\n|---|---:|")
    _lines(itself, total, SHOWN)
    print("\n| function, with what it calls | share |\n|---|---:|")
    _lines(functions, total, SHOWN)


def _lines(counted: Counter[str], total: int, most: int) -> None:
    for name, times in counted.most_common(most):
        if times / total >= LEAST:
            print(f"| {name} | {100 * times / total:.1f} % |")


def _layer(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        for name, file in LAYERS:
            if re.search(file, frame):
                return name
    return "Python's own"


def _without_line(frame: str) -> str:
    return re.sub(r":\d+\)$", ")", frame)


def _ours(frame: str) -> str | None:
    """The function as it is called in our files; None for another's."""
    found = FRAME.match(frame)
    if found is None or not found["file"].startswith("evpower/"):
        return None
    return f"{found['file'].removeprefix('evpower/')} {found['function']}"


if __name__ == "__main__":
    trio.run(main, sys.argv[1], "".join(sys.argv[2:3]))
