"""A smaller plan out of a seed's, and the search for the smallest one that still fails."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from tests.simulation.plan import ONLOOKERS, PAYERS, RESERVERS, Plan, draw
from tests.simulation.tariffs import TARIFFS

BY_NAME = {each.name: each for each in TARIFFS}
#: A history shorter than this says nothing.
HOURS_LEAST = 0.02


@dataclass(frozen=True)
class Narrowing:
    """What of a seed's plan is left."""

    seed: int
    hours: float
    pairs: tuple[str, ...] | None = None
    stations: int | None = None
    deaths: bool = True
    payments: bool = True
    dangers: bool = True
    one_process: bool = False
    #: Every station's prices, every client's money in som, and his discount.
    tariff: str | None = None
    money_som: int | None = None
    discount: int | None = None
    #: Every station's version of OCPP.
    ocpp: Literal["1.6", "2.0.1"] | None = None

    def plan(self) -> Plan:
        """The plan."""
        plan = draw(self.seed, self.hours)
        payers, reservers, onlookers = (
            tuple(one for one in self.pairs or () if one in drawn) for drawn in (PAYERS, RESERVERS, ONLOOKERS)
        )
        stations, clients = plan.stations[: self.stations], plan.clients
        if self.tariff is not None:
            stations = tuple(replace(one, tariff=BY_NAME[self.tariff]) for one in stations)
        if self.ocpp is not None:
            stations = tuple(replace(one, ocpp=self.ocpp) for one in stations)
        if self.money_som is not None:
            clients = tuple(replace(one, balance_tyiyn=100 * self.money_som) for one in clients)
        if self.discount is not None:
            clients = tuple(replace(one, discount_percent=Decimal(self.discount)) for one in clients)
        return replace(
            plan,
            pairs=plan.pairs
            if self.pairs is None
            else tuple(one for one in self.pairs if one not in (*PAYERS, *RESERVERS, *ONLOOKERS)),
            payers=payers or plan.payers,
            reservers=plan.reservers if self.pairs is None else reservers,
            onlookers=plan.onlookers if self.pairs is None else onlookers,
            stations=stations,
            clients=clients,
            deaths=plan.deaths if self.deaths else None,
            payments=bool(payers) or (plan.payments and self.payments),
            dangers=self.dangers,
            processes="A" if self.one_process else plan.processes,
        )

    def command(self) -> str:
        """What plays it."""
        words = [
            f"--pairs '{';'.join(self.pairs)}'" if self.pairs else "",
            f"--stations {self.stations}" if self.stations else "",
            "" if self.deaths else "--no-deaths",
            "" if self.payments else "--no-payments",
            "" if self.dangers else "--no-dangers",
            "--one-process" if self.one_process else "",
            f"--tariff {self.tariff}" if self.tariff else "",
            "" if self.money_som is None else f"--money {self.money_som}",
            "" if self.discount is None else f"--discount {self.discount}",
            f"--ocpp {self.ocpp}" if self.ocpp else "",
        ]
        arguments = " ".join(word for word in words if word)
        return f"make simulate SEED={self.seed} HOURS={self.hours:g}" + (f' ARGS="{arguments}"' if arguments else "")

    def smaller(self) -> Iterator[Narrowing]:
        """One step less each, the largest steps first."""
        plan = self.plan()
        if self.hours / 2 >= HOURS_LEAST:
            yield replace(self, hours=self.hours / 2)
        if plan.processes != "A":
            yield replace(self, one_process=True)
        if plan.deaths is not None:
            yield replace(self, deaths=False)
        if plan.payments:
            yield replace(self, payments=False)
        if plan.dangers:
            yield replace(self, dangers=False)
        if self.ocpp is None:
            yield replace(self, ocpp="1.6")
        if len(plan.stations) > 1:
            yield replace(self, stations=max(1, len(plan.stations) // 2))
        if len(plan.pairs) > 1:
            half = len(plan.pairs) // 2
            yield replace(self, pairs=plan.pairs[:half])
            yield replace(self, pairs=plan.pairs[half:])


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `Narrowing.command` writes."""
    parser.add_argument("--pairs", type=lambda text: tuple(text.split(";")), help="only these, by semicolons")
    parser.add_argument("--stations", type=int)
    parser.add_argument("--no-deaths", action="store_false", dest="deaths")
    parser.add_argument("--no-payments", action="store_false", dest="payments")
    parser.add_argument("--no-dangers", action="store_false", dest="dangers")
    parser.add_argument("--one-process", action="store_true")
    parser.add_argument("--tariff", choices=sorted(BY_NAME))
    parser.add_argument("--money", type=int, help="what every client has, in som")
    parser.add_argument("--discount", type=int, help="every client's, in per cent")
    parser.add_argument("--ocpp", choices=("1.6", "2.0.1"), help="what every station speaks")


def chosen(options: argparse.Namespace, seed: int, hours: float) -> Narrowing:
    """What the options leave of a seed's plan."""
    return Narrowing(
        seed,
        hours,
        options.pairs,
        options.stations,
        options.deaths,
        options.payments,
        options.dangers,
        options.one_process,
        options.tariff,
        options.money,
        options.discount,
        options.ocpp,
    )


def shrink(failing: Narrowing, fails: Callable[[Narrowing], bool]) -> Narrowing:
    """The smallest that fails, as far as single steps lead: another failure may be found on the way."""
    while True:
        smaller = next((one for one in failing.smaller() if fails(one)), None)
        if smaller is None:
            return failing
        failing = smaller
