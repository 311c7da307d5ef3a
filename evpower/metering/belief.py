"""Which figures of a station are believed: a register by what can flow in the time, a clock that did not jump.

The rule itself (duties 26 and 31). SQL that judges many rows at once is made of these constants (`belief_sql.py`),
and a test compares both on the same rows.
"""

from __future__ import annotations

from datetime import timedelta

#: No station delivers more than a megawatt (278 Wh a second); what claims to is recorded and not billed.
POWER_MAX_W = 1_000_800
#: Added to the time, because readings are rounded and reports come late.
SLACK = timedelta(seconds=60)
#: A charge longer than this by the station's clock is a clock that jumped (from 1970 to today, say).
CLOCK_MAX = timedelta(days=2)

_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_IN_AN_HOUR = timedelta(hours=1) // _MICROSECOND


def believed_time(by_station: timedelta | None) -> timedelta | None:
    """How long it took by the station's clock; None when that clock says nothing, ran backwards or jumped."""
    return by_station if by_station is not None and timedelta(0) <= by_station <= CLOCK_MAX else None


def longest(by_station: timedelta | None, by_us: timedelta | None) -> timedelta:
    """The longer of the station's believed time and ours, because reports come late; never negative."""
    return max(timedelta(0), believed_time(by_station) or timedelta(0), by_us or timedelta(0))


def energy_max_wh(time: timedelta, power_max_w: int = POWER_MAX_W) -> int:
    """The most energy that is believed to have been delivered in this time, in whole Wh."""
    return power_max_w * ((time + SLACK) // _MICROSECOND) // _MICROSECONDS_IN_AN_HOUR


def is_believable(energy_wh: int, time: timedelta, power_max_w: int = POWER_MAX_W) -> bool:
    """Whether this energy can have been delivered in this time."""
    return 0 <= energy_wh <= energy_max_wh(time, power_max_w)
