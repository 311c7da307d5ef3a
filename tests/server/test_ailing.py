"""What a process saw of its stations' boots and clocks, for To do: begun, withdrawn, and left to who has the socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trio

from evpower.attention.conditions import Ailing
from evpower.ocpp.habits.boot_loops import SUSPECT_WITHIN_S, BootLoops
from evpower.ocpp.habits.clocks import CLOCK_AHEAD, CLOCK_NEVER_SET, StationClocks
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.server.ailing import read_ailing
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON

SECOND = timedelta(seconds=1)
PAUSED_S = 5000.0


def looping(boots: int) -> BootLoops:
    """Booted so often in a row, one second after each configuration."""
    loops = BootLoops()
    for n in range(boots):
        loops.configuring(STATION, n * PAUSED_S)
        loops.booted(STATION, n * PAUSED_S + 1)
    return loops


def test_a_loop_is_one_from_the_second_boot_on_and_counts_on() -> None:
    assert looping(1).looping(2) == {}
    (loop,) = looping(2).looping(PAUSED_S + 11).values()
    assert (loop.boots, loop.for_s) == (2, 10)
    (loop,) = looping(3).looping(2 * PAUSED_S).values()
    assert (loop.boots, loop.for_s) == (3, PAUSED_S - 1)


def test_a_loop_is_over_when_a_configuration_leaves_the_station_be_or_it_boots_late() -> None:
    loops, at = looping(2), 3 * PAUSED_S
    loops.configuring(STATION, at)
    assert STATION in loops.looping(at + SUSPECT_WITHIN_S)
    assert loops.looping(at + SUSPECT_WITHIN_S + 1) == {}
    loops.booted(STATION, at + SUSPECT_WITHIN_S + 2)
    assert loops.looping(at + SUSPECT_WITHIN_S + 3) == {}


@pytest.mark.parametrize(
    ("stamped", "oddity"),
    [
        (NOON, None),
        (NOON + CLOCK_AHEAD, None),
        (NOON + CLOCK_AHEAD + 2 * SECOND, "its clock is ahead"),
        (NOON - timedelta(days=90), None),
        (CLOCK_NEVER_SET, None),
        (CLOCK_NEVER_SET - SECOND, "its clock was never set"),
    ],
)
def test_a_clock_is_wrong_until_it_stamps_a_time_that_can_be(stamped: datetime, oddity: str | None) -> None:
    clocks = StationClocks()
    assert clocks.showed(STATION, stamped, NOON) == oddity
    clocks.showed(STATION, stamped, NOON + SECOND)
    assert [(each.since, each.showed) for each in clocks.wrong.values()] == ([(NOON, stamped)] if oddity else [])
    assert clocks.showed(STATION, NOON, NOON) is None
    assert clocks.wrong == {}


async def test_rows_are_of_this_process_alone_and_on_the_first_screen(world: World) -> None:
    habits = StationHabits()
    ailing = read_ailing(habits, world.link, world.clock)
    assert ailing() == ()
    habits.clocks.showed(STATION, datetime(1970, 1, 1, tzinfo=UTC), world.clock.now())
    for _ in range(2):
        habits.boot_loops.configuring(STATION, trio.current_time())
        habits.boot_loops.booted(STATION, trio.current_time())
    loop, clock = ailing()
    assert (loop.kind, loop.station_id, loop.word) == ("boot_loop", STATION, "2")
    assert world.clock.now() - loop.since < timedelta(minutes=1)
    assert clock == Ailing("wrong_clock", STATION, world.clock.now(), "1970-01-01 00:00 UTC")
