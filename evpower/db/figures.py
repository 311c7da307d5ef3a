"""What the metrics ask of the database: counts that an index answers, so that a scrape costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

OPEN_SESSIONS = """
SELECT phase, count(*) AS sessions FROM evpower.session_phases
WHERE phase NOT IN ('settled', 'released') GROUP BY phase
"""
PARKED = "SELECT count(*) AS parked FROM evpower.ocpp_parked WHERE resolved_at IS NULL"


@dataclass(frozen=True)
class Figures:
    """Sessions that are not final, by phase, and reports that wait for a person."""

    open_sessions: dict[str, int]
    parked_reports: int


async def read_figures(conn: AsyncConnection[Any]) -> Figures:
    """The counts of this moment."""
    phases = await (await conn.execute(OPEN_SESSIONS)).fetchall()
    parked = await (await conn.execute(PARKED)).fetchall()
    return Figures({row["phase"]: row["sessions"] for row in phases}, parked[0]["parked"])
