"""Which figures of a station are believed: a register by what its connector can deliver in the time, a power by what
the connector is rated for, a clock that did not jump (field-rulings §1; duties 26 and 31).

This is the whole rule. Whatever message carries a figure, it is judged here: `registers.py` for registers.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: A connector whose power nobody knows, at a station whose power nobody knows.
UNKNOWN_POWER_W = 400_000
#: Added to the time, because readings are rounded and reports come late.
SLACK = timedelta(seconds=120)
#: A charge longer than this by the station's clock is a clock that jumped (from 1970 to today, say).
CLOCK_MAX = timedelta(days=2)
#: No queued charge is billed more time than this: a clock may have been wrong by a day when it began.
QUEUED_MAX = timedelta(hours=12)
#: A start older than this when it comes was queued. As much is allowed for a clock that is not quite right.
LATE_AFTER = timedelta(minutes=2)
#: No queue is kept longer; a time further back is a clock that was never set.
LONGEST_QUEUED = timedelta(days=30)

_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_IN_AN_HOUR = timedelta(hours=1) // _MICROSECOND


def believed_time(by_station: timedelta | None) -> timedelta | None:
    """How long it took by the station's clock; None when that clock says nothing, ran backwards or jumped."""
    return by_station if by_station is not None and timedelta(0) <= by_station <= CLOCK_MAX else None


def longest(by_station: timedelta | None, by_us: timedelta | None) -> timedelta:
    """The longer of the station's believed time and ours, because reports come late; never negative."""
    return max(timedelta(0), believed_time(by_station) or timedelta(0), by_us or timedelta(0))


def billed_time(
    by_station: timedelta | None, by_us: timedelta | None, since_order: timedelta | None, *, queued: bool
) -> timedelta:
    """How long a charge lasted, for its minutes: by the station's clock, but never longer than by ours.

    When its start came out of a queue ours does not know: then no longer than since it was ordered, and at most
    `QUEUED_MAX` (safe by default §6).
    """
    ours = max(timedelta(0), by_us or timedelta(0))
    believed = believed_time(by_station)
    if believed is None:
        return ours
    return min(believed, max(ours, since_order or timedelta(0)), QUEUED_MAX) if queued else min(believed, ours)


def own_time(started_at: datetime, received_at: datetime) -> datetime | None:
    """The station's time of a start if it can be true, else None."""
    return started_at if -LATE_AFTER <= received_at - started_at <= LONGEST_QUEUED else None


def late_since(started_at: datetime, received_at: datetime) -> datetime | None:
    """When a charge began whose start comes late; None for one that comes at once, or whose time cannot be believed."""
    began_at = own_time(started_at, received_at)
    return began_at if began_at is not None and received_at - began_at > LATE_AFTER else None


def moment_of(measured_at: datetime, heard_at: datetime, started_at: datetime, received_at: datetime) -> datetime:
    """When, by our clock, a reading was taken of a charge whose start was measured and received at these times.

    As far into the charge as its minutes are billed to it (`billed_time`): a clock that is off is off at the start too.
    """
    began_at = late_since(started_at, received_at) or received_at
    by_us, since_start = heard_at - received_at, heard_at - started_at
    return began_at + billed_time(measured_at - started_at, by_us, since_start, queued=began_at != received_at)


def energy_max_wh(time: timedelta, rated_power_w: int | None) -> int:
    """The most a connector can have delivered in this time, in whole Wh: a tenth more than it is rated for.

    None is a power that is not known.
    """
    power_w = rated_power_w or UNKNOWN_POWER_W
    return 11 * power_w * ((time + SLACK) // _MICROSECOND) // (10 * _MICROSECONDS_IN_AN_HOUR)


def power_max_w(rated_power_w: int | None) -> int:
    """The highest power that can be a reading of this connector: what is above it plans nothing."""
    return (rated_power_w or UNKNOWN_POWER_W) * 5 // 4
