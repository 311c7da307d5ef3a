"""`/connector-health[?station=]`: how starts go at each connector, and which are in doubt (issue I, 3)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

import trio
from quart import Blueprint, Response, request

from evpower.health.records import ConnectorDoubt, ConnectorHealth
from evpower.health.service import ConnectorsHealth
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs, who
from evpower.identifiers import StationId
from evpower.network.listing import Reliability
from evpower.staff.rights import Right

WITHIN_S = 10


class ConnectorHealthBody(TypedDict):
    """One connector: of the last `tried` starts `worked` did; `chance`, 0 to 1, that the next one does."""

    station_id: str
    connector_id: int
    reliability: Reliability
    tried: int
    worked: int
    chance: float
    doubt: NotRequired[ConnectorDoubt]
    doubted_since: NotRequired[datetime]


def health_query(fields: BodyFields) -> StationId | None:
    """One station, or all."""
    station = fields.optional("station", TEXT)
    fields.check()
    return None if station is None else StationId(station)


def connector_health_body(health: ConnectorHealth) -> ConnectorHealthBody:
    """As it is kept."""
    body: ConnectorHealthBody = {
        "station_id": health.station_id,
        "connector_id": health.connector_number,
        "reliability": "good" if health.doubt is None else "doubtful",
        "tried": health.tried,
        "worked": health.worked,
        "chance": health.chance,
    }
    if health.doubt is not None and health.doubted_since is not None:
        body["doubt"], body["doubted_since"] = health.doubt, health.doubted_since
    return body


def health_routes(health: ConnectorsHealth) -> Blueprint:
    """What became of the last starts."""
    routes = Blueprint("connector_health", __name__, url_prefix="/connector-health")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("How starts go at each connector", query=health_query, data=list[ConnectorHealthBody])
    async def listed() -> Response:
        station_id = health_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await health.listed(None if station_id is None else [station_id])
        acting = who()
        return written_data([connector_health_body(each) for each in found if acting.has_station(each.station_id)])

    return routes
