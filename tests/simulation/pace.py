"""How long an idle worker of the product waits before it looks again: half of all statements, and more, are such looks.

A seed draws by how much longer than the product's. What wakes a worker still wakes it at once.
"""

from __future__ import annotations

import math
from datetime import timedelta

from evpower.cluster import processes
from evpower.worker import Wake

#: No wait of the sweeps that chargers and phones depend on is made longer than this while things happen: whether they
#: did is looked for every half minute, with a patience of three.
AT_MOST_S = 60.0
#: While nothing happens, until the twelve hours of a charge whose stop was lost are nearly over.
AT_REST_S = 900.0
LEASE, LEASE_AT_REST = processes.LEASE, timedelta(hours=1)
#: How often a lease is renewed once nobody dies any more.
RENEW_IN_CALM_S = 240.0

_wait = Wake.wait


class Pace:
    """Of every worker of every process of a history."""

    def __init__(self, factor: float, renew_every_s: float) -> None:
        """A lease is renewed as often as `renew_every_s` says: its end is a fault of its own."""
        self._factor = factor
        self._rests = False
        self._renews_in_s = processes.RENEW_EVERY_S = renew_every_s
        processes.LEASE = LEASE

        async def wait(wake: Wake, at_most_s: float = math.inf) -> None:
            await _wait(wake, self.stretched(at_most_s))

        Wake.wait = wait  # type: ignore[assignment, method-assign]  # every worker waits there, and nowhere else

    def calm(self) -> None:
        """Who died is known to be dead, and nobody dies any more: a lease was nearly a third of all statements."""
        self._renews_in_s, processes.LEASE = RENEW_IN_CALM_S, LEASE_AT_REST

    def rest(self, rests: bool) -> None:
        """Nothing happens from now on, or things happen."""
        self._rests = rests

    def stretched(self, at_most_s: float) -> float:
        """How long it waits."""
        if self._rests:
            return max(at_most_s, AT_REST_S)
        if at_most_s == processes.RENEW_EVERY_S:
            return self._renews_in_s
        return min(at_most_s * self._factor, AT_MOST_S) if at_most_s < AT_MOST_S else at_most_s * self._factor
