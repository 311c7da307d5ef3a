"""`/network/strangers`: stations that nobody has configured; one is accepted with its location, or turned away."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.network_views import NetworkViews
from evpower.administration.provisioning import Provisioning
from evpower.administration.records import Page
from evpower.digits import whole_number
from evpower.errors import InvalidRequest, NotFound
from evpower.http.wire.requests import station_id_or_none
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 20
MOST_CONNECTORS = 100
MOST_KW = 1000
LOCATIONS_OFFERED = 1000
#: Texts of a station's row, as a fleet file names them; empty ones are what the station reported.
STATION_TEXTS = ("model", "manufacturer", "serial_number", "tariff_plan_id", "password")


def stranger_routes(provisioning: Provisioning, views: NetworkViews, acts: OperatorActs, pages: Pages) -> Blueprint:
    """For administrators."""
    routes = Blueprint("network_strangers", __name__, url_prefix="/network/strangers")

    @routes.before_request
    async def admit() -> None:
        signed_in().require(Right.NETWORK)

    @routes.get("")
    async def strangers() -> Response:
        return await show()

    async def show(wrong: InvalidRequest | None = None, identity: str = "", given: Any = None) -> Response:
        with trio.fail_after(WITHIN_S):
            found = await provisioning.strangers(rejected_too=bool(request.args.get("all")))
            places = await views.locations(None, Page(LOCATIONS_OFFERED))
        names = {"found": found, "places": places.records, "wrong": wrong, "identity": identity, "given": given or {}}
        return await pages.show("network/strangers.html", 200 if wrong is None else 400, **names)

    @routes.post("/<identity>")
    async def decide(identity: str) -> Any:
        visitor, key, act = signed_in(), await form_key(), await form_text("act")
        actor = visitor.acting.actor
        if station_id_or_none(identity) is None:
            raise NotFound
        if act not in ("accept", "reject"):
            raise InvalidRequest(("act", "accept, reject"))

        async def perform() -> None:
            if act == "accept":
                await provisioning.accept(identity, await _station(), actor=actor)
            else:
                await provisioning.reject(identity, actor=actor)

        try:
            with trio.fail_after(WITHIN_S):
                await acts.once(visitor.acting, Intent(key, f"{act}_stranger", identity), perform)
        except InvalidRequest as wrong:
            form = await request.form
            return await show(wrong, identity, {name: form.get(name, "") for name in form if name != "password"})
        return redirect(f"/stations/{identity}" if act == "accept" else "/network/strangers", 303)

    return routes


async def _station() -> dict[str, Any]:
    """A station's fields as in a fleet file. Raises InvalidRequest."""
    count, power_kw = await _number("connectors", MOST_CONNECTORS, 1), await _number("power_kw", MOST_KW, 0)
    connector: dict[str, Any] = {"connector_type": await form_text("connector_type") or None}
    if power_kw:
        connector["power_kw"] = power_kw
    texts = {name: await form_text(name) or None for name in STATION_TEXTS}
    return {
        **texts,
        "location_id": await form_text("location_id"),
        "power_capacity": power_kw or None,
        "connectors": [
            {"connector_number": number, **{name: value for name, value in connector.items() if value}}
            for number in range(1, (count or 1) + 1)
        ],
    }


async def _number(name: str, most: int, usual: int) -> int:
    text = await form_text(name)
    number = whole_number(text, most) if text else usual
    if number is None:
        raise InvalidRequest((name, f"целое число, не больше {most}"))
    return number
