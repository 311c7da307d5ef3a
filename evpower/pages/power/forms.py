"""What is filled in of a power group, read as its REST door reads it (`http/operators/systems/power.py`). Pure.

What is wrong is named by its place: a field, `EVP-1/2.max_a` of a connector, `h0.from` of hours by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from evpower.administration.records import SeenStation
from evpower.errors import InvalidRequest
from evpower.http.operators.systems.power import group_order, hours_order, member_order
from evpower.http.wire.requests import BodyFields
from evpower.identifiers import ConnectorId
from evpower.power.orders import GroupOrder, GroupRecord, HoursOrder, MemberOrder
from evpower.power.site import GroupId, OutletId

GROUP_FIELDS = ("name", "parent_id", "phases", "limit", "unit", "reserve_kw", "failsafe_a", "active")
MEMBER_FIELDS = ("in", "phases", "l1_is", "min_a", "max_a", "dc", "priority")
#: Rows of hours that a form has beside those that are set.
HOURS_MORE = 3
DAYS = range(1, 8)
#: Of the winter (roadmap/smart-charging §1): what the form offers to fill in.
PEAKS = (("07:00", "09:00"), ("18:00", "22:00"))
#: What a connector of so many kW takes of each of three phases.
KW_OF_AN_AMPERE = Decimal("0.69")
#: What is certainly no alternating current: by its name, or by its power.
OF_DIRECT_CURRENT, ALTERNATING_KW_MOST = ("CCS", "CHADEMO"), 43
#: OCPP's own least (IEC 61851).
LEAST_A = "6"


@dataclass(frozen=True)
class OfferedConnector:
    """A connector that may be in the group; `group_id`: it is in that one now."""

    outlet: OutletId
    connector_type: str
    power_kw: float | None
    group_id: GroupId | None

    @property
    def name(self) -> str:
        return f"{self.outlet[0]}/{self.outlet[1]}"


def offered(
    stations: Iterable[SeenStation], records: Iterable[GroupRecord], of: GroupId | None
) -> list[OfferedConnector]:
    """The group's own connectors, wherever they are, so that no form loses one unseen; then the location's others."""
    groups = {member.outlet: record.id for record in records for member in record.order.members}
    known = {
        (station.record.id, ConnectorId(each.connector_number)): each
        for station in stations
        for each in station.record.connectors
    }
    elsewhere = sorted(outlet for outlet, group in groups.items() if group == of and outlet not in known)
    rows = [
        OfferedConnector(outlet, each.connector_type or "", each.power_kw, groups.get(outlet))
        for outlet, each in known.items()
    ]
    rows += [OfferedConnector(outlet, "", None, of) for outlet in elsewhere]
    return sorted(rows, key=lambda each: (of is None or each.group_id != of, each.outlet))


def filled_group(order: GroupOrder | None, connectors: Sequence[OfferedConnector]) -> dict[str, str]:
    """A form of the group as it is; of a new one what is usual."""
    filled = {"phases": "3", "unit": "a", "reserve_kw": "0", "failsafe_a": "0", "active": "on"}
    if order is not None:
        limit = order.limit_kw if order.limit_a is None else order.limit_a
        filled |= {
            "name": order.name,
            "parent_id": "" if order.parent_id is None else str(order.parent_id),
            "phases": str(order.phases),
            "limit": _plain(limit),
            "unit": "kw" if order.limit_a is None else "a",
            "reserve_kw": _plain(order.reserve_kw),
            "failsafe_a": _plain(order.failsafe_a),
            "active": "on" if order.active else "",
        }
    members = {} if order is None else {each.outlet: each for each in order.members}
    for connector in connectors:
        filled |= {f"{connector.name}.{field}": text for field, text in _filled_member(connector, members).items()}
    return filled


def _filled_member(connector: OfferedConnector, members: Mapping[OutletId, MemberOrder]) -> dict[str, str]:
    member = members.get(connector.outlet)
    if member is None:
        kw = Decimal(str(connector.power_kw or 22))
        is_dc = connector.connector_type.upper().startswith(OF_DIRECT_CURRENT) or kw > ALTERNATING_KW_MOST
        most = _plain((kw / KW_OF_AN_AMPERE).quantize(Decimal(1)))
        return {"in": "", "phases": "3", "l1_is": "1", "min_a": LEAST_A, "max_a": most, "dc": "on" if is_dc else ""} | {
            "priority": "0"
        }
    return {
        "in": "on",
        "phases": str(member.phases),
        "l1_is": str(member.l1_is),
        "min_a": _plain(member.min_a),
        "max_a": _plain(member.max_a),
        "dc": "on" if member.dc else "",
        "priority": str(member.priority),
    }


def read_group(location_id: str, given: Mapping[str, str], connectors: Sequence[OfferedConnector]) -> GroupOrder:
    """The whole group. Raises InvalidRequest that names every wrong field."""
    wrong, members = list[tuple[str, str]](), list[MemberOrder]()
    for connector in connectors:
        if given.get(f"{connector.name}.in"):
            body = _member_body(connector, {each: given.get(f"{connector.name}.{each}", "") for each in MEMBER_FIELDS})
            try:
                members.append(member_order(body))
            except InvalidRequest as refused:
                wrong += [(f"{connector.name}.{field}", reason) for field, reason in refused.fields]
    try:
        order = group_order(BodyFields(_group_body(location_id, given)))
    except InvalidRequest as refused:
        names = {"limit_a": "limit", "limit_kw": "limit"}
        wrong = [*((names.get(field, field), reason) for field, reason in refused.fields), *wrong]
        raise InvalidRequest(*wrong) from None
    if wrong:
        raise InvalidRequest(*wrong)
    return replace(order, members=members)


def _group_body(location_id: str, given: Mapping[str, str]) -> dict[str, Any]:
    limit = "limit_kw" if given.get("unit") == "kw" else "limit_a"
    return {
        "location_id": location_id,
        "name": given.get("name") or None,
        "parent_id": _number(given.get("parent_id")),
        "phases": _number(given.get("phases")),
        limit: _number(given.get("limit")),
        "reserve_kw": _number(given.get("reserve_kw")),
        "failsafe_a": _number(given.get("failsafe_a")),
        "active": bool(given.get("active")),
    }


def _member_body(connector: OfferedConnector, given: Mapping[str, str]) -> dict[str, Any]:
    station_id, connector_id = connector.outlet
    numbers = {name: _number(given[name]) for name in ("phases", "l1_is", "min_a", "max_a", "priority")}
    return {"station_id": station_id, "connector_id": connector_id, "dc": bool(given["dc"]), **numbers}


def filled_hours(schedule: Sequence[HoursOrder], *, peaks: bool) -> list[dict[str, str]]:
    """Rows of hours as they are, and empty ones; the winter's peaks in these, when they are asked for."""
    rows = [
        {
            **{f"day{day}": "on" if day in each.days else "" for day in DAYS},
            "from": f"{each.since:%H:%M}",
            "to": f"{each.until:%H:%M}",
            "limit_kw": _plain(each.limit_kw),
        }
        for each in schedule
    ]
    more = [dict[str, str]() for _ in range(HOURS_MORE)]
    if peaks:
        for row, (since, until) in zip(more, PEAKS, strict=False):
            row.update({**{f"day{day}": "on" for day in DAYS}, "from": since, "to": until})
    return rows + more


def read_hours(rows: Sequence[Mapping[str, str]]) -> list[HoursOrder]:
    """All hours; an empty row is none. Raises InvalidRequest that names every wrong field."""
    wrong, schedule = list[tuple[str, str]](), list[HoursOrder]()
    for number, row in enumerate(rows):
        if not any(row.get(name) for name in ("limit_kw", "from", "to", *(f"day{day}" for day in DAYS))):
            continue
        body: dict[str, Any] = {
            "days": [day for day in DAYS if row.get(f"day{day}")],
            "from": row.get("from") or None,
            "to": row.get("to") or None,
            "limit_kw": _number(row.get("limit_kw")),
        }
        try:
            schedule.append(hours_order(body))
        except InvalidRequest as refused:
            wrong += [(f"h{number}.{field}", reason) for field, reason in refused.fields]
    if wrong:
        raise InvalidRequest(*wrong)
    return schedule


def _number(text: str | None) -> Decimal | str | None:
    """What the door reads; a text that is no number stays one, and is refused there."""
    if not text:
        return None
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
