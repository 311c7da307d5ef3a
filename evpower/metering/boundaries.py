"""The energy of a charge at a moment between two readings: linear between those around it (smart-charging §6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

#: Between readings that are further apart, what was delivered before a moment is a guess, and is flagged.
FAR_APART = timedelta(minutes=15)


class DeliveredBy(NamedTuple):
    """What a charge had delivered by a moment, by our clock, as far as it is believed."""

    at: datetime
    energy_wh: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """A moment at which the energy is asked for, with the readings around it; both None until it has passed."""

    at: datetime
    before: DeliveredBy | None = None
    after: DeliveredBy | None = None

    @property
    def energy_wh(self) -> int | None:
        """Whole Wh, half-up; None while no reading has come after it."""
        if self.before is None or self.after is None:
            return None
        apart, until = self.after.at - self.before.at, self.at - self.before.at
        if not apart or until <= timedelta(0):
            return self.before.energy_wh
        rise_wh = self.after.energy_wh - self.before.energy_wh
        return self.before.energy_wh + (2 * rise_wh * until + apart) // (2 * apart)

    @property
    def apart(self) -> timedelta:
        """How far apart the readings around it are."""
        return timedelta(0) if self.before is None or self.after is None else self.after.at - self.before.at

    @property
    def is_estimated(self) -> bool:
        """Whether they are far apart, and some energy flowed between them."""
        if self.before is None or self.after is None or self.before.energy_wh == self.after.energy_wh:
            return False
        return self.apart > FAR_APART

    def passed(self, before: DeliveredBy, after: DeliveredBy) -> Boundary:
        """With a reading that follows another one; one that begins after this moment has all of it before."""
        if self.after is not None or after.at < self.at:
            return self
        return Boundary(self.at, before, before if before.at >= self.at else after)

    def between(self, late: DeliveredBy) -> Boundary:
        """With a reading that comes late and was taken between the two around it."""
        if self.before is None or self.after is None or not self.before.at <= late.at <= self.after.at:
            return self
        if not self.before.energy_wh <= late.energy_wh <= self.after.energy_wh:
            return self
        if late.at <= self.at:
            return Boundary(self.at, late, self.after)
        return Boundary(self.at, self.before, late)


class Crossing(NamedTuple):
    """A boundary that has passed: the energy at it, and the readings around it."""

    at: DeliveredBy
    before: DeliveredBy
    after: DeliveredBy
    is_estimated: bool


def crossings(boundaries: Sequence[Boundary]) -> Iterator[Crossing]:
    """Those that have passed, in their order."""
    for each in boundaries:
        if each.energy_wh is None or each.before is None or each.after is None:
            return
        yield Crossing(DeliveredBy(each.at, each.energy_wh), each.before, each.after, each.is_estimated)


def boundaries_of(stored: list[dict[str, Any]] | None) -> tuple[Boundary, ...]:
    """The boundaries of `ocpp_transactions.rate_boundaries`."""
    return tuple(
        Boundary(datetime.fromisoformat(each["at"]), _delivered(each.get("before")), _delivered(each.get("after")))
        for each in stored or ()
    )


def boundaries_stored(boundaries: Sequence[Boundary]) -> list[dict[str, object]] | None:
    """What `boundaries_of` reads; None for none."""
    return [
        {
            "at": each.at.isoformat(),
            "before": None if each.before is None else (each.before.at.isoformat(), each.before.energy_wh),
            "after": None if each.after is None else (each.after.at.isoformat(), each.after.energy_wh),
        }
        for each in boundaries
    ] or None


def _delivered(stored: list[Any] | None) -> DeliveredBy | None:
    return None if stored is None else DeliveredBy(datetime.fromisoformat(stored[0]), stored[1])
