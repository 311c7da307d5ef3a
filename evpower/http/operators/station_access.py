"""Stations' passwords and security events: below the administrators' door and on the control socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import trio
from quart import Blueprint, Response

from evpower.billing.service import BillingService
from evpower.http.operators.bodies.orders import new_password
from evpower.http.operators.shapes.station_access import (
    PasswordBody,
    ProcessFacts,
    SecurityEventBody,
    event_body,
    password_body,
)
from evpower.http.operators.station_commands import ANSWER_WITHIN_S, known_station
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import FreeForm, described
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs, who
from evpower.security.station_access import StationAccess
from evpower.staff.rights import Extent, Right
from evpower.tags.service import Tags

READ_WITHIN_S = 10


def access_routes(access: StationAccess) -> Blueprint:
    """`PUT /stations/{station_id}/password` (`{"password": …, "push": false, "form": "plain" | "hex"}`),
    `POST /stations/{station_id}/revoke`, and `GET /stations/{station_id}/security-events`."""
    routes = Blueprint("station_access", __name__, url_prefix="/stations")

    @routes.put("/<station_id>/password")
    @needs(Right.NETWORK)
    @described("Set a station's password", body=new_password, data=PasswordBody, refused=200)
    async def set_password(station_id: str) -> Response:
        password, push, form = new_password(BodyFields(await read_object()))
        with trio.fail_after(ANSWER_WITHIN_S):
            change = await access.set_password(known_station(station_id), password, push=push, form=form)
        return written_data(password_body(change, pushed=push))

    @routes.post("/<station_id>/revoke")
    @needs(Right.NETWORK)
    @described("End a station's certificates", data=dict[str, str])
    async def revoke(station_id: str) -> Response:
        found = known_station(station_id)
        with trio.fail_after(READ_WITHIN_S):
            await access.revoke(found)
        return written_data({"station_id": found, "certificates": "ended"})

    @routes.get("/<station_id>/security-events")
    @needs(Right.READ)
    @described("What a station reported of its security", data=list[SecurityEventBody])
    async def security_events(station_id: str) -> Response:
        with trio.fail_after(READ_WITHIN_S):
            events = await access.security_events(known_station(station_id))
        return written_data([event_body(each) for each in events])

    return routes


def doctor_routes(
    access: StationAccess, tags: Tags, billing: BillingService, process: Callable[[], ProcessFacts] | None = None
) -> Blueprint:
    """`/doctor`: what of the rows leaves a door open, or waits for a person; and what only the process itself knows."""
    routes = Blueprint("doctor", __name__, url_prefix="/doctor")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("What of the rows leaves a door open", data=FreeForm)
    async def doctor() -> Response:
        with trio.fail_after(READ_WITHIN_S):
            found = await access.without_credentials()
            findings: dict[str, Any] = {
                "stations_without_credentials": [each for each in found if who().has_station(each)]
            }
            if who().extent(Right.READ) is Extent.ALL:
                findings["cards_that_are_phones"] = await tags.phone_numbers()
                findings["displaced_phones"] = [asdict(each) for each in await billing.displaced_phones()]
                if process is not None:
                    findings |= asdict(process())
        return written_data(findings)

    return routes
