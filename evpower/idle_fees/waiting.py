"""When a car waits, when that may cost something, and when it is over: rules over what the rows say at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from evpower.billing.tariff import ParkingTerms
from evpower.money import tyiyn

#: A car that draws less, for so long, after so much energy, is full (§6).
DRAWS_W, FULL_AFTER, FULL_WH = 300, timedelta(minutes=5), 1000
#: Without a reading for longer it is not known whether it draws: stations that sample by the clock do so every quarter.
SILENT_AFTER = timedelta(minutes=16)
#: What was not looked at for longer is not paid for: nothing says what was in between.
LOOKED_WITHIN = timedelta(seconds=60)
#: A charge that ends is followed by the status of its connector; what says none for so long has no car.
STATUS_WITHIN = timedelta(minutes=2)
#: A connector that goes on for longer saying Finishing, or says nothing, is no evidence of a car.
LONGEST = timedelta(hours=24)
FINISHING = "Finishing"
#: With these the charge is over and its car has left, or the next one has come.
LEFT = frozenset({"Available", "Preparing", "Reserved", "Unavailable"})


@dataclass(frozen=True)
class Scene:
    """What is known of a charge, its connector and its car at a moment."""

    at: datetime
    energy_wh: int
    #: The station has not ended it.
    is_charging: bool
    settled_at: datetime | None
    ocpp_status: str | None
    has_fault: bool
    is_connected: bool
    #: Another charge has begun on the connector.
    has_next: bool
    #: Since when each of its readings shows less than `DRAWS_W`, and when the last of them came.
    low_since: datetime | None
    read_at: datetime | None
    #: From when until when we held it at nothing.
    paused: tuple[tuple[datetime, datetime], ...]
    #: Of the location's connectors, in percent.
    occupied: int

    @property
    def is_suspended(self) -> bool:
        """Whether it draws nothing because we let it have nothing."""
        return any(since <= self.at < until for since, until in self.paused)

    def waits_until(self) -> datetime | None:
        """Up to when its car is known to wait; None when it does not, or nobody knows."""
        if self.has_next or self.energy_wh <= 0:
            return None
        if self.ocpp_status == FINISHING:
            return self.at
        if not self.is_charging or self.energy_wh < FULL_WH or self.low_since is None or self.read_at is None:
            return None
        could_draw_since = max([self.low_since, *(until for _, until in self.paused)])
        if self.read_at - could_draw_since < FULL_AFTER or self.at - self.read_at > SILENT_AFTER:
            return None
        return self.read_at

    def is_over(self) -> bool:
        """The charge is settled, and its car has left or nothing will say so."""
        if self.settled_at is None:
            return False
        settled_for = self.at - self.settled_at
        if self.has_next or self.ocpp_status in LEFT or settled_for >= LONGEST:
            return True
        return self.ocpp_status != FINISHING and not self.has_fault and settled_for >= STATUS_WITHIN


def may_cost(scene: Scene, terms: ParkingTerms, local: time) -> bool:
    """Whether waiting costs at all at this moment, by the network's clocks: not what the driver has no part in."""
    if scene.has_fault or not scene.is_connected or scene.is_suspended:
        return False
    if terms.only_above_occupancy is not None and scene.occupied <= terms.only_above_occupancy:
        return False
    return not _is_quiet(terms, local)


def _is_quiet(terms: ParkingTerms, local: time) -> bool:
    since, until = terms.quiet_from, terms.quiet_until
    if since is None or until is None:
        return False
    return since <= local < until if since < until else local >= since or local < until


@dataclass(frozen=True)
class LastLook:
    """What the last look left: up to when the car waited with nothing against a fee, and when that was seen."""

    looked_at: datetime | None
    waited_until: datetime | None


def seen_until(before: LastLook, now: datetime, waits_until: datetime) -> datetime:
    """What this look leaves to the next one, as `waited_until`: it never goes back, or a time would be paid twice.

    After a look that saw something against a fee, or long after the last one, it begins with this moment: the last
    measurement is older than that.
    """
    before_until = before.waited_until if _goes_on(before, now) else None
    return max(waits_until, before_until or now)


def _goes_on(before: LastLook, now: datetime) -> bool:
    """Whether the last look saw the same, a moment ago."""
    if before.waited_until is None or before.looked_at is None:
        return False
    return timedelta(0) <= now - before.looked_at <= LOOKED_WITHIN


def paid_time(
    before: LastLook, now: datetime, waits_until: datetime, noticed_at: datetime | None, terms: ParkingTerms
) -> tuple[datetime, datetime] | None:
    """What this look adds to the time that is paid for: since the last look, if that saw the same, and not before its
    driver has had the notice for as long as the plan gives."""
    if noticed_at is None or before.waited_until is None or not _goes_on(before, now):
        return None
    since = max(before.waited_until, noticed_at + timedelta(minutes=terms.grace_minutes))
    return (since, waits_until) if since < waits_until else None


def fee_tyiyn(terms: ParkingTerms, waited: timedelta) -> tuple[int, int]:
    """Whole minutes, and what they cost: rounded once, and never more than the cap."""
    minutes = int(waited.total_seconds() // 60)
    return minutes, min(terms.cap_tyiyn, tyiyn(terms.rate_per_minute * minutes))
