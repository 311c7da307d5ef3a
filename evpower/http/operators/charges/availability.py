"""`/stations/{id}/availability` and `/hours`: uptime, outages, the network hour by hour (operator-pages §4, §10.6)."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import trio
from quart import Blueprint, Response, request

from evpower.availability.records import NetworkHour, Outage, OutageCause, SeenAvailability
from evpower.availability.service import StationAvailability
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.kinds import counted
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs
from evpower.identifiers import StationId
from evpower.money import som_number
from evpower.staff.rights import Right

WITHIN_S = 10
DAYS_MOST, HOURS_MOST = 60, 24 * 31
DAYS, HOURS = 30, 24


class DayUptimeBody(TypedDict):
    """A day of `billing.timezone`."""

    day: str
    uptime: float


class OutageBody(TypedDict):
    """A time in which the station was not heard of; `ended_at` null: it still is not; `close_code`: of its socket."""

    began_at: datetime
    ended_at: datetime | None
    cause: OutageCause
    close_code: int | None


class AvailabilityBody(TypedDict):
    """`uptime` 0 to 1, null of a station that was never heard of; outages the newest first."""

    station_id: str
    uptime: float | None
    days: list[DayUptimeBody]
    outages: list[OutageBody]


class HourBody(TypedDict):
    """The hour that begins at `hour`; `uptime` of the active stations, null where there are none."""

    hour: datetime
    uptime: float | None
    starts_asked: int
    starts_reached: int
    charges: int
    energy_wh: int
    revenue_som: float
    topped_up_som: float


def days_query(fields: BodyFields) -> int:
    """How many days, today included."""
    days = fields.optional("days", counted(1, DAYS_MOST))
    fields.check()
    return DAYS if days is None else days


def hours_query(fields: BodyFields) -> int:
    """How many hours, the present one included."""
    hours = fields.optional("hours", counted(1, HOURS_MOST))
    fields.check()
    return HOURS if hours is None else hours


def outage_body(outage: Outage) -> OutageBody:
    """One time away."""
    return {
        "began_at": outage.began_at,
        "ended_at": outage.ended_at,
        "cause": outage.cause,
        "close_code": outage.close_code,
    }


def availability_body(seen: SeenAvailability) -> AvailabilityBody:
    """One station."""
    return {
        "station_id": seen.station_id,
        "uptime": seen.uptime,
        "days": [{"day": each.day.isoformat(), "uptime": each.uptime} for each in seen.days],
        "outages": [outage_body(each) for each in seen.outages],
    }


def hour_body(hour: NetworkHour) -> HourBody:
    """One hour."""
    return {
        "hour": hour.hour,
        "uptime": hour.uptime,
        "starts_asked": hour.asked,
        "starts_reached": hour.reached,
        "charges": hour.charges,
        "energy_wh": hour.energy_wh,
        "revenue_som": som_number(hour.revenue_tyiyn),
        "topped_up_som": som_number(hour.topped_up_tyiyn),
    }


def availability_routes(availability: StationAvailability) -> Blueprint:
    """Uptime and hours."""
    routes = Blueprint("availability", __name__)

    @routes.get("/stations/<station_id>/availability")
    @needs(Right.READ)
    @described("A station's uptime and outages", query=days_query, data=AvailabilityBody)
    async def station(station_id: str) -> Response:
        days = days_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            return written_data(availability_body(await availability.seen(StationId(station_id), days)))

    # Sums of every station, and of what clients topped up: not an operator's, who has some stations.
    @routes.get("/hours")
    @needs(Right.CLIENTS)
    @described("The network hour by hour", query=hours_query, data=list[HourBody])
    async def hours() -> Response:
        wanted = hours_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            return written_data([hour_body(each) for each in await availability.network_hours(wanted)])

    return routes
