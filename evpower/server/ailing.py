"""Stations that this process saw ail (operator-pages §3.1); where a socket is elsewhere, that process knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import trio

from evpower.attention.conditions import Ailing
from evpower.clock import Clock
from evpower.http.operators.tracing import is_elsewhere
from evpower.link.ports import LiveStations
from evpower.ocpp.habits.station_habits import StationHabits


def read_ailing(habits: StationHabits, link: LiveStations, clock: Clock) -> Callable[[], tuple[Ailing, ...]]:
    """As of the moment it is called at."""

    def ailing() -> tuple[Ailing, ...]:
        now = clock.now()
        found = [
            Ailing("boot_loop", station_id, now - timedelta(seconds=loop.for_s), str(loop.boots))
            for station_id, loop in habits.boot_loops.looping(trio.current_time()).items()
        ]
        found += [
            Ailing("wrong_clock", station_id, wrong.since, f"{wrong.showed:%Y-%m-%d %H:%M} UTC")
            for station_id, wrong in habits.clocks.wrong.items()
        ]
        return tuple(each for each in found if not is_elsewhere(link, each.station_id))

    return ailing
