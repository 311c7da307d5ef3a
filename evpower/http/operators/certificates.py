"""Stations' certificates: below the administrators' door and on the control socket."""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.digits import whole_number
from evpower.errors import InvalidRequest
from evpower.http.wire.answers import written_data
from evpower.http.wire.rights import needs, who
from evpower.security.certificates import StationCertificates
from evpower.staff.rights import Right

READ_WITHIN_S = 10
#: A hundred years: beyond any certificate.
DAYS_MAX = 36_500
DAYS = "expiring_within_days"


def certificate_routes(certificates: StationCertificates) -> Blueprint:
    """`GET /certificates[?expiring_within_days=30]`: what each station holds, and what is under way."""
    routes = Blueprint("certificates", __name__, url_prefix="/certificates")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_certificates() -> Response:
        days = _days(request.args.get(DAYS))
        with trio.fail_after(READ_WITHIN_S):
            found = await certificates.held(days)
        return written_data([each for each in found if who().has_station(each["station_id"])])

    return routes


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    days = whole_number(text, DAYS_MAX)
    if days is None:
        raise InvalidRequest((DAYS, f"целое число от 0 до {DAYS_MAX}"))
    return days
