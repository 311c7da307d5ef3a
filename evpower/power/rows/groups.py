"""Rows of `power_groups`, `power_schedules` and `power_group_members`, as a site."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from evpower.cluster.connections import ME
from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId
from evpower.power.site import ALL_PHASES, Group, GroupId, LimitHours, Member, OutletId, Site, da_of_watts

#: A connection without a process of its own is a command of the operator's, or a test.
OWNER = f"coalesce({ME}, 'alone')"

# One process grants for a site: whichever finds its lease ended takes it.
CLAIM = f"""
UPDATE evpower.power_groups SET owner = {OWNER}, owner_until = %(until)s
WHERE id IN (SELECT id FROM evpower.power_groups
             WHERE parent_id IS NULL AND active
               AND (owner_until IS NULL OR owner_until < %(now)s
                    OR (owner = {OWNER} AND owner_until < %(renew_before)s))
             ORDER BY id FOR UPDATE SKIP LOCKED)
"""
OWNED = f"""
SELECT id FROM evpower.power_groups
WHERE parent_id IS NULL AND active AND owner = {OWNER} AND owner_until > %(now)s ORDER BY id
"""
# Whoever grants holds this, so that no two count the same room.
LOCK_OWNED = (
    f"SELECT FROM evpower.power_groups WHERE id = %(id)s AND owner = {OWNER} AND owner_until > %(now)s FOR UPDATE"
)
LOCK = "SELECT FROM evpower.power_groups WHERE id = %(id)s FOR UPDATE"

TREE = """
WITH RECURSIVE tree AS (
    SELECT g.* FROM evpower.power_groups g WHERE g.id = %(root)s AND g.active
    UNION ALL
    SELECT g.* FROM evpower.power_groups g JOIN tree ON g.parent_id = tree.id WHERE g.active)
"""
GROUPS = f"{TREE} SELECT * FROM tree ORDER BY id"
SCHEDULES = (
    f"{TREE} SELECT s.* FROM evpower.power_schedules s JOIN tree ON tree.id = s.group_id ORDER BY s.group_id, s.n"
)
MEMBERS = f"""
{TREE} SELECT m.*, c.power_kw, tree.failsafe_a FROM evpower.power_group_members m JOIN tree ON tree.id = m.group_id
JOIN public.connectors c ON c.station_id = m.station_id AND c.connector_number = m.connector_id
ORDER BY m.station_id, m.connector_id
"""
# A group that is switched off, or below one that is, limits nothing.
ROOT_OF = """
WITH RECURSIVE up AS (
    SELECT g.id, g.parent_id, g.active FROM evpower.power_groups g
    JOIN evpower.power_group_members m ON m.group_id = g.id
    WHERE m.station_id = %(station_id)s AND m.connector_id = %(connector_id)s
    UNION ALL
    SELECT g.id, g.parent_id, g.active FROM evpower.power_groups g JOIN up ON up.parent_id = g.id)
SELECT max(id) FILTER (WHERE parent_id IS NULL) AS root FROM up HAVING bool_and(active)
"""
FAILSAFE_ASKED = """
UPDATE evpower.power_group_members SET failsafe_asked_at = %(at)s
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s
"""
FAILSAFE_SET = """
UPDATE evpower.power_group_members SET failsafe_set_a = %(failsafe_a)s, rate_unit = coalesce(%(unit)s, rate_unit)
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s
"""
SEND_AGAIN = """
UPDATE evpower.power_group_members SET failsafe_asked_at = NULL, schedule_wanted_at = %(at)s
WHERE station_id = %(station_id)s AND (%(connector_id)s::int IS NULL OR connector_id = %(connector_id)s)
"""
UNCONTROLLED = """
UPDATE evpower.power_group_members SET uncontrolled = %(why)s, uncontrolled_since = %(since)s
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s AND uncontrolled IS DISTINCT FROM %(why)s
"""
# One that draws too much stays what it is until it is measured to obey.
ACCEPTS = """
UPDATE evpower.power_group_members SET uncontrolled = NULL, uncontrolled_since = NULL
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s AND uncontrolled = 'refuses'
"""


@dataclass(frozen=True)
class SiteRows:
    """A site as it is configured, and what its groups are called."""

    site: Site
    names: dict[GroupId, str]


async def claim_sites(conn: Conn, now: datetime, until: datetime, renew_before: datetime) -> None:
    """Take the sites that nobody grants for, and go on with our own."""
    await conn.execute(CLAIM, {"now": now, "until": until, "renew_before": renew_before})


async def owned_sites(conn: Conn, now: datetime) -> Sequence[GroupId]:
    """The sites this process grants for."""
    return [GroupId(row["id"]) for row in await (await conn.execute(OWNED, {"now": now})).fetchall()]


async def lock_owned_site(conn: Conn, root: GroupId, now: datetime) -> bool:
    """Hold the site for this unit of work; False when another process grants for it by now."""
    return (await conn.execute(LOCK_OWNED, {"id": root, "now": now})).rowcount > 0


async def lock_site(conn: Conn, root: GroupId) -> None:
    """Hold the site for this unit of work, whoever grants for it."""
    await conn.execute(LOCK, {"id": root})


async def root_of(conn: Conn, outlet: OutletId) -> GroupId | None:
    """The site of a connector; None: no group limits it."""
    parameters = {"station_id": outlet[0], "connector_id": outlet[1]}
    row = await (await conn.execute(ROOT_OF, parameters)).fetchone()
    return None if row is None or row["root"] is None else GroupId(row["root"])


async def read_site(conn: Conn, root: GroupId, zone: ZoneInfo) -> SiteRows:
    """Its groups that are switched on, and their members."""
    parameters = {"root": root}
    hours: dict[int, list[dict[str, Any]]] = {}
    for row in await (await conn.execute(SCHEDULES, parameters)).fetchall():
        hours.setdefault(row["group_id"], []).append(row)
    rows = await (await conn.execute(GROUPS, parameters)).fetchall()
    groups = [_group(row, hours.get(row["id"], [])) for row in rows]
    members = [_member(row) for row in await (await conn.execute(MEMBERS, parameters)).fetchall()]
    return SiteRows(Site(groups, members, zone), {GroupId(row["id"]): row["name"] for row in rows})


async def note_failsafe_asked(conn: Conn, outlet: OutletId, at: datetime) -> None:
    await conn.execute(FAILSAFE_ASKED, {"station_id": outlet[0], "connector_id": outlet[1], "at": at})


async def note_failsafe(conn: Conn, outlet: OutletId, failsafe_da: int | None, unit: str | None) -> None:
    """What the station has of its permanent profile now (None: nothing sure), and in which unit it is limited."""
    failsafe_a = None if failsafe_da is None else Decimal(failsafe_da) / 10
    parameters = {"station_id": outlet[0], "connector_id": outlet[1], "failsafe_a": failsafe_a, "unit": unit}
    await conn.execute(FAILSAFE_SET, parameters)


async def send_again(conn: Conn, station_id: StationId, connector_id: ConnectorId | None, at: datetime) -> None:
    """The permanent profile and the grant of a connector, or (None) of all at the station, are due."""
    await conn.execute(SEND_AGAIN, {"station_id": station_id, "connector_id": connector_id, "at": at})


async def note_uncontrolled(conn: Conn, outlet: OutletId, why: str | None, at: datetime) -> bool:
    """Whether that is news. None: it obeys."""
    since = None if why is None else at
    parameters = {"station_id": outlet[0], "connector_id": outlet[1], "why": why, "since": since}
    return (await conn.execute(UNCONTROLLED, parameters)).rowcount > 0


async def note_accepts(conn: Conn, outlet: OutletId) -> None:
    """The station took a limit: if it refused before, it does no more."""
    await conn.execute(ACCEPTS, {"station_id": outlet[0], "connector_id": outlet[1]})


def tenths(amperes: Decimal) -> int:
    """In tenths, rounded down."""
    return int(amperes * 10)


def _da(row: dict[str, Any], name: str) -> int | None:
    """A limit that is given in A or in kW."""
    amperes, kilowatts = row[f"{name}_a"], row[f"{name}_kw"]
    if amperes is not None:
        return tenths(amperes)
    return None if kilowatts is None else da_of_watts(float(kilowatts) * 1000, row["phases"])


def _group(row: dict[str, Any], hours: Sequence[dict[str, Any]]) -> Group:
    limit_da = _da(row, "limit")
    assert limit_da is not None
    # What is kept for others is rounded up.
    reserve_da = math.ceil(da_of_watts(float(row["reserve_kw"]) * 1000 + 60, row["phases"])) if row["reserve_kw"] else 0
    return Group(
        GroupId(row["id"]),
        None if row["parent_id"] is None else GroupId(row["parent_id"]),
        limit_da,
        reserve_da,
        tenths(row["failsafe_a"]),
        _da(row, "outside"),
        row["outside_until"],
        tuple(
            LimitHours(
                frozenset(each["days"]),
                each["since"],
                each["until"],
                da_of_watts(float(each["limit_kw"]) * 1000, row["phases"]),
            )
            for each in hours
        ),
    )


def _member(row: dict[str, Any]) -> Member:
    phases = ALL_PHASES if row["phases"] == 3 or row["dc"] else (row["l1_is"],)
    max_da = tenths(row["max_a"])
    # A whole ampere up: 22 kW are 32 A on every type plate.
    rated_da = 10 * math.ceil(da_of_watts(row["power_kw"] * 1000, len(phases)) / 10) if row["power_kw"] else max_da
    return Member(
        (StationId(row["station_id"]), ConnectorId(row["connector_id"])),
        GroupId(row["group_id"]),
        phases,
        tenths(row["min_a"]),
        max_da,
        rated_da,
        tenths(row["failsafe_a"]),
        row["dc"],
    )
