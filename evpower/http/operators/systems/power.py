"""`/power-groups`: sites with a limit, below the administrators' door and on the control socket (smart-charging §1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.digits import INT32_MAX
from evpower.errors import InvalidRequest
from evpower.http.operators.systems.power_bodies import (
    PowerGroupBody,
    PowerMomentBody,
    PowerStateBody,
    power_group_body,
    power_moment_body,
    power_state_body,
)
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import (
    CONNECTOR,
    MOMENT,
    SWITCH,
    TEXT,
    FieldKind,
    WrongValue,
    identifier,
    whole,
)
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs, who
from evpower.identifiers import STATION_ID, StationId
from evpower.power.errors import NoSuchGroup
from evpower.power.orders import GroupOrder, HoursOrder, MemberOrder, OutsideLimit
from evpower.power.service import PowerGroups
from evpower.power.site import GroupId
from evpower.staff.rights import Right

#: Profiles of connectors that left are taken away, one after the other.
WITHIN_S = 60
MEMBERS_MOST, HOURS_MOST = 200, 50
ONE_LIMIT = "нужно одно из двух: limit_a или limit_kw"
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def tenths(most: int) -> FieldKind[Decimal]:
    """A number from 0 on, with one decimal at most."""

    def read(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise WrongValue("должно быть числом")
        number = Decimal(value)
        if not 0 <= number <= most or number * 10 != int(number * 10):
            raise WrongValue(f"от 0 до {most}, не более одного знака после запятой")
        return number

    return FieldKind({"type": "number", "minimum": 0, "maximum": most, "multipleOf": 0.1}, read)


AMPERES, KILOWATTS = tenths(6_300), tenths(10_000)
OF_A_CONNECTOR = tenths(1_000)


def _listed(read_one: Callable[[Any], Any], most: int, properties: dict[str, Any]) -> FieldKind[Sequence[Any]]:
    def read(value: Any) -> Sequence[Any]:
        if not isinstance(value, list) or len(value) > most or not all(isinstance(each, dict) for each in value):
            raise WrongValue(f"нужен список объектов, не более {most}")
        try:
            return [read_one(each) for each in value]
        except InvalidRequest as wrong:
            raise WrongValue("; ".join(f"{name}: {message}" for name, message in wrong.fields)) from None

    items = {"type": "object", "properties": properties}
    return FieldKind({"type": "array", "items": items, "maxItems": most}, read)


def member_order(value: dict[str, Any]) -> MemberOrder:
    """A connector of a group. Raises InvalidRequest."""
    fields = BodyFields(value)
    station = fields.required("station_id", identifier(STATION_ID))
    connector = fields.required("connector_id", CONNECTOR)
    phases, l1_is = fields.optional("phases", whole(1, 3)), fields.optional("l1_is", whole(1, 3))
    min_a, max_a = fields.optional("min_a", OF_A_CONNECTOR), fields.required("max_a", OF_A_CONNECTOR)
    dc, priority = fields.optional("dc", SWITCH), fields.optional("priority", whole(0, 100))
    least = Decimal(6) if min_a is None else min_a
    if phases == 2:
        fields.wrong("phases", "1 или 3")
    if max_a is not None and max_a < least:
        fields.wrong("max_a", "не меньше min_a")
    fields.check()
    assert station is not None
    assert connector is not None
    assert max_a is not None
    outlet = StationId(station), connector
    return MemberOrder(outlet, phases or 3, l1_is or 1, least, max_a, bool(dc), priority or 0)


def _clock(value: Any) -> time:
    if not isinstance(value, str) or CLOCK.fullmatch(value) is None:
        raise WrongValue("время ЧЧ:ММ")
    return time.fromisoformat(value)


def _days(value: Any) -> Sequence[int]:
    if not isinstance(value, list) or not value or not all(each in range(1, 8) for each in value):
        raise WrongValue("список дней от 1 (понедельник) до 7")
    return sorted({int(each) for each in value})


AT = FieldKind({"type": "string", "pattern": f"^(?:{CLOCK.pattern})$"}, _clock)
DAYS = FieldKind({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}, "minItems": 1}, _days)


def hours_order(value: dict[str, Any]) -> HoursOrder:
    """A limit by the clock. Raises InvalidRequest."""
    fields = BodyFields(value)
    days, since, until = fields.required("days", DAYS), fields.required("from", AT), fields.required("to", AT)
    limit_kw = fields.required("limit_kw", KILOWATTS)
    fields.check()
    assert days is not None
    assert since is not None
    assert until is not None
    assert limit_kw is not None
    return HoursOrder(days, since, until, limit_kw)


MEMBERS = _listed(member_order, MEMBERS_MOST, {"station_id": {"type": "string"}, "connector_id": {"type": "integer"}})
HOURS = _listed(hours_order, HOURS_MOST, {"days": dict(DAYS.schema), "from": dict(AT.schema), "to": dict(AT.schema)})


def group_order(fields: BodyFields) -> GroupOrder:
    """A whole group. Raises InvalidRequest."""
    location, name = fields.required("location_id", TEXT), fields.required("name", TEXT)
    parent, phases = fields.optional("parent_id", whole(1, INT32_MAX)), fields.optional("phases", whole(1, 3))
    limit_a, limit_kw = fields.optional("limit_a", AMPERES), fields.optional("limit_kw", KILOWATTS)
    reserve_kw, failsafe_a = fields.optional("reserve_kw", KILOWATTS), fields.optional("failsafe_a", OF_A_CONNECTOR)
    active, members = fields.optional("active", SWITCH), fields.optional("members", MEMBERS)
    if fields.has("limit_a") == fields.has("limit_kw"):
        fields.wrong("limit_a", ONE_LIMIT)
    if phases == 2:
        fields.wrong("phases", "1 или 3")
    fields.check()
    assert location is not None
    assert name is not None
    return GroupOrder(
        location,
        name,
        None if parent is None else GroupId(parent),
        phases or 3,
        limit_a,
        limit_kw,
        reserve_kw or Decimal(0),
        failsafe_a or Decimal(0),
        active is not False,
        members or (),
    )


def outside_limit(fields: BodyFields) -> OutsideLimit:
    """A limit from outside, and until when. Raises InvalidRequest."""
    limit_a, limit_kw = fields.optional("limit_a", AMPERES), fields.optional("limit_kw", KILOWATTS)
    valid_until = fields.required("valid_until", MOMENT)
    if fields.has("limit_a") == fields.has("limit_kw"):
        fields.wrong("limit_a", ONE_LIMIT)
    fields.check()
    assert valid_until is not None
    return OutsideLimit(limit_a, limit_kw, valid_until)


def schedule_order(fields: BodyFields) -> Sequence[HoursOrder]:
    """`schedule`: all of it. Raises InvalidRequest."""
    schedule = fields.required("schedule", HOURS)
    fields.check()
    return schedule or ()


def history_query(fields: BodyFields) -> tuple[datetime, datetime]:
    """`?from=&to=`. Raises InvalidRequest."""
    since, until = fields.required("from", MOMENT), fields.required("to", MOMENT)
    fields.check()
    assert since is not None
    assert until is not None
    return since, until


def power_routes(power: PowerGroups) -> Blueprint:
    """`/power-groups`: list and POST; of one GET, PUT, DELETE, `/state`, `/history`, `PUT /limit`, `PUT /schedule`."""
    routes = Blueprint("power_groups", __name__, url_prefix="/power-groups")
    _group_routes(routes, power)
    _limit_routes(routes, power)
    return routes


def _group_routes(routes: Blueprint, power: PowerGroups) -> None:
    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Sites with a limit, their groups and connectors", data=list[PowerGroupBody])
    async def groups() -> Response:
        with trio.fail_after(WITHIN_S):
            found = [each for each in await power.groups() if who().own is None or await _is_own(power, each.id)]
            return written_data([power_group_body(each) for each in found])

    @routes.post("")
    @needs(Right.NETWORK)
    @described("Make a power group", body=group_order, data=PowerGroupBody)
    async def add() -> Response:
        order = group_order(await _fields())
        with trio.fail_after(WITHIN_S):
            return written_data(power_group_body(await power.store(None, order, actor=acting())))

    @routes.get("/<int:group_id>")
    @needs(Right.READ, filters=True)
    @described("One power group", data=PowerGroupBody)
    async def group(group_id: int) -> Response:
        with trio.fail_after(WITHIN_S):
            await _require_own(power, GroupId(group_id))
            return written_data(power_group_body(await power.group(GroupId(group_id))))

    @routes.put("/<int:group_id>")
    @needs(Right.NETWORK)
    @described("Write a power group anew; connectors that are left out leave it", body=group_order, data=PowerGroupBody)
    async def change(group_id: int) -> Response:
        order = group_order(await _fields())
        with trio.fail_after(WITHIN_S):
            return written_data(power_group_body(await power.store(GroupId(group_id), order, actor=acting())))

    @routes.delete("/<int:group_id>")
    @needs(Right.NETWORK)
    @described("Delete a power group: its connectors are limited no more", data=list[PowerGroupBody], refused=200)
    async def delete(group_id: int) -> Response:
        with trio.fail_after(WITHIN_S):
            await power.delete(GroupId(group_id), actor=acting())
            return written_data([power_group_body(each) for each in await power.groups()])


async def _is_own(power: PowerGroups, group_id: GroupId) -> bool:
    """An operator sees a site whose every connector is at stations of theirs. Raises NoSuchGroup."""
    own = who().own
    return own is None or (await power.state(group_id)).is_all_at(own.stations)


async def _require_own(power: PowerGroups, group_id: GroupId) -> None:
    """Raises NoSuchGroup, also for a site that is not theirs."""
    if not await _is_own(power, group_id):
        raise NoSuchGroup


async def _fields() -> BodyFields:
    """The body; who acts is known by the door, and refused in it."""
    body = await read_object()
    refuse_actor(body)
    return BodyFields(body)


def _limit_routes(routes: Blueprint, power: PowerGroups) -> None:
    @routes.get("/<int:group_id>/state")
    @needs(Right.READ, filters=True)
    @described("A group's limit, what is granted and measured, and every connector of its site", data=PowerStateBody)
    async def state(group_id: int) -> Response:
        with trio.fail_after(WITHIN_S):
            await _require_own(power, GroupId(group_id))
            return written_data(power_state_body(GroupId(group_id), await power.state(GroupId(group_id))))

    @routes.put("/<int:group_id>/limit")
    @needs(Right.NETWORK)
    @described("A limit from outside, until a moment", body=outside_limit, data=PowerGroupBody)
    async def limit(group_id: int) -> Response:
        outside = outside_limit(await _fields())
        with trio.fail_after(WITHIN_S):
            return written_data(power_group_body(await power.limit(GroupId(group_id), outside, actor=acting())))

    @routes.put("/<int:group_id>/schedule")
    @needs(Right.NETWORK)
    @described("Limits by the clock of Bishkek", body=schedule_order, data=PowerGroupBody)
    async def schedule(group_id: int) -> Response:
        hours = schedule_order(await _fields())
        with trio.fail_after(WITHIN_S):
            return written_data(power_group_body(await power.schedule(GroupId(group_id), hours, actor=acting())))

    @routes.get("/<int:group_id>/history")
    @needs(Right.READ, filters=True)
    @described("A group minute by minute", query=history_query, data=list[PowerMomentBody])
    async def history(group_id: int) -> Response:
        since, until = history_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            await _require_own(power, GroupId(group_id))
            found = await power.history(GroupId(group_id), since, until)
        return written_data([power_moment_body(each) for each in found])
