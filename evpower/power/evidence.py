"""What a car shows of itself: how much it can draw, whether it wants any, and whether its station obeys.

A value of a charge, from its measurements and statuses; after a restart it is learnt again (roadmap/smart-charging
§2.1, §3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: A car that draws less than this share of its grant, for so long, has shown its most.
USED = 0.8
SHOWN_AFTER = timedelta(seconds=60)
#: The highest of so long counts, and 2 A above it are granted: it may rise.
LOOK_BACK = timedelta(minutes=10)
ABOVE_SHOWN_DA = 20
#: A car that takes nothing for so long has no demand; every ten minutes, for one, it is offered the least.
SUSPENDED_AFTER = timedelta(minutes=5)
PROBE_EVERY = timedelta(minutes=10)
PROBE_FOR = timedelta(minutes=1)
#: What is more than a car's own consumption while it waits: 1 A.
DRAWS_DA = 10
#: More than its grant by a tenth, for so long, is disobedience; so long within it ends that.
DISOBEYS_AFTER = timedelta(seconds=30)
OBEYS_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class CarEvidence:
    """What was seen of one charge."""

    #: (when, current), of the last ten minutes, oldest first.
    measured: tuple[tuple[datetime, int], ...] = ()
    below_since: datetime | None = None
    #: It has drawn less than it could have: what it was measured at is what it can.
    is_shown: bool = False
    suspended_since: datetime | None = None
    over_since: datetime | None = None
    within_since: datetime | None = None
    disobeys: bool = False

    def measure(self, at: datetime, current_da: int, granted_da: int, allowed_da: int) -> CarEvidence:
        """One more measurement: what was granted then, and the most that any unanswered command allows."""
        if self.measured and at <= self.measured[-1][0]:
            return self
        recent = tuple(each for each in self.measured if at - each[0] <= LOOK_BACK)
        below_since = (self.below_since or at) if granted_da > 0 and current_da < USED * granted_da else None
        is_over = current_da * 10 > allowed_da * 11 and current_da >= DRAWS_DA
        over_since = (self.over_since or at) if is_over else None
        within_since = None if is_over else (self.within_since or at)
        disobeys = self.disobeys
        if over_since is not None and at - over_since >= DISOBEYS_AFTER:
            disobeys = True
        elif within_since is not None and at - within_since >= OBEYS_AFTER:
            disobeys = False
        return replace(
            self,
            measured=(*recent, (at, current_da)),
            below_since=below_since,
            is_shown=self.is_shown or (below_since is not None and at - below_since >= SHOWN_AFTER),
            suspended_since=None if current_da >= DRAWS_DA else self.suspended_since,
            over_since=over_since,
            within_since=within_since,
            disobeys=disobeys,
        )

    def suspend(self, at: datetime) -> CarEvidence:
        """The car takes nothing of its own accord, until it is measured to draw or reported to charge."""
        return self if self.suspended_since is not None else replace(self, suspended_since=at)

    def resume(self) -> CarEvidence:
        return replace(self, suspended_since=None)

    def wanted_da(self, most_da: int, least_da: int, now: datetime) -> int:
        """What the car would draw if it could: at most `most_da`; when it is offered the least to see, `least_da`."""
        if self.suspended_since is not None and now - self.suspended_since > SUSPENDED_AFTER:
            beyond = (now - self.suspended_since - SUSPENDED_AFTER) % PROBE_EVERY
            return least_da if beyond >= PROBE_EVERY - PROBE_FOR else 0
        if not self.is_shown:
            return most_da
        highest = max(current_da for _, current_da in self.measured)
        return min(most_da, highest + ABOVE_SHOWN_DA)
