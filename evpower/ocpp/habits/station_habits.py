"""What this process remembers of stations' habits, on whatever socket; after a restart they show them again."""

from __future__ import annotations

from dataclasses import dataclass, field

from evpower.ocpp.habits.boot_loops import BootLoops, HangUps
from evpower.ocpp.habits.clocks import StationClocks


@dataclass(frozen=True)
class StationHabits:
    """Who boots or hangs up when it is asked, and whose clock is wrong."""

    boot_loops: BootLoops = field(default_factory=BootLoops)
    hang_ups: HangUps = field(default_factory=HangUps)
    clocks: StationClocks = field(default_factory=StationClocks)
