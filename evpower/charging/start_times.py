"""When a charge began, by its station's clock, and whether its start is news or a report (field ruling 2.3).

A station without a line goes on charging and queues its starts; what it delivers hours later has happened. A station
whose clock was never set, or runs ahead, says nothing about that: then the moment of receipt counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: A start older than this when it comes was queued. As much is allowed for a clock that is not quite right.
LATE_AFTER = timedelta(minutes=2)
#: No queue is kept longer; a time further back is a clock that was never set.
LONGEST_QUEUED = timedelta(days=30)


def own_time(started_at: datetime, received_at: datetime) -> datetime | None:
    """The station's time of a start if it can be true, else None."""
    age = received_at - started_at
    return started_at if -LATE_AFTER <= age <= LONGEST_QUEUED else None


def late_since(started_at: datetime, received_at: datetime) -> datetime | None:
    """When a charge began whose start comes late; None when it comes at once, or its time cannot be believed."""
    began_at = own_time(started_at, received_at)
    return began_at if began_at is not None and received_at - began_at > LATE_AFTER else None
