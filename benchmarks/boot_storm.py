"""Thousands of chargers connect, boot and say their status at once, as after a power cut; then they are idle."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.chargers import Fleet
from benchmarks.processes import Server
from benchmarks.wire import boot_and_status, station_id

#: The server has asked a charger everything when it is quiet this long.
QUIET_S = 1.0


@dataclass(frozen=True)
class Storm:
    """Until the last status was accepted, the median answer, and the slowest hundredth of answers."""

    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_s: float
    kib_per_idle_charger: float


def storm(server: Server, first: int, chargers: int) -> Storm:
    """Let chargers number `first` and following loose on a fresh server."""
    rss, cpu_s = server.rss_bytes(), server.cpu_s()
    with Fleet() as fleet:
        began = time.perf_counter()
        fleet.connect([station_id(number) for number in range(first, first + chargers)], server.port)
        latencies = fleet.drive(boot_and_status, upgrading=True)
        seconds, cpu_s = time.perf_counter() - began, server.cpu_s() - cpu_s
        fleet.listen(QUIET_S)
        kib = (server.rss_bytes() - rss) / 1024 / chargers
    hundredths = quantiles(latencies, n=100)
    return Storm(seconds, hundredths[49] * 1000, hundredths[98] * 1000, cpu_s, kib)
