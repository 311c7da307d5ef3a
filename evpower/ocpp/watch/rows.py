"""Rows of `ocpp_frames`: frames from stations and from us, kept for `frame_retention_days` (see `partitions.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

import trio
from psycopg import AsyncConnection

from evpower.identifiers import StationId

COPY_FRAMES = "COPY evpower.ocpp_frames (station_id, direction, frame, recorded_at) FROM STDIN"
#: Encoded at once between two turns of the other tasks.
ROWS_AT_ONCE = 200

READ_FRAMES = """
SELECT direction, frame, recorded_at FROM evpower.ocpp_frames
WHERE station_id = %(station_id)s AND recorded_at >= %(since)s
  AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s) ORDER BY recorded_at DESC LIMIT %(limit)s
"""

_ESCAPES = {0x5C: "\\\\", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0: " "}


class FrameRow(NamedTuple):
    """A frame that may be kept."""

    station_id: StationId
    direction: Literal["in", "out"]
    frame: str
    recorded_at: datetime


async def write_frames(conn: AsyncConnection[Any], rows: Sequence[FrameRow]) -> None:
    """Store frames in one statement."""
    async with conn.cursor() as cursor, cursor.copy(COPY_FRAMES) as copy:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            await copy.write("".join(map(_copy_line, rows[start : start + ROWS_AT_ONCE])).encode())
            await trio.lowlevel.checkpoint()


async def read_frames(
    conn: AsyncConnection[Any], station_id: StationId, since: datetime, limit: int, until: datetime | None = None
) -> list[FrameRow]:
    """The newest `limit` frames of a station of this time, oldest first."""
    parameters = {"station_id": station_id, "since": since, "until": until, "limit": limit}
    rows = await (await conn.execute(READ_FRAMES, parameters)).fetchall()
    return [
        FrameRow(station_id, cast("Literal['in', 'out']", row["direction"]), row["frame"], row["recorded_at"])
        for row in reversed(rows)
    ]


def _copy_line(row: FrameRow) -> str:
    """One row of COPY's text format."""
    return f"{_escaped(row.station_id)}\t{row.direction}\t{_escaped(row.frame)}\t{row.recorded_at.isoformat()}\n"


def _escaped(text: str) -> str:
    """Looked through letter by letter only where it may have to be: few frames have any of these."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)
