"""Charges that run and the figures of the first screen (contract/operator-pages §2, §3.3, §3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from evpower.availability.records import NetworkHour
from evpower.identifiers import ClientId, SessionId, StationId

#: A power that was read before that is no longer what flows: two sample intervals.
READ_ANEW_WITHIN = timedelta(seconds=60)

#: What a cell shows of a charge: whose it is, 100 W, minutes, 100 Wh, whether the power is old.
Looks: TypeAlias = tuple[SessionId, int | None, int, int, bool]


@dataclass(frozen=True)
class RunningCharge:
    """A session that is not final, with its last reading; `limit` is in `limit_unit`: kWh, or som."""

    session_id: SessionId
    client_id: ClientId
    client_name: str | None
    client_phone: str | None
    station_id: StationId
    connector_id: int
    phase: str
    started_at: datetime
    energy_wh: int
    power_w: int | None
    soc_percent: float | None
    read_at: datetime | None
    limit_type: str
    limit_value: Decimal | None
    cost_tyiyn: int
    held_tyiyn: int

    def is_old(self, now: datetime) -> bool:
        """Whether its power is of a reading after which another was due."""
        return self.read_at is None or now - self.read_at > READ_ANEW_WITHIN

    def minutes(self, now: datetime) -> int:
        """Whole minutes since it was asked for."""
        return max(0, int((now - self.started_at).total_seconds() // 60))

    def looks(self, now: datetime) -> Looks:
        """What its connector's cell shows of it: the same looks are the same cell."""
        power = None if self.power_w is None else self.power_w // 100
        return self.session_id, power, self.minutes(now), self.energy_wh // 100, self.is_old(now)


@dataclass(frozen=True)
class RunningCharges:
    """The newest charges, how many there are, what they draw and what is held for them."""

    newest: tuple[RunningCharge, ...]
    count: int
    power_w: int
    held_tyiyn: int

    @cached_property
    def by_station(self) -> Mapping[StationId, Mapping[int, RunningCharge]]:
        """Those of each station, by connector."""
        found = defaultdict[StationId, dict[int, RunningCharge]](dict)
        for each in self.newest:
            found[each.station_id][each.connector_id] = each
        return found

    def of(self, station_id: StationId) -> Mapping[int, RunningCharge]:
        """Those of a station, by connector."""
        return self.by_station.get(station_id, {})


@dataclass(frozen=True)
class Starts:
    """Starts of the last hour that were decided, those that reached `charging`, and the words of all that did not.

    A client's own refusal is no failure: it is among the words and not in `asked`.
    """

    asked: int = 0
    reached: int = 0
    refusals: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Sold:
    """Energy and revenue of a day, and of the same weekday a week before up to this hour."""

    energy_wh: int = 0
    revenue_tyiyn: int = 0
    energy_before_wh: int = 0
    revenue_before_tyiyn: int = 0


@dataclass(frozen=True)
class TopUpsToday:
    """Top-ups credited today, and those not decided yet."""

    credited: int = 0
    credited_tyiyn: int = 0
    undecided: int = 0


@dataclass(frozen=True)
class DayFigures:
    """The figures beside the grid."""

    starts: Starts = Starts()
    sold: Sold = Sold()
    top_ups: TopUpsToday = TopUpsToday()
    #: The last 24 hours, the oldest first; empty before they were read.
    hours: tuple[NetworkHour, ...] = ()
    #: Of 30 days; None of no station.
    uptime: float | None = None

    @property
    def curves(self) -> dict[str, list[float | None]]:
        """Each figure hour by hour; None where there is nothing to show a share of."""
        return {
            "starts": [each.reached / each.asked if each.asked else None for each in self.hours],
            "online": [each.uptime for each in self.hours],
            "sold": [each.revenue_tyiyn for each in self.hours],
            "top_ups": [each.topped_up_tyiyn for each in self.hours],
        }
