"""When a charge will be stopped at its limit, by its last register and power: what is planned and what is shown."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from evpower.billing.reservation import ChargeTerms

#: Nothing is planned further ahead: a charge never lasts longer.
HORIZON_S = 12 * 3600
#: At less power nothing is shown: a car that is full, or waits, has no end in sight (history-favorites-push §4).
SHOWN_ABOVE_W = 300
#: A power that is older says nothing of now.
SHOWN_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class LastReading:
    """The last believed register of a running charge, with the power at it; times are ours."""

    energy_wh: int
    power_w: float
    began_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class Prediction:
    """In how many whole minutes, rounded up, a charge is stopped at its limit, and what it costs then."""

    minutes_left: int
    cost_tyiyn: int


def seconds_to_limit(terms: ChargeTerms, energy_wh: int, power_w: float, elapsed_s: float) -> float | None:
    """In how many seconds at this power a limit is reached; 0 when it is, None when not within the horizon.

    `elapsed_s` is the time billed so far; minutes count whole, as on the bill. Rates that will hold stand in the terms
    (`ChargeTerms.foreseen`).
    """
    limit_wh = terms.limit_wh(int(elapsed_s // 60))
    if limit_wh is not None and energy_wh >= limit_wh:
        return 0.0
    if terms.rates.per_minute == 0:
        if limit_wh is None or power_w <= 0:
            return None
        seconds = (limit_wh - energy_wh) * 3600 / power_w
        return seconds if seconds <= HORIZON_S else None

    def reached_after(seconds: int) -> bool:
        return terms.reached(int(energy_wh + power_w * seconds / 3600), int((elapsed_s + seconds) // 60))

    found = bisect_left(range(HORIZON_S + 1), True, key=reached_after)
    return None if found > HORIZON_S else float(found)


def predict(terms: ChargeTerms, last: LastReading, now: datetime) -> Prediction | None:
    """What is planned for the charge (`LimitKeeper`), seen from now; None when that is not known, or not in sight.

    The moment does not move while no reading comes: it is the one at which the stop is sent.
    """
    age = now - last.received_at
    if last.power_w <= SHOWN_ABOVE_W or age > SHOWN_FOR:
        return None
    terms = terms.foreseen(last.energy_wh, last.power_w, last.received_at)
    elapsed_s = max(0.0, (last.received_at - last.began_at).total_seconds())
    wait_s = seconds_to_limit(terms, last.energy_wh, last.power_w, elapsed_s)
    if wait_s is None:
        return None
    minutes = int((elapsed_s + wait_s) // 60)
    energy_wh = max(last.energy_wh, terms.limit_wh(minutes) or 0)
    left_s = max(0.0, wait_s - age.total_seconds())
    return Prediction(ceil(left_s / 60), terms.rates.cost_tyiyn(energy_wh, minutes))
