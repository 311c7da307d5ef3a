"""`/events`: who did what, and what stations reported of themselves (contract/operator-pages §8 Journal, §10.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypedDict

import trio
from quart import Blueprint, Response, request

from evpower.case_files.station_case import StationEvent
from evpower.case_files.stations import StationCases
from evpower.http.operators.bodies.orders import STRING
from evpower.http.operators.bodies.queries import FROM, TO
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.kinds import MOMENT, counted
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs, who
from evpower.identifiers import StationId
from evpower.narrowing import ROWS_MAX, Narrowing
from evpower.staff.rights import Right

WITHIN_S = 20


class EventBody(TypedDict):
    """`who` null: the station itself; `door`: where somebody asked for it; `outcome` null of an act: not known."""

    at: datetime
    target: str
    who: str | None
    door: str | None
    kind: str
    what: str
    outcome: str | None


class EventPageBody(TypedDict):
    """The newest first; `next_cursor` is where the next page begins, null after the last one."""

    events: list[EventBody]
    next_cursor: datetime | None


def events_query(fields: BodyFields) -> tuple[Narrowing, datetime | None]:
    """`?station=&from=&to=&limit=`, and where the page before ended: `?cursor=`."""
    station_id, limit = fields.optional("station", STRING), fields.optional("limit", counted(1, ROWS_MAX))
    since, before = fields.optional("from", FROM), fields.optional("to", TO)
    cursor = fields.optional("cursor", MOMENT)
    fields.check()
    wanted = Narrowing(None if station_id is None else StationId(station_id), since=since, limit=limit or ROWS_MAX)
    return wanted, min(filter(None, (before, cursor)), default=None)


def event_routes(cases: StationCases) -> Blueprint:
    """Of all the network, or of one station; an operator sees what was at their own stations."""
    routes = Blueprint("events", __name__, url_prefix="/events")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Who did what, and what stations reported of themselves", query=events_query, data=EventPageBody)
    async def page() -> Response:
        wanted, before = events_query(BodyFields(request.args))
        own = who().own
        with trio.fail_after(WITHIN_S):
            found = await cases.events(replace(wanted, of_stations=None if own is None else own.stations), before)
        is_last = len(found) < wanted.limit
        body: EventPageBody = {
            "events": [event_body(each) for each in found],
            "next_cursor": None if is_last else found[-1].at,
        }
        return written_data(body)

    return routes


def event_body(event: StationEvent) -> EventBody:
    """One line."""
    return {
        "at": event.at,
        "target": event.target,
        "who": event.who,
        "door": event.door,
        "kind": event.kind,
        "what": event.what,
        "outcome": event.outcome,
    }
