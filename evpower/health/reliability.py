"""The chance that the next start at a connector works, from its signs, and the doubt that follows (issue I, 3).

A Beta-binomial posterior of the connector as it is now: each sign makes those before it count less, because a
connector that broke this morning is not the one that worked all month. Before the first sign, and again when the last
one is old, a connector is taken for a usual one. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.health.signs import Sign, SignKind
from evpower.identifiers import ClientId

#: What a whole sign leaves of the weight of those before it.
FADES_TO = 0.6
#: Without new signs a connector is half-way back to a usual one after so long.
HALF_BACK_AFTER = timedelta(days=7)
#: A usual connector: as after a long row of starts that worked.
USUAL_WORKED = 1 / (1 - FADES_TO)
#: Beta(a, b) before anything is known: nine in ten work, and it weighs half a start.
PRIOR_WORKED, PRIOR_FAILED = 0.45, 0.05
#: Below the first it is doubtful, from the second on it is good again.
DOUBTED_BELOW, TRUSTED_FROM = 0.43, 0.5


@dataclass(frozen=True)
class Weight:
    """How much of a whole sign a failure is, by what is known of its client: the rarer without a fault, the more."""

    #: Not known.
    unknown: float
    #: Not known, and the same client again within `SAME_CLIENT_WITHIN`.
    again: float
    #: They began at another connector soon after: their car is good. None: it says nothing of such a failure.
    began_elsewhere: float | None = None
    #: They failed at another connector too: their car, or their cable.
    failed_elsewhere: float | None = None


WEIGHTS = {
    SignKind.REFUSED: Weight(1.0, 1.0),
    SignKind.NO_ENERGY: Weight(1.0, 0.75),
    SignKind.NEVER_BEGAN: Weight(0.85, 0.5, 1.0, 0.2),
    SignKind.NO_CABLE: Weight(0.8, 0.4, 0.8, 0.1),
    SignKind.PLUGGED_IN_VAIN: Weight(0.5, 0.5),
}
SAME_CLIENT_WITHIN = timedelta(hours=1)
WAYS_TO_FAIL = tuple(kind for kind in SignKind if kind is not SignKind.WORKED)
#: What is broken fails in one way; failures of another way count for it so much.
OTHER_WAYS_WEIGHT = 0.15
#: "19 of the last 20 starts worked".
LAST_STARTS = 20


@dataclass(frozen=True)
class Health:
    """How starts go at one connector."""

    tried: int = 0
    worked: int = 0
    #: That the next start works.
    chance: float = 1.0
    #: None: good.
    doubted_since: datetime | None = None


class _Belief:
    """Of each way to fail: the weights of what worked and of what failed, as of a moment; and the doubt."""

    def __init__(self) -> None:
        self.doubted_since: datetime | None = None
        self._failed = dict.fromkeys(WAYS_TO_FAIL, 0.0)
        self._worked = dict.fromkeys(WAYS_TO_FAIL, USUAL_WORKED)
        self._at: datetime | None = None

    @property
    def chance(self) -> float:
        """That the next start works, if the connector fails in the way that is the most probable one."""
        worked, failed = min((self._worked[way], self._failed[way]) for way in WAYS_TO_FAIL)
        return (worked + PRIOR_WORKED) / (worked + PRIOR_WORKED + failed + PRIOR_FAILED)

    def age(self, now: datetime) -> None:
        """Some time went by without a sign."""
        if self._at is not None and now > self._at:
            left = 0.5 ** ((now - self._at) / HALF_BACK_AFTER)
            for way in WAYS_TO_FAIL:
                self._worked[way] = USUAL_WORKED + (self._worked[way] - USUAL_WORKED) * left
                self._failed[way] *= left
            self._judge(now)
        self._at = now

    def take(self, sign: Sign, weight: float) -> None:
        """One sign more."""
        self.age(sign.at)
        for way in WAYS_TO_FAIL:
            is_other = sign.kind is not SignKind.WORKED and sign.kind is not way
            fades_to = FADES_TO ** (weight * OTHER_WAYS_WEIGHT if is_other else weight)
            gained = (1 - fades_to) * USUAL_WORKED
            self._worked[way] = self._worked[way] * fades_to + gained * (sign.kind is SignKind.WORKED)
            self._failed[way] = self._failed[way] * fades_to + gained * (sign.kind is not SignKind.WORKED)
        self._judge(sign.at)

    def _judge(self, now: datetime) -> None:
        if self.doubted_since is None and self.chance < DOUBTED_BELOW:
            self.doubted_since = now
        elif self.chance >= TRUSTED_FROM:
            self.doubted_since = None


#: Of a connector of which nothing is known.
USUAL_CHANCE = round(_Belief().chance, 3)


def health_of(signs: Iterable[Sign], now: datetime) -> Health:
    """From a connector's signs, in any order."""
    belief, failed_of = _Belief(), dict[ClientId, datetime]()
    ordered = sorted(signs, key=lambda sign: sign.at)
    for sign in ordered:
        belief.take(sign, _weight(sign, failed_of))
    belief.age(now)
    starts = [sign for sign in ordered if sign.kind.is_start][-LAST_STARTS:]
    worked = sum(sign.kind is SignKind.WORKED for sign in starts)
    return Health(len(starts), worked, round(belief.chance, 3), belief.doubted_since)


def _weight(sign: Sign, failed_of: dict[ClientId, datetime]) -> float:
    """What a sign counts; `failed_of` has the last failed start of each client before, and is kept."""
    if sign.kind is SignKind.WORKED:
        return 1.0
    weight, before = WEIGHTS[sign.kind], None
    if sign.client_id is not None:
        before = failed_of.get(sign.client_id)
        failed_of[sign.client_id] = sign.at
    fared = {True: weight.began_elsewhere, False: weight.failed_elsewhere, None: None}[sign.elsewhere]
    if fared is not None:
        return fared
    is_again = before is not None and sign.at - before <= SAME_CLIENT_WITHIN
    return weight.again if is_again else weight.unknown
