"""One kind of message: CPU per message, throughput, latency of one server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.chargers import Fleet, NextCall
from benchmarks.database import Postgres
from benchmarks.processes import Server


@dataclass(frozen=True)
class Figures:
    """One round, or the medians of several."""

    server_us: float
    postgres_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


def measure(server: Server, postgres: Postgres, fleet: Fleet, calls: NextCall, messages: int) -> Figures:
    """Send so many messages, each charger having one on its way, and weigh them."""
    postgres.settle()
    server_s, postgres_s, began = server.cpu_s(), postgres.cpu_s(), time.perf_counter()
    latencies = fleet.drive(calls)
    took_s = time.perf_counter() - began
    server_s, postgres_s = server.cpu_s() - server_s, postgres.cpu_s() - postgres_s
    percentiles = quantiles(latencies, n=100)
    return Figures(
        server_s * 1e6 / messages,
        postgres_s * 1e6 / messages,
        messages / took_s,
        percentiles[49] * 1000,
        percentiles[98] * 1000,
    )


def medians(rounds: Sequence[Figures]) -> Figures:
    return Figures(*(median(values) for values in zip(*(vars(each).values() for each in rounds), strict=True)))
