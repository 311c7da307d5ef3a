"""Forms of power groups: a new one, one anew, its hours by the clock, its end (roadmap/smart-charging §1).

For administrators. What REST and `evpower power write` may, these may, by the same rules; a form that was made of a
group that has changed since says so, and writes nothing until it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.network_views import NetworkViews, StationFilter
from evpower.administration.records import Page
from evpower.errors import InvalidRequest
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.pages.power.forms import (
    DAYS,
    GROUP_FIELDS,
    MEMBER_FIELDS,
    OfferedConnector,
    filled_group,
    filled_hours,
    offered,
    read_group,
    read_hours,
)
from evpower.pages.power.sites import SharedViews
from evpower.power.errors import GroupHasChanged, GroupHasGroups
from evpower.power.orders import GroupRecord
from evpower.power.service import PowerGroups
from evpower.power.site import GroupId
from evpower.staff.acts import DONE, Intent, OperatorActs
from evpower.staff.rights import Right

#: Profiles of connectors that leave are taken away, one after the other.
WITHIN_S = 60
LOCATIONS_OFFERED, STATIONS_OFFERED, CONNECTORS_MOST = 1000, 200, 200
LIST = "/network/power"
HOURS_MOST = 50


@dataclass(frozen=True)
class GroupForm:
    """What a form of a group is about: its location, the group it is (None: a new one), and what may be in it."""

    location_id: str
    record: GroupRecord | None
    records: Sequence[GroupRecord]
    connectors: Sequence[OfferedConnector]

    @property
    def others(self) -> list[GroupRecord]:
        """What it may be beneath."""
        return [each for each in self.records if self.record is None or each.id != self.record.id]


def power_forms(
    power: PowerGroups, views: SharedViews, network: NetworkViews, acts: OperatorActs, pages: Pages
) -> Blueprint:
    """Below `/network/power`."""
    routes, forms = Blueprint("power_forms", __name__, url_prefix=LIST), _Forms(power, network, pages)

    @routes.before_request
    async def admit() -> None:
        signed_in().require(Right.NETWORK)

    @routes.get("/new")
    async def new() -> Response:
        location_id = request.args.get("location", "").strip()
        if not location_id:
            return await forms.choose_location()
        form = await forms.of(location_id, None)
        return await forms.show_group(form, filled_group(None, form.connectors))

    @routes.post("/new")
    async def add() -> Any:
        return await write(await forms.of(await form_text("location_id"), None))

    @routes.get("/<int:group_id>/edit")
    async def edit(group_id: int) -> Response:
        form = await forms.of_group(GroupId(group_id))
        return await forms.show_group(form, filled_group(form.record.order if form.record else None, form.connectors))

    @routes.post("/<int:group_id>/edit")
    async def change(group_id: int) -> Any:
        return await write(await forms.of_group(GroupId(group_id)))

    async def write(form: GroupForm) -> Any:
        key, actor, record = await form_key(), signed_in().acting.actor, form.record
        given = {name: await form_text(name) for name in _names(form)}
        group_id, seen = (None, "") if record is None else (record.id, await form_text("seen"))
        try:
            order = read_group(form.location_id, given, form.connectors)
        except InvalidRequest as refused:
            return await forms.show_group(form, given, 400, wrong=dict(refused.fields), seen=seen)

        async def perform() -> str:
            return str((await power.store(group_id, order, actor=actor, seen=seen)).id)

        name, target = ("add", form.location_id) if record is None else ("change", str(record.id))
        intent = Intent(key, f"power_groups-{name}", target, given["name"])
        try:
            with trio.fail_after(WITHIN_S):
                act = await acts.once(signed_in().acting, intent, perform)
        except InvalidRequest as refused:
            return await forms.show_group(form, given, 400, wrong=dict(refused.fields), seen=seen)
        except GroupHasChanged:
            now = await forms.of(form.location_id, group_id)
            return await forms.show_group(now, given, 409, wrong={"seen": ""})
        if record is not None:
            views.forget(record.id)
        return redirect(f"{LIST}/{act.answer}" if act.outcome == DONE else LIST, 303)

    @routes.get("/<int:group_id>/schedule")
    async def hours(group_id: int) -> Response:
        record = await power.group(GroupId(group_id))
        rows = filled_hours(record.schedule, peaks=bool(request.args.get("peaks")))
        return await forms.show_hours(record, rows)

    @routes.post("/<int:group_id>/schedule")
    async def schedule(group_id: int) -> Any:
        key, record = await form_key(), await power.group(GroupId(group_id))
        names = ("limit_kw", "from", "to", *(f"day{day}" for day in DAYS))
        count = min(HOURS_MOST, len((await request.form).getlist("row")))
        rows = [{name: await form_text(f"h{number}.{name}") for name in names} for number in range(count)]
        seen = await form_text("seen")
        try:
            order = read_hours(rows)
        except InvalidRequest as refused:
            return await forms.show_hours(record, rows, 400, wrong=dict(refused.fields), seen=seen)

        async def perform() -> None:
            await power.schedule(record.id, order, actor=signed_in().acting.actor, seen=seen)

        detail = "; ".join(f"{row['from']}–{row['to']} {row['limit_kw']}" for row in rows if row["limit_kw"])
        try:
            with trio.fail_after(WITHIN_S):
                intent = Intent(key, "power_groups-schedule", str(group_id), detail or None)
                await acts.once(signed_in().acting, intent, perform)
        except InvalidRequest as refused:
            return await forms.show_hours(record, rows, 400, wrong=dict(refused.fields), seen=seen)
        except GroupHasChanged:
            return await forms.show_hours(await power.group(record.id), rows, 409, wrong={"seen": ""})
        views.forget(record.id)
        return redirect(f"{LIST}/{group_id}", 303)

    @routes.post("/<int:group_id>/delete")
    async def delete(group_id: int) -> Any:
        key, form = await form_key(), await forms.of_group(GroupId(group_id))

        async def perform() -> None:
            await power.delete(GroupId(group_id), actor=signed_in().acting.actor)

        try:
            with trio.fail_after(WITHIN_S):
                await acts.once(signed_in().acting, Intent(key, "power_groups-delete", str(group_id)), perform)
        except GroupHasGroups:
            filled = filled_group(form.record.order if form.record else None, form.connectors)
            return await forms.show_group(form, filled, 409, wrong={"delete": ""})
        views.forget(GroupId(group_id))
        return redirect(LIST, 303)

    return routes


def _names(form: GroupForm) -> list[str]:
    # By its own name: a station that came meanwhile moves no connector into another's place.
    return [*GROUP_FIELDS, *(f"{each.name}.{field}" for each in form.connectors for field in MEMBER_FIELDS)]


class _Forms:
    """What forms are made of, and how they are shown."""

    def __init__(self, power: PowerGroups, network: NetworkViews, pages: Pages) -> None:
        self._power = power
        self._network = network
        self._pages = pages

    async def choose_location(self) -> Response:
        """A new group begins with where it is."""
        with trio.fail_after(WITHIN_S):
            places = (await self._network.locations(None, Page(LOCATIONS_OFFERED))).records
            await self._power.groups()  # raises NoSuchGroup where the feature is off
        return await self._pages.show("power/new.html", places=places)

    async def of_group(self, group_id: GroupId) -> GroupForm:
        """Raises NoSuchGroup."""
        with trio.fail_after(WITHIN_S):
            return await self.of((await self._power.group(group_id)).order.location_id, group_id)

    async def of(self, location_id: str, group_id: GroupId | None) -> GroupForm:
        """Raises LocationNotFound, NoSuchGroup."""
        with trio.fail_after(WITHIN_S):
            await self._network.location(location_id)
            records = await self._power.groups()
            wanted = StationFilter(location_id=location_id)
            stations = (await self._network.stations(wanted, Page(STATIONS_OFFERED))).records
        record = next((each for each in records if each.id == group_id), None)
        return GroupForm(location_id, record, records, offered(stations, records, group_id)[:CONNECTORS_MOST])

    async def show_group(self, form: GroupForm, filled: dict[str, str], status: int = 200, **names: Any) -> Response:
        """The form of a group."""
        seen = "" if form.record is None else form.record.seen_as
        shown = {"wrong": {}, "form": form, "filled": filled, "seen": seen, **names}
        return await self._pages.show("power/form.html", status, **shown)

    async def show_hours(
        self, record: GroupRecord, rows: Sequence[dict[str, str]], status: int = 200, **names: Any
    ) -> Response:
        """The form of its limits by the clock."""
        shown = {"wrong": {}, "record": record, "rows": rows, "seen": record.seen_as, "days": DAYS, **names}
        return await self._pages.show("power/schedule.html", status, **shown)
