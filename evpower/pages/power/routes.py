"""`/network/power`: sites with a limit, one of them live, and a limit from outside (roadmap/smart-charging §7).

Administrators see all; an operator sees a site whose every connector is at stations of theirs, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, redirect, request

from evpower.attention.picture import Pictures
from evpower.clock import Clock, Ids
from evpower.errors import InvalidRequest, TooManyRequests
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in
from evpower.pages.live import LONGEST_S, TICK_EVERY_S, VIEWERS_MOST, Rows, Viewer
from evpower.pages.power.sites import GroupView, SharedViews, may_see
from evpower.pages.power.stream import GroupStream
from evpower.power.errors import NoSuchGroup
from evpower.power.orders import GroupRecord, OutsideLimit
from evpower.power.picture import SitePicture
from evpower.power.service import PowerGroups
from evpower.power.site import GroupId
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 20
#: What a form proposes.
LASTS = timedelta(hours=2)
LIMIT_MOST = {"a": Decimal(6_300), "kw": Decimal(10_000)}


@dataclass(frozen=True)
class ListedGroup:
    """A group in the list of all, so many levels below its site's connection."""

    record: GroupRecord
    level: int
    site: SitePicture


def power_routes(
    power: PowerGroups,
    views: SharedViews,
    pictures: Pictures,
    acts: OperatorActs,
    pages: Pages,
    clock: Clock,
    ids: Ids,
    timezone: ZoneInfo,
) -> Blueprint:
    """Groups, and one of them."""
    routes, rows = Blueprint("power", __name__, url_prefix="/network/power"), Rows(pages.render)

    async def seen(group_id: int) -> GroupView:
        """Raises NoSuchGroup, also for a site that is not theirs."""
        signed_in().require(Right.READ)
        view = await views.view(GroupId(group_id))
        if not may_see(signed_in().acting, view.site):
            raise NoSuchGroup
        return view

    async def show(view: GroupView, status: int = 200, **names: Any) -> Response:
        until = (clock.now() + LASTS).astimezone(timezone)
        filled = {"limit": "", "unit": "a", "valid_until": f"{until:%Y-%m-%dT%H:%M}"}
        shown = {"wrong": {}, "filled": filled, **names}
        return await pages.show("power/group.html", status, view=view, **shown)

    @routes.get("")
    async def groups() -> Response:
        signed_in().require(Right.READ)
        with trio.fail_after(WITHIN_S):
            found = await _listed(power)
        if found is None:
            return await pages.show("power/groups.html", found=[], is_on=False)
        own = [each for each in found if may_see(signed_in().acting, each.site)]
        return await pages.show("power/groups.html", found=own, is_on=True)

    @routes.get("/<int:group_id>")
    async def group(group_id: int) -> Response:
        return await show(await seen(group_id))

    @routes.get("/<int:group_id>/live")
    async def live(group_id: int) -> Response:
        view = await seen(group_id)
        if pictures.watchers >= VIEWERS_MOST:
            raise TooManyRequests(int(TICK_EVERY_S) * 5)
        viewer = Viewer(signed_in(), choices().language, "", None)
        scope = cast("dict[str, Any]", request.scope)  # Hypercorn's types name its fields; ours is one more
        body = GroupStream(pictures, clock, ids, rows, viewer, scope, views, view.record.id)
        response = Response(body, content_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = LONGEST_S
        return response

    @routes.post("/<int:group_id>/limit")
    async def limit(group_id: int) -> Any:
        visitor, key, wanted = signed_in(), await form_key(), GroupId(group_id)
        visitor.require(Right.NETWORK)
        given = {name: await form_text(name) for name in ("limit", "unit", "valid_until")}
        try:
            order = read_limit(given, clock.now(), timezone)
        except InvalidRequest as wrong:
            return await show(await seen(group_id), 400, wrong=dict(wrong.fields), filled=given)

        async def perform() -> None:
            await power.limit(wanted, order, actor=visitor.acting.actor)

        detail = f"{given['limit']} {given['unit']} → {given['valid_until']}"
        with trio.fail_after(WITHIN_S):
            await acts.once(visitor.acting, Intent(key, "power_limit", str(group_id), detail), perform)
        views.forget(wanted)
        return redirect(f"/network/power/{group_id}", 303)

    return routes


def read_limit(given: dict[str, str], now: datetime, timezone: ZoneInfo) -> OutsideLimit:
    """A limit from outside, as its form has it; `valid_until` is by the network's clock. Raises InvalidRequest."""
    wrong, unit = list[tuple[str, str]](), given["unit"]
    limit, until = Decimal(0), now
    try:
        limit = Decimal(given["limit"].replace(",", "."))
        if unit not in LIMIT_MOST:
            wrong.append(("unit", "unknown"))
        elif not (0 <= limit <= LIMIT_MOST[unit] and limit * 10 == int(limit * 10)):
            wrong.append(("limit", "tenths"))
    except InvalidOperation:
        wrong.append(("limit", "tenths"))
    try:
        until = datetime.fromisoformat(given["valid_until"]).replace(tzinfo=timezone)
        if until <= now:
            wrong.append(("valid_until", "over"))
    except ValueError:
        wrong.append(("valid_until", "over"))
    if wrong:
        raise InvalidRequest(*wrong)
    return OutsideLimit(limit if unit == "a" else None, limit if unit == "kw" else None, until)


async def _listed(power: PowerGroups) -> list[ListedGroup] | None:
    """Every group beneath the one above it; None: the feature is switched off."""
    try:
        records = await power.groups()
    except NoSuchGroup:
        return None
    found = list[ListedGroup]()
    for root in records:
        if root.order.parent_id is None:
            site = await power.state(root.id)
            found += [ListedGroup(record, level, site) for record, level in _tree(records, root, 0)]
    return found


def _tree(records: Sequence[GroupRecord], above: GroupRecord, level: int) -> Iterator[tuple[GroupRecord, int]]:
    yield above, level
    for each in records:
        if each.order.parent_id == above.id:
            yield from _tree(records, each, level + 1)
