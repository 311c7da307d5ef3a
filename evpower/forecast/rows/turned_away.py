"""Rows of `turned_away`: who came while nothing was free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn

SUMS = """
SELECT coalesce(sum(refused), 0)::int AS refused, coalesce(sum(waiting), 0)::int AS waiting
FROM evpower.turned_away WHERE location_id = %(location_id)s AND hour_start >= %(since)s
"""


@dataclass(frozen=True)
class TurnedAway:
    """People whose start was refused while nothing was free, and new waits for a free connector; both at least."""

    refused: int
    waiting: int


async def read_turned_away(conn: Conn, location_id: str, since: datetime) -> TurnedAway:
    """At a location since then."""
    row = await (await conn.execute(SUMS, {"location_id": location_id, "since": since})).fetchone()
    return TurnedAway(0, 0) if row is None else TurnedAway(**row)
