"""Stations nobody has configured yet: below the administrators' door and on the control socket."""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.administration.provisioning import Provisioning
from evpower.errors import NotFound
from evpower.http.operators.shapes.strangers import accepted_body, stranger_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.requests import read_object, station_id_or_none
from evpower.http.wire.rights import needs
from evpower.staff.rights import Right

WITHIN_S = 20


def stranger_routes(provisioning: Provisioning) -> Blueprint:
    """`/strangers[?all=1]`, and `POST /strangers/{identity}/accept` and `.../reject`.

    The body of an acceptance has `location_id` and a station's fields as in a fleet file, its connectors among them.
    """
    routes = Blueprint("strangers", __name__, url_prefix="/strangers")

    @routes.get("")
    @needs(Right.NETWORK)
    async def list_strangers() -> Response:
        with trio.fail_after(WITHIN_S):
            found = await provisioning.strangers(rejected_too=request.args.get("all") == "1")
        return written_data([stranger_body(each) for each in found])

    @routes.post("/<identity>/accept")
    @needs(Right.NETWORK)
    async def accept(identity: str) -> Response:
        wanted = await read_object()
        refuse_actor(wanted)
        with trio.fail_after(WITHIN_S):
            return written_data(accepted_body(await provisioning.accept(_known(identity), wanted, actor=acting())))

    @routes.post("/<identity>/reject")
    @needs(Right.NETWORK)
    async def reject(identity: str) -> Response:
        refuse_actor(await read_object())
        with trio.fail_after(WITHIN_S):
            await provisioning.reject(_known(identity), actor=acting())
        return written_data({"identity": identity, "status": "rejected"})

    return routes


def _known(identity: str) -> str:
    known = station_id_or_none(identity)
    if known is None:
        raise NotFound
    return known
