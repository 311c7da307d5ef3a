"""A connector that reports Available and that everybody passes over, while its neighbours are used. Pure.

Of the starts at its location it had a usual share. When so many starts were made beside it that by mere chance it would
have been left out less than once in a hundred thousand times, drivers see something that the station does not report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: That chance made it be passed over so often.
BY_CHANCE_LESS_THAN = 1e-5
#: A share of fewer starts is not known well enough.
OWN_STARTS_LEAST = 10


@dataclass(frozen=True)
class Neighbourhood:
    """Starts that worked: here and at the whole location, until the last one here; and elsewhere there since."""

    own: int
    location: int
    beside_since: int


def is_passed_over(seen: Neighbourhood) -> bool:
    """Whether chance alone hardly explains that nobody begins here any more."""
    if seen.own < OWN_STARTS_LEAST or seen.own >= seen.location:
        return False
    return seen.beside_since * math.log1p(-seen.own / seen.location) < math.log(BY_CHANCE_LESS_THAN)
