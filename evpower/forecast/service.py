"""What doors ask: a location's coming hours, its quietest times, the network at an arrival."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from operator import attrgetter

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import LocationNotFound
from evpower.forecast.backtest import SKILL_DAYS, DayScores, what_scores_say
from evpower.forecast.calendar import CELLS, HOUR, Calendar
from evpower.forecast.errors import NoConnectorOfType
from evpower.forecast.model import Model, newest_model
from evpower.forecast.outlook import ForecastSlot, Known, Outlook, Scored, all_taken
from evpower.forecast.rows import scores as rows
from evpower.forecast.rows.hours import ANY_TYPE
from evpower.forecast.rows.known import LimitedCharge, Promise, limited_charges, promises
from evpower.forecast.rows.turned_away import TurnedAway, read_turned_away
from evpower.identifiers import ConnectorId, SessionId, StationId
from evpower.network.listing import ListedConnector, ListedLocation
from evpower.network.locations import Locations
from evpower.worker import repeat

log = logging.getLogger("evpower.forecast")

#: There is one for each night.
LOOK_FOR_MODEL_EVERY_S = 600.0
#: An answer may be so old (§4).
TTL_S = 300
ANSWERS_MOST = 1000
HOURS_MOST = 168
#: A quiet time lasts so many hours; so many are named, on different days.
QUIET_HOURS, QUIET_TIMES = 2, 3

#: When a charge of this process will be stopped at its limit; None: not known.
PlannedEnd = Callable[[SessionId], datetime | None]


@dataclass(frozen=True)
class LocationForecast:
    """The coming hours of a location; no slots: not enough was observed yet."""

    location_id: str
    #: As the location has it; None: of any type.
    connector_type: str | None
    made_at: datetime
    available: int
    total: int
    skill: Mapping[int, float]
    slots: Sequence[ForecastSlot]


@dataclass(frozen=True)
class ForecastWeek:
    """A location's hours of a week, Monday's midnight first: shares from 0 to 1, None where nothing is known."""

    observed: Sequence[float | None]
    usual: Sequence[float | None]
    #: Observed hours.
    hours: int
    #: Of the last 28 days.
    turned_away: TurnedAway


@dataclass(frozen=True)
class ForecastScores:
    """What the last scored days add up to, what that says, and the skill of each day by horizon in minutes."""

    days: int
    says: Scored
    scores: DayScores
    by_day: Mapping[date, Mapping[int, float]]


@dataclass(frozen=True)
class Present:
    """The connectors of one type at a location now."""

    connector_type: str | None
    connectors: frozenset[tuple[StationId, ConnectorId]]
    available: int


class Forecasts:
    """Answers from the newest model; a worker of each process looks for a newer one."""

    def __init__(
        self, pool: Pool, clock: Clock, locations: Locations, calendar: Calendar, planned_end: PlannedEnd
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._locations = locations
        self._calendar = calendar
        self._planned_end = planned_end
        self._model = Model()
        self._answers: dict[tuple[str, str | None, datetime, int], LocationForecast] = {}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look for the newest model until cancelled."""
        task_status.started()
        failure = "the cells of forecasts could not be read and will be again"
        await repeat(self.refresh, LOOK_FOR_MODEL_EVERY_S, log=log, failure=failure)

    async def refresh(self) -> None:
        """Forecast with the newest model from now on."""
        model = await newest_model(self._pool, self._model)
        if model is not self._model:
            self._model = model
            self._answers.clear()

    def skill(self) -> Mapping[int, float]:
        """Of the last night's scores, by how far ahead in minutes."""
        return self._model.scored.skill

    async def of_location(
        self, location_id: str, connector_type: str | None, since: datetime | None, hours: int
    ) -> LocationForecast:
        """The whole hours that begin from `since` (else now) on; at most `TTL_S` old.

        Raises LocationNotFound, NoConnectorOfType.
        """
        now = self._clock.now()
        begins_at = max(since or now, now)
        first = self._calendar.hour(begins_at)
        if first < begins_at:
            first += HOUR
        key = location_id, connector_type, first, hours
        kept = self._answers.get(key)
        if kept is not None and timedelta() <= now - kept.made_at < timedelta(seconds=TTL_S):
            return kept
        made = await self._make(location_id, connector_type, [first + n * HOUR for n in range(hours)], now)
        if len(self._answers) >= ANSWERS_MOST:
            self._answers.clear()
        self._answers[key] = made
        return made

    async def quietest(
        self, location_id: str, connector_type: str | None
    ) -> tuple[LocationForecast, list[ForecastSlot]]:
        """The coming week, and the first hour of each of its quietest times, the soonest first; raises as above."""
        week = await self.of_location(location_id, connector_type, None, HOURS_MOST)
        return week, quietest_times(week.slots, self._calendar)

    async def scores(self) -> ForecastScores:
        """Of the last four weeks that are scored."""
        until = self._calendar.day(self._clock.now())
        since = until - timedelta(days=SKILL_DAYS + 1)
        async with reading(self._pool) as conn:
            sums, days = await rows.read_day_scores(conn, since, until)
            of_days = await rows.read_scores(conn, since, until)
        by_day = {day: rows.summed(found) for day, found in groupby(of_days, attrgetter("day"))}
        skill = {day: what_scores_say(each, days=0).skill for day, each in by_day.items()}
        return ForecastScores(days, what_scores_say(sums, days), sums, skill)

    async def week(self, location_id: str) -> ForecastWeek:
        """What was observed of a location's week and what is usual there, of any type; and who was turned away."""
        since = self._clock.now() - timedelta(days=SKILL_DAYS)
        async with reading(self._pool) as conn:
            turned_away = await read_turned_away(conn, location_id, since)
        usual = self._model.usual_of(location_id, ANY_TYPE)
        shares = [None] * CELLS if usual is None else [usual.observed(cell) for cell in range(CELLS)]
        expected = [None] * CELLS if usual is None else [usual.at(cell).probability for cell in range(CELLS)]
        return ForecastWeek(shares, expected, 0 if usual is None else usual.hours, turned_away)

    async def at_arrival(
        self, arrivals: Sequence[tuple[ListedLocation, float]], connector_type: str | None
    ) -> dict[str, ForecastSlot]:
        """What each of these locations will be like in so many minutes, by its id; without those of which nothing is
        known yet."""
        now, model = self._clock.now(), self._model
        async with reading(self._pool) as conn:
            known = Plans(await limited_charges(conn, None), await promises(conn, None, now), self._planned_end)

        def compute() -> dict[str, ForecastSlot]:
            found = {}
            for location, minutes in arrivals:
                present = _present(location, connector_type)
                usual = model.usual_of(location.id, _kind(connector_type))
                if usual is not None and present.connectors:
                    plans = known.of(location.id, present)
                    outlook = Outlook(usual, self._calendar, model.scored, now, present.available > 0, plans)
                    found[location.id] = outlook.at(now + timedelta(minutes=minutes))
            return found

        return await trio.to_thread.run_sync(compute)

    async def _make(
        self, location_id: str, connector_type: str | None, starts: Sequence[datetime], now: datetime
    ) -> LocationForecast:
        picture, _ = await self._locations.picture()
        location = next((each for each in picture.locations if each.id == location_id), None)
        if location is None:
            raise LocationNotFound(f"Локация {location_id} не найдена")
        present = _present(location, connector_type)
        if connector_type is not None and not present.connectors:
            raise NoConnectorOfType
        usual, scored = self._model.usual_of(location_id, _kind(connector_type)), self._model.scored
        slots = list[ForecastSlot]()
        if usual is not None:
            async with reading(self._pool) as conn:
                limited, promised = await limited_charges(conn, location_id), await promises(conn, location_id, now)
            known = Plans(limited, promised, self._planned_end).of(location_id, present)
            outlook = Outlook(usual, self._calendar, scored, now, present.available > 0, known)
            slots = [outlook.at(start) for start in starts]
        total, of_type = len(present.connectors), present.connector_type
        return LocationForecast(location_id, of_type, now, present.available, total, scored.skill, slots)


class Plans:
    """What is planned at locations."""

    def __init__(self, limited: Iterable[LimitedCharge], promised: Iterable[Promise], planned_end: PlannedEnd) -> None:
        self._limited: dict[str, list[LimitedCharge]] = {}
        for charge in limited:
            self._limited.setdefault(charge.location_id, []).append(charge)
        self._promised: dict[str, list[Promise]] = {}
        for promise in promised:
            self._promised.setdefault(promise.location_id, []).append(promise)
        self._planned_end = planned_end

    def of(self, location_id: str, present: Present) -> Known:
        """When the first of these connectors becomes free, and when all of them are promised."""
        charges = self._limited.get(location_id, [])
        ends = [
            self._planned_end(each.session_id)
            for each in charges
            if (each.station_id, each.connector_id) in present.connectors
        ]
        windows: dict[tuple[StationId, ConnectorId], list[tuple[datetime, datetime]]] = {}
        for each in self._promised.get(location_id, []):
            windows.setdefault((each.station_id, each.connector_id), []).append((each.begins_at, each.ends_at))
        frees_at = min((end for end in ends if end is not None), default=None)
        return Known(frees_at, all_taken([windows.get(each, []) for each in present.connectors]) if windows else ())


def quietest_times(slots: Sequence[ForecastSlot], calendar: Calendar) -> list[ForecastSlot]:
    """The better of any two hours that follow each other, the best of each day, the best days; the soonest first.

    It is as likely as the worse of its hours. Where days are equal the sooner one counts.
    """
    best: dict[date, ForecastSlot] = {}
    for first, second in pairwise(slots):
        worse = replace(min(first, second, key=lambda slot: slot.probability), start=first.start)
        day = calendar.day(first.start)
        if day not in best or worse.probability > best[day].probability:
            best[day] = worse
    ranked = sorted(best.values(), key=lambda slot: (-slot.probability, slot.start))[:QUIET_TIMES]
    return sorted(ranked, key=lambda slot: slot.start)


def _kind(connector_type: str | None) -> str:
    """As cells are stored."""
    return ANY_TYPE if connector_type is None else connector_type.strip().lower()


def _present(location: ListedLocation, connector_type: str | None) -> Present:
    found, named, available = set(), None, 0
    for station in location.stations:
        for each in station.connectors:
            if each.is_of(connector_type):
                found.add((station.id, each.connector_id))
                named = named or each
                available += station.offers(each)
    return Present(_named(named, connector_type), frozenset(found), available)


def _named(connector: ListedConnector | None, connector_type: str | None) -> str | None:
    """The type as the location writes it: an answer echoes no caller's text."""
    return None if connector is None or connector_type is None else connector.connector_type
