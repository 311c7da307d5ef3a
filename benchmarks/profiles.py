"""Where our server's CPU time goes while it does one kind of work.

`python -m benchmarks.profiles charge [FILE]` (or another of `WORK`) prints the share of CPU time of each layer and
function, by the innermost of a sample, and of our functions with all that they call; FILE gets the stacks, for a flame
graph. Where `EVPOWER_BENCH_DATABASE_URL` names a server that has `pg_stat_statements` loaded, what PostgreSQL spent on
which statement follows.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import trio

from benchmarks import cycles, rest
from benchmarks.boot_storm import storm
from benchmarks.chargers import Fleet, NextCall
from benchmarks.database import Postgres, analyze, make_network, open_postgres
from benchmarks.http_client import KeptAlive
from benchmarks.network import LIST
from benchmarks.processes import Server, serving_ours
from benchmarks.sampler import BEGIN, WRITE
from benchmarks.wire import MESSAGES_PER_CYCLE, heartbeats, meter_values, station_id, status

#: Where the server under measurement writes them.
SAMPLES = Path(tempfile.gettempdir()) / f"evpower-bench-samples-{os.getpid()}"
#: After which the server that was asked for them is taken for dead.
WRITTEN_WITHIN_S = 60.0
CHARGERS = cycles.CHARGERS
CYCLES = 10
MESSAGES = 60_000
STORM = 2_000
GETS = 400
STARTS = CHARGERS * 3 // 4
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
    """Do the work unwatched once, then under the profiler."""
    os.environ["EVPOWER_BENCH_SAMPLES"] = str(SAMPLES)
    async with open_postgres(stations=CHARGERS + STORM, charging=CHARGERS) as postgres:
        locations = 1 if kind.endswith("large") else cycles.STATIONS // 10
        network = await make_network(postgres, cycles.STATIONS, locations, cards=CHARGERS)
        url = network if kind.startswith("charge") or kind in ("list", "start") else postgres.ours
        messages, stacks = await trio.to_thread.run_sync(WORK[kind], postgres, url)
    _print(kind, messages, stacks)
    if keep_in:
        await trio.Path(keep_in).write_text("".join(f"{stack} {times}\n" for stack, times in stacks.items()))


def _charges(postgres: Postgres, url: str) -> tuple[int, Counter[str]]:
    with serving_ours(url, **cycles.NONE_FALLS_SILENT) as server:
        cycles.measure([server], postgres, cycles.WARM_UP)
        analyze(url)
        cycles.measure([server], postgres, cycles.WARM_UP)
        with _statements(postgres, CYCLES * CHARGERS * MESSAGES_PER_CYCLE), _sampled(server) as stacks:
            cycles.measure([server], postgres, CYCLES)
    return CYCLES * CHARGERS * MESSAGES_PER_CYCLE, stacks


def _messages(calls: Callable[[int], NextCall]) -> Callable[[Postgres, str], tuple[int, Counter[str]]]:
    def work(postgres: Postgres, url: str) -> tuple[int, Counter[str]]:
        with serving_ours(url) as server, Fleet() as fleet:
            fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
            fleet.drive(status("Charging"), upgrading=True)
            fleet.listen(quiet_s=1.0)
            fleet.drive(calls(MESSAGES // 10))
            analyze(url)
            with _statements(postgres, MESSAGES), _sampled(server) as stacks:
                fleet.drive(calls(MESSAGES))
        return MESSAGES, stacks

    return work


def _storm(postgres: Postgres, url: str) -> tuple[int, Counter[str]]:
    analyze(url)
    with serving_ours(url) as server, _statements(postgres, STORM), _sampled(server) as stacks:
        storm(server, CHARGERS, STORM)
    return STORM, stacks


def _list(postgres: Postgres, url: str) -> tuple[int, Counter[str]]:
    with ExitStack() as stack:
        settings = {"HTTP_RATE_LIMIT_EXEMPT": "127.0.0.1", "REDIS_URL": stack.enter_context(rest.running_redis()) or ""}
        server = stack.enter_context(serving_ours(url, **settings, **cycles.NONE_FALLS_SILENT))
        phone = stack.enter_context(KeptAlive(server.http_port))
        for _ in range(5):
            phone.get(LIST)
        with _sampled(server) as stacks:
            for _ in range(GETS):
                phone.get(LIST)
    return GETS, stacks


def _starts(postgres: Postgres, url: str) -> tuple[int, Counter[str]]:
    settings = {"HTTP_RATE_LIMIT_EXEMPT": "127.0.0.1", **cycles.NONE_FALLS_SILENT}
    with serving_ours(url, **settings) as server, rest.booted(server, range(CHARGERS)) as fleet:
        rest.start(server, fleet, range(CHARGERS // 4))
        with _statements(postgres, STARTS), _sampled(server) as stacks:
            rest.start(server, fleet, range(CHARGERS - STARTS, CHARGERS))
    return STARTS, stacks


WORK: dict[str, Callable[[Postgres, str], tuple[int, Counter[str]]]] = {
    "heartbeat": _messages(heartbeats),
    "reading": _messages(lambda messages: meter_values(messages, CHARGERS)),
    "charge": _charges,
    "charge-large": _charges,
    "storm": _storm,
    "list": _list,
    "start": _starts,
}


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
