"""How long sessions have waited for their station to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import SessionId, StationId

# In the order of their ids: two processes count at the same time.
TAKE_WAITS = """
SELECT p.session_id, s.station_id, s.created_at, p.start_waited_s AS waited_s, p.start_counted_at AS counted_at,
       p.start_present_since AS present_since
FROM evpower.session_phases p JOIN public.charging_sessions s ON s.id = p.session_id
WHERE p.phase IN ('reserved', 'starting') ORDER BY p.session_id FOR NO KEY UPDATE OF p SKIP LOCKED
"""
_COLUMNS = "session_id text, waited_s double precision, counted_at timestamptz, present_since timestamptz"
STORE_WAITS = f"""
UPDATE evpower.session_phases p
SET start_waited_s = r.waited_s, start_counted_at = r.counted_at, start_present_since = r.present_since
FROM {batch_table(_COLUMNS)} r WHERE p.session_id = r.session_id
"""


@dataclass(frozen=True)
class StartWait:
    """A session that waits for its start: how long so far, up to when that was counted, and since when its station is
    here; None: never counted, and not here."""

    session_id: SessionId
    station_id: StationId
    created_at: datetime
    waited_s: float
    counted_at: datetime | None
    present_since: datetime | None


async def take_waits(conn: Conn) -> list[StartWait]:
    """Every session that waits for its start, taken for this unit of work; those another one holds are left out."""
    return [StartWait(**row) for row in await (await conn.execute(TAKE_WAITS)).fetchall()]


async def store_waits(conn: Conn, waits: Sequence[StartWait]) -> None:
    """Store how long they have waited."""
    if waits:
        await conn.execute(
            STORE_WAITS,
            batch(
                [
                    {
                        "session_id": wait.session_id,
                        "waited_s": wait.waited_s,
                        "counted_at": None if wait.counted_at is None else wait.counted_at.isoformat(),
                        "present_since": None if wait.present_since is None else wait.present_since.isoformat(),
                    }
                    for wait in waits
                ]
            ),
        )
