"""Many simulated stations against one central system: `evpower demo`, `evpower simulate`, benchmarks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import trio

from evpower.clock import Clock, SystemClock
from evpower.simulator.people.drivers import Habits, drive
from evpower.simulator.station.misbehaviour import misbehaviour
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from evpower.simulator.wire import address
from evpower.simulator.wire.ocpp import Call
from evpower.simulator.wire.trace import Traced, describe

Announce = Callable[[str, str], None]  # station id, what it did
CONNECTING_MAX = 50  # stations that dial and boot at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPlan:
    """One station of a fleet."""

    station_id: str
    connectors: int = 1
    settings: StationSettings = field(default_factory=StationSettings)


async def run_fleet(
    url: str,
    stations: Sequence[StationPlan],
    *,
    habits: Habits | None = None,
    say: Announce | None = None,
    verbose: bool = False,
    clock: Clock | None = None,
    seed: int = 0,
    dial: address.Dial = address.dial,
    task_status: trio.TaskStatus[list[SimulatedStation]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run all stations until cancelled; started, with the stations, when each is on its way (not yet booted).

    At most CONNECTING_MAX boot at once, for no longer than a station's call time-out each, so that a large fleet is
    no stampede. `habits` puts drivers at every connector. `say` gets CALLs only, all frames when `verbose`.
    """
    own_clock = clock if clock is not None else SystemClock()
    gate = trio.CapacityLimiter(CONNECTING_MAX)
    chargers = [_charger(plan, own_clock, seed, say, verbose, dial) for plan in stations]
    async with trio.open_nursery() as fleet:
        for charger in chargers:
            fleet.start_soon(_run_one, charger, url, gate, habits, seed)
        task_status.started(chargers)


async def simulate(
    url: str,
    count: int,
    prefix: str = "SIM-",
    *,
    connectors: int = 1,
    settings: StationSettings | None = None,
    misbehaviours: Iterable[str] = (),
    habits: Habits | None = None,
    say: Announce | None = None,
    verbose: bool = False,
    seed: int = 0,
    task_status: trio.TaskStatus[list[SimulatedStation]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """`evpower simulate`: stations PREFIX001… until cancelled; raises UnknownMisbehaviour before anything starts."""
    nature = replace(settings or StationSettings(), misbehaviour=misbehaviour(misbehaviours))
    plans = [
        StationPlan(station_id=f"{prefix}{number:03d}", connectors=connectors, settings=nature)
        for number in range(1, count + 1)
    ]
    people = habits if habits is not None else Habits()
    await run_fleet(url, plans, habits=people, say=say, verbose=verbose, seed=seed, task_status=task_status)


def _charger(
    plan: StationPlan, clock: Clock, seed: int, say: Announce | None, verbose: bool, dial: address.Dial
) -> SimulatedStation:
    def listen(traced: Traced | str) -> None:
        if say is not None and (verbose or isinstance(traced, str) or isinstance(traced.frame, Call)):
            say(plan.station_id, describe(traced))

    return SimulatedStation(
        plan.station_id,
        plan.connectors,
        plan.settings,
        clock,
        random.Random(f"{seed}/{plan.station_id}"),
        dial=dial,
        listener=None if say is None else listen,
    )


async def _run_one(
    charger: SimulatedStation, url: str, gate: trio.CapacityLimiter, habits: Habits | None, seed: int
) -> None:
    async with trio.open_nursery() as life:
        async with gate:
            life.start_soon(charger.run, url)
            with trio.move_on_after(charger.settings.call_timeout_s):
                await charger.trace.wait_until(lambda: charger.conversation.ready)
        if habits is not None:
            for connector_id in charger.hardware.connectors:
                people = random.Random(f"{seed}/{charger.station_id}/{connector_id}")
                life.start_soon(drive, charger, connector_id, habits, people)
