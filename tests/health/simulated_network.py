"""A network whose connectors break without a word, and clients who do what clients do; `measure` has the figures.

Every connector reports Available all the time. Ordinary noise: one to three starts in a hundred fail by themselves;
clients do not plug in, try again at the same connector, bring a car that will not charge, leave with nothing, or plug
in and go away. No tests here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from evpower.health.passed_over import Neighbourhood, is_passed_over
from evpower.health.reliability import health_of
from evpower.health.rows.starts import STARTS_READ
from evpower.health.signs import Sign, SignKind
from evpower.identifiers import ClientId

BEGINS = datetime(2026, 6, 1, tzinfo=UTC)
#: What a connector does that broke in silence.
SILENT_FAILURES = (SignKind.REFUSED, SignKind.NEVER_BEGAN, SignKind.NO_CABLE, SignKind.NO_ENERGY)
NO_PLUG, BAD_CAR, LEFT_EARLY, ONLY_LOOKED = 0.02, 0.005, 0.005, 0.02
TRIES_AGAIN = 0.25
#: Who forgot the cable finds out after a failed start, so often.
LEARNS = 0.5
#: A failure is repaired so long after it was found.
REPAIRED_AFTER = timedelta(days=1)


@dataclass
class SimulatedConnector:
    """One of them, with the rate at which its starts fail by themselves."""

    random_failures: float
    liking: float
    signs: list[Sign] = field(default_factory=list)
    broken_as: SignKind | None = None
    failed_since: int = 0
    found: bool = False
    repaired_at: datetime | None = None
    #: After a repair, until it is good again, a mark is no false one.
    recovers: bool = False
    doubted: bool = False
    healthy_days: float = 0.0
    false_marks: int = 0
    starts_until_good: int = 0


@dataclass
class SimulatedFigures:
    """What `measure` found."""

    planted: int = 0
    #: After how many failed starts each was found.
    found_after: Counter[int] = field(default_factory=Counter)
    healthy_days: float = 0.0
    false_marks: int = 0
    #: Starts after a repair until it was good again.
    good_after: Counter[int] = field(default_factory=Counter)

    def found_within(self, starts: int) -> float:
        """The share of planted failures."""
        return sum(count for after, count in self.found_after.items() if after <= starts) / self.planted

    @property
    def false_marks_per_1000_days(self) -> float:
        return 1000 * self.false_marks / self.healthy_days

    def add(self, other: SimulatedFigures) -> None:
        """Of another seed."""
        self.planted += other.planted
        self.found_after += other.found_after
        self.healthy_days += other.healthy_days
        self.false_marks += other.false_marks
        self.good_after += other.good_after


class SimulatedLocation:
    """Connectors side by side, and the clients who come."""

    def __init__(self, random: Random, connectors: int, days: int, broken: int) -> None:
        self.random = random
        self.days = days
        self.connectors = [
            SimulatedConnector(random.uniform(0.01, 0.03), random.lognormvariate(0, 0.5)) for _ in range(connectors)
        ]
        self.visits_a_day = connectors * random.uniform(2, 8)
        self.breaks = sorted(
            (BEGINS + timedelta(days=random.uniform(days * 0.2, days * 0.8)), connector)
            for connector in random.sample(range(connectors), broken)
        )
        self.clients = 0
        self.figures = SimulatedFigures()

    def run(self) -> SimulatedFigures:
        """All of it."""
        now, end = BEGINS, BEGINS + timedelta(days=self.days)
        while True:
            step = timedelta(days=self.random.expovariate(self.visits_a_day))
            now += step
            if now > end:
                break
            self._break_and_repair(now)
            for connector in self.connectors:
                if connector.broken_as is None and not connector.recovers:
                    self.figures.healthy_days += step / timedelta(days=1)
            self._visit(now)
        return self.figures

    def _break_and_repair(self, now: datetime) -> None:
        while self.breaks and self.breaks[0][0] <= now:
            connector = self.connectors[self.breaks.pop(0)[1]]
            connector.broken_as, connector.failed_since = self.random.choice(SILENT_FAILURES), 0
            self.figures.planted += 1
        for connector in self.connectors:
            if connector.repaired_at is not None and connector.repaired_at <= now:
                connector.broken_as, connector.repaired_at = None, None
                connector.recovers, connector.starts_until_good = True, 0

    def _visit(self, now: datetime) -> None:
        self.clients += 1
        client, draw = ClientId(f"c{self.clients}"), self.random.random()
        connector = self._choice()
        if draw < ONLY_LOOKED:
            self._seen(connector, Sign(now, SignKind.PLUGGED_IN_VAIN), now)
            return
        trouble = SignKind.NEVER_BEGAN if draw < ONLY_LOOKED + BAD_CAR else None
        if ONLY_LOOKED + BAD_CAR <= draw < ONLY_LOOKED + BAD_CAR + NO_PLUG:
            trouble = SignKind.NO_CABLE
        visit = list[tuple[SimulatedConnector, Sign]]()
        for minutes in range(0, 9, 3):
            at = now + timedelta(minutes=minutes)
            kind = self._outcome(connector, trouble)
            self._fared(visit, connector, kind, at)
            elsewhere = False if any(each is not connector for each, _ in visit) else None
            sign = Sign(at, kind, client, elsewhere)
            self._seen(connector, sign, at)
            visit.append((connector, sign))
            if kind is SignKind.WORKED:
                return
            if trouble is SignKind.NO_CABLE and self.random.random() < LEARNS:
                trouble = None
            if self.random.random() >= TRIES_AGAIN:
                connector = self._choice(connector)

    def _fared(
        self,
        visit: list[tuple[SimulatedConnector, Sign]],
        connector: SimulatedConnector,
        kind: SignKind,
        at: datetime,
    ) -> None:
        """What the outcome here says of the client's starts at others."""
        for place, (other, sign) in enumerate(visit):
            if other is not connector and sign.elsewhere is not True:
                known = replace(sign, elsewhere=kind is SignKind.WORKED)
                other.signs = [known if each is sign else each for each in other.signs]
                visit[place] = other, known
                self._judge(other, at)

    def _choice(self, but: SimulatedConnector | None = None) -> SimulatedConnector:
        others = [each for each in self.connectors if each is not but]
        return self.random.choices(others, [each.liking for each in others])[0]

    def _outcome(self, connector: SimulatedConnector, trouble: SignKind | None) -> SignKind:
        if connector.broken_as is not None:
            return connector.broken_as
        if trouble is not None:
            return trouble
        if self.random.random() < connector.random_failures:
            return self.random.choice((SignKind.REFUSED, SignKind.NEVER_BEGAN))
        return SignKind.NO_ENERGY if self.random.random() < LEFT_EARLY else SignKind.WORKED

    def _seen(self, connector: SimulatedConnector, sign: Sign, now: datetime) -> None:
        connector.signs = [*connector.signs[1 - STARTS_READ :], sign]
        connector.failed_since += connector.broken_as is not None and sign.kind.is_start
        connector.starts_until_good += connector.recovers and sign.kind.is_start
        self._judge(connector, now)

    def _judge(self, connector: SimulatedConnector, now: datetime) -> None:
        if not connector.doubted and connector.signs[-1].kind is SignKind.WORKED and not connector.recovers:
            return  # a start that worked raises no doubt
        was, connector.doubted = connector.doubted, health_of(connector.signs, now).doubted_since is not None
        if connector.broken_as is not None:
            if connector.doubted and connector.repaired_at is None:
                self.figures.found_after[connector.failed_since] += 1
                connector.repaired_at = now + REPAIRED_AFTER
        elif connector.recovers:
            if not connector.doubted:
                self.figures.good_after[connector.starts_until_good] += 1
                connector.recovers = False
        elif connector.doubted and not was:
            self.figures.false_marks += 1


def measure(seed: int, *, locations: int = 50, days: int = 60) -> SimulatedFigures:
    """The figures of one network: locations of two to eight connectors, one of which breaks once."""
    random, figures = Random(seed), SimulatedFigures()
    for _ in range(locations):
        connectors = random.randint(2, 8)
        figures.add(SimulatedLocation(random, connectors, days, 1).run())
    return figures


def beside(random: Random, connectors: int, visits: int) -> Iterator[list[Neighbourhood]]:
    """Connectors that are all good, visit by visit: what is seen of each."""
    likings = [random.lognormvariate(0, 0.5) for _ in range(connectors)]
    own, last_at, until = [0] * connectors, [0] * connectors, [0] * connectors
    for visit in range(1, visits + 1):
        chosen = random.choices(range(connectors), likings)[0]
        own[chosen] += 1
        last_at[chosen], until[chosen] = visit, visit
        yield [Neighbourhood(own[each], until[each], visit - last_at[each]) for each in range(connectors)]


def passed_over_by_chance(seed: int, *, visits: int = 20_000) -> tuple[int, int]:
    """Visits that any good connector seemed passed over at, and connector-visits."""
    random, false_marks, looked_at = Random(seed), 0, 0
    for connectors in range(2, 9):
        was = [False] * connectors
        for seen in beside(random, connectors, visits):
            marks = [is_passed_over(each) for each in seen]
            false_marks += sum(now and not before for now, before in zip(marks, was, strict=True))
            was, looked_at = marks, looked_at + connectors
    return false_marks, looked_at
