"""`evpower simulate`: stations with the options of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from evpower.command_line.running import run_simulator
from evpower.simulator.fleet import StationPlan
from evpower.simulator.people.drivers import Habits
from evpower.simulator.station.misbehaviour import misbehaviour
from evpower.simulator.station.settings import StationSettings

W_PER_KW = 1000
#: As the option has them; without it the stations are of direct current.
PHASES: dict[str | None, Literal[0, 1, 3]] = {None: 0, "1": 1, "3": 3}


def simulate_stations(
    url: str,
    *,
    count: int,
    prefix: str,
    station_ids: Sequence[str],
    connectors: int,
    password: str | None,
    power_kw: float,
    speed: float,
    cards: Sequence[str],
    habits: Sequence[str],
    seed: int,
    verbose: bool,
    ocpp: Literal["1.6", "2.0.1"] = "1.6",
    phases: Literal["1", "3"] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM. Raises UnknownMisbehaviour."""
    settings = StationSettings(
        ocpp=ocpp,
        password=password,
        connector_power_w=round(power_kw * W_PER_KW),
        phases=PHASES[phases],
        speed=speed,
        misbehaviour=misbehaviour(habits),
    )
    names = station_ids or [f"{prefix}{number:03d}" for number in range(1, count + 1)]
    plans = [StationPlan(station_id=name, connectors=connectors, settings=settings) for name in names]
    run_simulator(url, plans, habits=Habits(id_tags=tuple(cards)), seed=seed, verbose=verbose)
