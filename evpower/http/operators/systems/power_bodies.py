"""Power groups as operators read them."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

from evpower.http.wire.described import Instant
from evpower.http.wire.values import instant
from evpower.power.orders import GroupRecord
from evpower.power.picture import SitePicture
from evpower.power.service import PowerMoment
from evpower.power.site import GroupId


class PowerMemberBody(TypedDict):
    """A connector of a group: the phases it loads (of one, which is its L1), A for each phase."""

    station_id: str
    connector_id: int
    phases: int
    l1_is: int
    min_a: float
    max_a: float
    dc: bool
    priority: int


#: A limit by the clock of Bishkek; days from 1 (Monday). `from` is a word of Python.
PowerHoursBody = TypedDict("PowerHoursBody", {"days": list[int], "from": str, "to": str, "limit_kw": float})


class PowerGroupBody(TypedDict):
    """A group; of `limit_a` (each phase) and `limit_kw` one is given."""

    id: int
    parent_id: int | None
    location_id: str
    name: str
    phases: int
    limit_a: float | None
    limit_kw: float | None
    reserve_kw: float
    failsafe_a: float
    active: bool
    outside_limit_a: float | None
    outside_limit_kw: float | None
    outside_valid_until: Instant | None
    schedule: list[PowerHoursBody]
    members: list[PowerMemberBody]
    warnings: list[str]


class PowerLoadBody(TypedDict):
    """A group now; A of its fullest phase. `possible_a`: what may flow at most, whatever becomes of our commands."""

    id: int
    parent_id: int | None
    name: str
    limit_a: float
    granted_a: float
    possible_a: float
    measured_a: float


class PowerMemberNowBody(TypedDict):
    """A connector now; A of each phase."""

    station_id: str
    connector_id: int
    group_id: int
    phases: list[int]
    charging: bool
    online: bool
    obeys: bool
    wanted_a: float
    granted_a: float
    possible_a: float
    measured_a: float
    paused_since: Instant | None


class PowerStateBody(TypedDict):
    """A group's figures, those of its whole site, and the site's connectors."""

    id: int
    limit_a: float
    granted_a: float
    measured_a: float
    at: Instant
    groups: list[PowerLoadBody]
    members: list[PowerMemberNowBody]


class PowerMomentBody(TypedDict):
    """A group at one moment; A of its fullest phase."""

    at: Instant
    limit_a: float
    granted_a: float
    possible_a: float
    measured_a: float


def power_group_body(record: GroupRecord) -> PowerGroupBody:
    order, outside = record.order, record.outside
    return {
        "id": record.id,
        "parent_id": order.parent_id,
        "location_id": order.location_id,
        "name": order.name,
        "phases": order.phases,
        "limit_a": _number(order.limit_a),
        "limit_kw": _number(order.limit_kw),
        "reserve_kw": float(order.reserve_kw),
        "failsafe_a": float(order.failsafe_a),
        "active": order.active,
        "outside_limit_a": None if outside is None else _number(outside.limit_a),
        "outside_limit_kw": None if outside is None else _number(outside.limit_kw),
        "outside_valid_until": None if outside is None else instant(outside.valid_until),
        "schedule": [
            {
                "days": list(hours.days),
                "from": f"{hours.since:%H:%M}",
                "to": f"{hours.until:%H:%M}",
                "limit_kw": float(hours.limit_kw),
            }
            for hours in record.schedule
        ],
        "members": [
            {
                "station_id": member.outlet[0],
                "connector_id": member.outlet[1],
                "phases": member.phases,
                "l1_is": member.l1_is,
                "min_a": float(member.min_a),
                "max_a": float(member.max_a),
                "dc": member.dc,
                "priority": member.priority,
            }
            for member in order.members
        ],
        "warnings": list(record.warnings),
    }


def power_state_body(group_id: GroupId, picture: SitePicture) -> PowerStateBody:
    own = next((group for group in picture.groups if group.id == group_id), None)
    return {
        "id": group_id,
        "limit_a": 0.0 if own is None else own.limit_da / 10,
        "granted_a": 0.0 if own is None else own.granted_da / 10,
        "measured_a": 0.0 if own is None else own.measured_da / 10,
        "at": instant(picture.at),
        "groups": [
            {
                "id": group.id,
                "parent_id": group.parent_id,
                "name": group.name,
                "limit_a": group.limit_da / 10,
                "granted_a": group.granted_da / 10,
                "possible_a": group.possible_da / 10,
                "measured_a": group.measured_da / 10,
            }
            for group in picture.groups
        ],
        "members": [
            {
                "station_id": each.member.outlet[0],
                "connector_id": each.member.outlet[1],
                "group_id": each.member.group_id,
                "phases": list(each.member.phases),
                "charging": each.charges,
                "online": each.is_online,
                "obeys": each.obeys,
                "wanted_a": each.wanted_da / 10,
                "granted_a": each.granted_da / 10,
                "possible_a": each.possible_da / 10,
                "measured_a": each.measured_da / 10,
                "paused_since": None if each.paused_since is None else instant(each.paused_since),
            }
            for each in picture.members
        ],
    }


def power_moment_body(moment: PowerMoment) -> PowerMomentBody:
    return {
        "at": instant(moment.at),
        "limit_a": moment.limit_da / 10,
        "granted_a": moment.granted_da / 10,
        "possible_a": moment.possible_da / 10,
        "measured_a": moment.measured_da / 10,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
