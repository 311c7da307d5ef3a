"""Rows of `power_history`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.power.picture import SitePicture
from evpower.power.site import GroupId

INSERT = """
INSERT INTO evpower.power_history (group_id, at, limit_da, granted_da, possible_da, measured_da)
SELECT * FROM unnest(%(groups)s::bigint[], %(at)s::timestamptz[], %(limits)s::int[], %(granted)s::int[],
                     %(possible)s::int[], %(measured)s::int[])
ON CONFLICT (group_id, at) DO NOTHING
"""
READ = """
SELECT at, limit_da, granted_da, possible_da, measured_da FROM evpower.power_history
WHERE group_id = %(group_id)s AND at >= %(since)s AND at < %(until)s ORDER BY at LIMIT %(most)s
"""
DELETE_OLD = "DELETE FROM evpower.power_history WHERE at < %(before)s"


@dataclass(frozen=True)
class PowerMoment:
    """A group at one moment, in tenths of an ampere of its fullest phase."""

    at: datetime
    limit_da: int
    granted_da: int
    possible_da: int
    measured_da: int


async def insert_history(conn: Conn, picture: SitePicture) -> None:
    """A row for each group."""
    groups = picture.groups
    parameters = {
        "groups": [group.id for group in groups],
        "at": [picture.at] * len(groups),
        "limits": [group.limit_da for group in groups],
        "granted": [group.granted_da for group in groups],
        "possible": [group.possible_da for group in groups],
        "measured": [group.measured_da for group in groups],
    }
    await conn.execute(INSERT, parameters)


async def read_history(
    conn: Conn, group_id: GroupId, since: datetime, until: datetime, most: int
) -> Sequence[PowerMoment]:
    """The moments of a time, the oldest first."""
    parameters = {"group_id": group_id, "since": since, "until": until, "most": most}
    return [PowerMoment(**row) for row in await (await conn.execute(READ, parameters)).fetchall()]


async def delete_old(conn: Conn, before: datetime) -> None:
    """Drop the moments before this one."""
    await conn.execute(DELETE_OLD, {"before": before})
