"""What a seed draws: the network, its people, and which misfortunes meet."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from evpower.simulator.station.misbehaviour import Misbehaviour
from tests.simulation.tariffs import TARIFFS, Tariff

#: What meets what, drawn together: alone each of the two is harmless. A visit plays one of them.
PAIRS = (
    "plain",
    "offline x stop by phone",
    "unplugged offline x stop later",
    "reboot x charge goes on",
    "reboot x stop queued",
    "stop lost x next driver",
    "begun x line lost at once",
    "no cable x deadline",
    "double tap x one reserve",
    "card x offline",
    "card x online",
    "poor client x estimate",
    "stop ignored x settled",
    "line cut x every answer",
    "clock set x charge",
    "meter lies x debt",
    "wild reading x stop",
    "two starts x one balance",
    "full car x fee",
    "card twice x same register",
    "begun x server away",
    "meter replaced x charge goes on",
)
#: What becomes of a connector that is kept for a driver (`reservers.py`). A visit is one of them.
RESERVERS = (
    "kept x comes",
    "kept x last second",
    "kept x nobody comes",
    "kept x given up",
    "kept x begins and gives up",
    "kept x line lost",
    "kept x rival and card",
)
#: What payers do with an invoice (`payers.py`).
#: The list of stations beside what is; with a Redis, which is lost now and then.
LOOKED_AT, REDIS_LOST = ONLOOKERS = ("looked at", "looked at x redis lost")
PAYERS = (
    "paid at once",
    "paid x expired",
    "second payment x check",
    "paid x another sum",
    "scanned x paid late",
    "part returned x second payment",
    "refused",
    "forgotten",
)


@dataclass(frozen=True)
class StationPlan:
    """A station with one connector."""

    station_id: str
    power_w: int
    register_wh: int
    boots_on_reconnect: bool
    tariff: Tariff
    misbehaviour: Misbehaviour
    #: How probable it is that a chunk is the last one of its line, and how long one is on the way.
    cuts: float
    delay_s: float
    ocpp: Literal["1.6", "2.0.1"] = "1.6"


@dataclass(frozen=True)
class ClientPlan:
    """A client, his card and his money."""

    client_id: str
    card: str
    balance_tyiyn: int
    discount_percent: Decimal


@dataclass(frozen=True)
class Plan:
    """One history's beginning and its dangers."""

    seed: int
    hours: float
    stations: tuple[StationPlan, ...]
    clients: tuple[ClientPlan, ...]
    processes: str
    #: A process dies at one of so many commits after its start; None: never.
    deaths: tuple[int, int] | None
    pairs: tuple[str, ...]
    payments: bool
    payers: tuple[str, ...] = PAYERS
    #: One visit in three has a connector kept.
    reservers: tuple[str, ...] = ()
    onlookers: tuple[str, ...] = ()
    #: Lost lines and connections, processes that stand still.
    dangers: bool = True
    #: How many times longer than the product's an idle worker waits.
    pace: float = 1.0


def draw(seed: int, hours: float) -> Plan:
    """The same for the same seed."""
    dice, versions = random.Random(f"{seed}/plan"), random.Random(f"{seed}/versions")
    reserving, looking = random.Random(f"{seed}/reservers"), random.Random(f"{seed}/onlookers")
    orders = random.Random(f"{seed}/orders")
    stations = tuple(_station(dice, versions, orders, number) for number in range(dice.randint(4, 8)))
    clients = tuple(_client(dice, number) for number in range(dice.randint(3, 6)))
    return Plan(
        seed=seed,
        hours=hours,
        stations=stations,
        clients=clients,
        processes=dice.choice(("A", "A", "AB")),
        deaths=dice.choice(((60, 400), (100, 900), (300, 2000), None)),
        pairs=tuple(sorted(dice.sample(PAIRS, dice.randint(4, len(PAIRS))))),
        payments=dice.random() < 0.7,
        pace=dice.choice((1.0,) + (4.0,) * 3 + (16.0,) * 4),
        reservers=RESERVERS if reserving.random() < 0.5 else (),
        onlookers=looking.choice(((), (LOOKED_AT,), ONLOOKERS, ONLOOKERS)),
    )


def _station(dice: random.Random, versions: random.Random, orders: random.Random, number: int) -> StationPlan:
    ocpp: Literal["1.6", "2.0.1"] = versions.choice(("1.6", "1.6", "2.0.1"))
    habits = Misbehaviour(
        duplicates=dice.choice((0, 0, 0, 1)),
        start_delay_s=dice.choice((0.0, 0.0, 0.0, 20.0)),
        clock=dice.choice(("right",) * 6 + ("1970", "tomorrow", "yesterday")),
        # Events have numbers; what 1.6 sends out of order nobody could put right.
        newest_first=ocpp == "2.0.1" and orders.random() < 0.5,
    )
    return StationPlan(
        station_id=f"ST-{number:02d}",
        power_w=dice.choice((11_000, 22_000, 60_000, 120_000)),
        register_wh=dice.choice((0, dice.randrange(10**6), 10**7)),
        boots_on_reconnect=dice.random() < 0.5,
        tariff=dice.choice(TARIFFS),
        misbehaviour=habits,
        cuts=dice.choice((0.0, 0.0, 0.001, 0.01)),
        delay_s=dice.choice((0.0, 0.0, 0.5, 3.0)),
        ocpp=ocpp,
    )


def _client(dice: random.Random, number: int) -> ClientPlan:
    return ClientPlan(
        client_id=f"client-{number}",
        card=f"CARD{number:04d}",
        balance_tyiyn=dice.choice((dice.randint(10_00, 60_00), dice.randint(150_00, 260_00), 5_000_00, 5_000_00)),
        discount_percent=Decimal(dice.choice((0, 0, 0, 15))),
    )
