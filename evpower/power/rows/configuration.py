"""Rows of groups and members as administrators write and read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId
from evpower.network.spots.evses_sql import EACH as EACH_EVSE
from evpower.power.orders import GroupOrder, GroupRecord, HoursOrder, MemberOrder, OutsideLimit
from evpower.power.rows.released import forget
from evpower.power.site import GroupId, OutletId

COLUMNS = "location_id, name, parent_id, phases, limit_a, limit_kw, reserve_kw, failsafe_a, active"
INSERT = f"""
INSERT INTO evpower.power_groups ({COLUMNS}, created_at)
VALUES (%(location_id)s, %(name)s, %(parent_id)s, %(phases)s, %(limit_a)s, %(limit_kw)s, %(reserve_kw)s, %(failsafe_a)s,
        %(active)s, %(at)s)
RETURNING id
"""
UPDATE = f"""
UPDATE evpower.power_groups SET ({COLUMNS}) = (%(location_id)s, %(name)s, %(parent_id)s, %(phases)s, %(limit_a)s,
    %(limit_kw)s, %(reserve_kw)s, %(failsafe_a)s, %(active)s)
WHERE id = %(id)s
"""
DELETE = "DELETE FROM evpower.power_groups WHERE id = %(id)s"
LOCK_ALL = "SELECT pg_advisory_xact_lock(hashtext('evpower.power_groups'))"
HAS_CHILDREN = "SELECT FROM evpower.power_groups WHERE parent_id = %(id)s LIMIT 1"
IS_BELOW = """
WITH RECURSIVE up AS (
    SELECT id, parent_id FROM evpower.power_groups WHERE id = %(parent_id)s
    UNION ALL SELECT g.id, g.parent_id FROM evpower.power_groups g JOIN up ON g.id = up.parent_id)
SELECT FROM up WHERE id = %(id)s
"""
PARENT = "SELECT parent_id FROM evpower.power_groups WHERE id = %(id)s"
LOCATION = "SELECT FROM public.locations WHERE id = %(id)s"
GROUPS = "SELECT * FROM evpower.power_groups WHERE %(id)s::bigint IS NULL OR id = %(id)s ORDER BY id"
SCHEDULES = (
    "SELECT * FROM evpower.power_schedules WHERE %(id)s::bigint IS NULL OR group_id = %(id)s ORDER BY group_id, n"
)
MEMBERS = """
SELECT * FROM evpower.power_group_members WHERE %(id)s::bigint IS NULL OR group_id = %(id)s
ORDER BY group_id, station_id, connector_id
"""
# A connector that stays keeps what its station has of it; one of another group moves.
PUT_MEMBER = """
INSERT INTO evpower.power_group_members
    (station_id, connector_id, group_id, phases, l1_is, min_a, max_a, dc, priority)
SELECT c.station_id, c.connector_number, %(group_id)s, %(phases)s, %(l1_is)s, %(min_a)s, %(max_a)s, %(dc)s, %(priority)s
FROM public.connectors c WHERE c.station_id = %(station_id)s AND c.connector_number = %(connector_id)s
ON CONFLICT (station_id, connector_id) DO UPDATE SET group_id = excluded.group_id, phases = excluded.phases,
    l1_is = excluded.l1_is, min_a = excluded.min_a, max_a = excluded.max_a, dc = excluded.dc,
    priority = excluded.priority
"""
DROP_MEMBER = """
DELETE FROM evpower.power_group_members WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s
"""
# Also when the other one is a member of another group.
SHARED_EVSES = f"""
SELECT m.station_id, e.evse_id, array_agg(m.connector_id ORDER BY m.connector_id) AS connector_ids
FROM evpower.power_group_members m
JOIN ({EACH_EVSE}) e ON e.station_id = m.station_id AND e.connector_number = m.connector_id
WHERE m.station_id IN (SELECT station_id FROM evpower.power_group_members WHERE group_id = %(id)s)
GROUP BY m.station_id, e.evse_id HAVING count(*) > 1 ORDER BY m.station_id, e.evse_id
"""
DROP_SCHEDULE = "DELETE FROM evpower.power_schedules WHERE group_id = %(id)s"
PUT_HOURS = """
INSERT INTO evpower.power_schedules (group_id, n, days, since, until, limit_kw)
VALUES (%(id)s, %(n)s, %(days)s, %(since)s, %(until)s, %(limit_kw)s)
"""
OUTSIDE = """
UPDATE evpower.power_groups SET outside_a = %(limit_a)s, outside_kw = %(limit_kw)s, outside_until = %(valid_until)s
WHERE id = %(id)s
"""


async def lock_groups(conn: Conn) -> None:
    """One change of the trees at a time."""
    await conn.execute(LOCK_ALL)


async def read_groups(conn: Conn, group_id: GroupId | None = None) -> Sequence[GroupRecord]:
    """All of them, or this one if it is there."""
    parameters = {"id": group_id}
    hours = await (await conn.execute(SCHEDULES, parameters)).fetchall()
    members = await (await conn.execute(MEMBERS, parameters)).fetchall()
    groups = await (await conn.execute(GROUPS, parameters)).fetchall()
    return [
        _record(
            row,
            [each for each in hours if each["group_id"] == row["id"]],
            [each for each in members if each["group_id"] == row["id"]],
        )
        for row in groups
    ]


async def store_group(conn: Conn, group_id: GroupId | None, order: GroupOrder, at: datetime) -> GroupId | None:
    """A new group (None), or this one anew; None when it is not there."""
    values = {name: value for name, value in asdict(order).items() if name != "members"}
    if group_id is None:
        row = await (await conn.execute(INSERT, values | {"at": at})).fetchone()
        assert row is not None
        return GroupId(row["id"])
    return group_id if (await conn.execute(UPDATE, values | {"id": group_id})).rowcount else None


async def store_members(conn: Conn, group_id: GroupId, members: Sequence[MemberOrder]) -> Sequence[OutletId]:
    """The group's connectors are these from now on; those that there are not."""
    missing = []
    for member in members:
        parameters = {name: value for name, value in vars(member).items() if name != "outlet"}
        station_id, connector_id = member.outlet
        parameters |= {"group_id": group_id, "station_id": station_id, "connector_id": connector_id}
        if not (await conn.execute(PUT_MEMBER, parameters)).rowcount:
            missing.append(member.outlet)
        await forget(conn, member.outlet)
    return missing


async def shared_evses(conn: Conn, group_id: GroupId) -> Sequence[tuple[StationId, int, Sequence[int]]]:
    """EVSEs of the group's stations of which several connectors are members, with these."""
    rows = await (await conn.execute(SHARED_EVSES, {"id": group_id})).fetchall()
    return [(StationId(row["station_id"]), row["evse_id"], row["connector_ids"]) for row in rows]


async def drop_members(conn: Conn, outlets: Sequence[OutletId]) -> None:
    for station_id, connector_id in outlets:
        await conn.execute(DROP_MEMBER, {"station_id": station_id, "connector_id": connector_id})


async def delete_group(conn: Conn, group_id: GroupId) -> None:
    """Its members are dropped before."""
    await conn.execute(DELETE, {"id": group_id})


async def has_children(conn: Conn, group_id: GroupId) -> bool:
    return (await conn.execute(HAS_CHILDREN, {"id": group_id})).rowcount > 0


async def is_location(conn: Conn, location_id: str) -> bool:
    return (await conn.execute(LOCATION, {"id": location_id})).rowcount > 0


async def is_below(conn: Conn, parent_id: GroupId, group_id: GroupId) -> bool:
    """Whether `parent_id` is the group itself, or one below it."""
    return (await conn.execute(IS_BELOW, {"parent_id": parent_id, "id": group_id})).rowcount > 0


async def top_of(conn: Conn, group_id: GroupId) -> GroupId:
    """The root of its tree."""
    while (row := await (await conn.execute(PARENT, {"id": group_id})).fetchone()) and row["parent_id"] is not None:
        group_id = GroupId(row["parent_id"])
    return group_id


async def store_schedule(conn: Conn, group_id: GroupId, schedule: Sequence[HoursOrder]) -> None:
    """In place of the one there was."""
    await conn.execute(DROP_SCHEDULE, {"id": group_id})
    for n, hours in enumerate(schedule):
        await conn.execute(PUT_HOURS, {"id": group_id, "n": n, **vars(hours), "days": list(hours.days)})


async def store_outside(conn: Conn, group_id: GroupId, outside: OutsideLimit) -> None:
    await conn.execute(OUTSIDE, {"id": group_id, **vars(outside)})


def _record(row: dict[str, Any], hours: Sequence[dict[str, Any]], members: Sequence[dict[str, Any]]) -> GroupRecord:
    parent = None if row["parent_id"] is None else GroupId(row["parent_id"])
    order = GroupOrder(
        row["location_id"],
        row["name"],
        parent,
        row["phases"],
        row["limit_a"],
        row["limit_kw"],
        row["reserve_kw"],
        row["failsafe_a"],
        row["active"],
        [
            MemberOrder(
                (StationId(each["station_id"]), ConnectorId(each["connector_id"])),
                each["phases"],
                each["l1_is"],
                each["min_a"],
                each["max_a"],
                each["dc"],
                each["priority"],
            )
            for each in members
        ],
    )
    until = row["outside_until"]
    outside = None if until is None else OutsideLimit(row["outside_a"], row["outside_kw"], until)
    schedule = [HoursOrder(each["days"], each["since"], each["until"], each["limit_kw"]) for each in hours]
    return GroupRecord(GroupId(row["id"]), order, outside, schedule)
