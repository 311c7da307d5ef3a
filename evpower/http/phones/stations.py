"""A station's state: /api/v1/station (contract/rest-api §3.1). Public, never cached."""

from __future__ import annotations

from functools import partial

import trio
from quart import Blueprint, Response, request

from evpower.errors import StationNotFound
from evpower.http.phones.answer_types.network import StationBody
from evpower.http.phones.station_shape import station_body
from evpower.http.wire.aliases import doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, caller, reading_client
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields
from evpower.identifiers import STATION_NAME
from evpower.network.station_page import StationPages

ANSWER_WITHIN_S = 9


def station_routes(pages: StationPages, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    routes = doors_below(prefix, "station", "/station")

    @routes.get("/status/<path:name>")
    @described("A station now", caller="anyone", query=partial(reading_client, who=ANYBODY), answer=StationBody)
    async def status(name: str) -> Response:
        if STATION_NAME.fullmatch(name) is None:
            raise StationNotFound
        client_id = reading_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(station_body(await pages.station(name), client_id)))

    return routes
