"""`make bench`: all benchmarks, about ten minutes; prints tables and writes nothing."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

import trio

from benchmarks import cycles, filters, history, network, settlements, stranger, table, telling, transport
from benchmarks.boot_storm import Storm, storm
from benchmarks.chargers import Fleet
from benchmarks.database import Postgres, count_rows, open_postgres
from benchmarks.meter_values import Figures, measure, medians
from benchmarks.processes import Server, serving
from benchmarks.wire import station_id, status

CHARGERS = 200
MESSAGES = 15_000
WARM_UP = 2_000
ROUNDS = 3
STORM = 2_000
#: Ours may cost this share of the baseline's CPU; ADR 0006 says where the gain comes from.
EXPECTED_RATIO = 0.2


async def main() -> None:
    async with open_postgres(stations=CHARGERS + STORM, charging=CHARGERS) as postgres:
        await trio.to_thread.run_sync(_compare, postgres)
        await network.compare(postgres)
        await cycles.compare(postgres)
        await trio.to_thread.run_sync(stranger.compare, postgres)
    await telling.main()
    await settlements.main()
    await history.main()
    filters.compare()
    await trio.to_thread.run_sync(transport.compare)


def _compare(postgres: Postgres) -> None:
    with ExitStack() as stack:
        servers = _start(stack, postgres)
        storms = {name: storm(server, CHARGERS, STORM) for name, server in servers.items()}
        fleets = {name: _connected(stack, server) for name, server in servers.items()}
        rounds: dict[str, list[Figures]] = {name: [] for name in servers}
        for name, server in servers.items():
            measure(server, postgres, fleets[name], WARM_UP)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(measure(server, postgres, fleets[name], MESSAGES))
        stored = WARM_UP + ROUNDS * MESSAGES
        assert count_rows(postgres.ours, "evpower.ocpp_meter_values") == stored
        assert count_rows(postgres.peer, "meter_values") == stored
    _print_meter_values(medians(rounds["ours"]), medians(rounds["asyncio"]))
    _print_storms(storms["ours"], storms["asyncio"])


def _start(stack: ExitStack, postgres: Postgres) -> dict[str, Server]:
    state = stack.enter_context(tempfile.TemporaryDirectory(prefix="evpower-bench-"))
    ours = {
        "EVPOWER_DATABASE_URL": postgres.ours,
        "EVPOWER_STATE_DIR": state,
        "EVPOWER_HTTP_BIND": "127.0.0.1:0",
        "EVPOWER_OPERATOR_BIND": "",
        "EVPOWER_OCPP_BIND": "127.0.0.1:0",
    }
    return {
        "ours": stack.enter_context(serving("benchmarks.ours", environ=ours)),
        "asyncio": stack.enter_context(serving("benchmarks.peer_asyncio", postgres.peer)),
    }


def _connected(stack: ExitStack, server: Server) -> Fleet:
    fleet = stack.enter_context(Fleet())
    fleet.connect([station_id(number) for number in range(CHARGERS)], server.port)
    fleet.drive(status("Charging"), upgrading=True)
    fleet.listen(quiet_s=1.0)
    return fleet


def _print_meter_values(ours: Figures, peer: Figures) -> None:
    table.head(
        f"Persisted MeterValues, {CHARGERS} chargers with one on its way each, medians of {ROUNDS} x {MESSAGES:,}",
        "asyncio",
    )
    table.line("server CPU, us per message", ours.server_us, peer.server_us, ".1f")
    if peer.postgres_us:
        table.line("PostgreSQL CPU, us per message", ours.postgres_us, peer.postgres_us, ".1f")
    table.line("messages per second", ours.per_second, peer.per_second, ",.0f")
    table.line("latency p50, ms", ours.p50_ms, peer.p50_ms, ".1f")
    table.line("latency p99, ms", ours.p99_ms, peer.p99_ms, ".1f")
    table.verdict("CPU per message, ours / asyncio", ours.server_us / peer.server_us, at_most=EXPECTED_RATIO)


def _print_storms(ours: Storm, peer: Storm) -> None:
    table.head(f"Boot storm: {STORM:,} chargers connect, boot and say their status at once", "asyncio")
    table.line("seconds until all are accepted", ours.seconds, peer.seconds, ".2f")
    table.line("latency p50, ms", ours.p50_ms, peer.p50_ms, ".0f")
    table.line("latency p99, ms", ours.p99_ms, peer.p99_ms, ".0f")
    table.line("server CPU, s", ours.cpu_s, peer.cpu_s, ".2f")
    table.line("KiB per idle charger afterwards", ours.kib_per_idle_charger, peer.kib_per_idle_charger, ".1f")


if __name__ == "__main__":
    trio.run(main)
