"""One list of charges and of starts that were refused before there was a charge: where a page of it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from evpower.administration.records import ChargeRecord, FailedStart
from evpower.administration.rows.charges import ChargeFilter
from evpower.digits import INT64_MAX, whole_number

#: When a row was made, and its id.
Place: TypeAlias = tuple[datetime, str]
#: No charge has such an id.
START = "start-"
#: What PostgreSQL keeps of a time.
MOMENT = timedelta(microseconds=1)
#: Nothing is older; a place that anybody may write has no time before it.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def place_of(row: ChargeRecord | FailedStart) -> Place:
    """The place of a row in the list."""
    return row.created_at, f"{START}{row.id}" if isinstance(row, FailedStart) else row.id


def places(after: Place | None) -> tuple[Place | None, tuple[datetime, int] | None]:
    """Where charges, and where failed starts go on. Of one moment all charges come first, then the newest start."""
    if after is None:
        return None, None
    at, row_id = max(after[0], EARLIEST), after[1]
    start_id = whole_number(row_id.removeprefix(START), INT64_MAX) if row_id.startswith(START) else None
    if start_id is None:
        return after, (at, INT64_MAX)
    return (at - MOMENT, ""), (at, start_id)


def wants_failed_starts(wanted: ChargeFilter) -> bool:
    """Whether starts without a charge are among what is asked for: they have no phase, no status and no bill."""
    return wanted.only in (None, "failed") and wanted.status is None and wanted.phase is None
