"""Stations' certificates: below the administrators' door and on the control socket."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict

import trio
from quart import Blueprint, Response, request

from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.kinds import counted
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs, who
from evpower.security.certificates import StationCertificates
from evpower.staff.rights import Right

READ_WITHIN_S = 10
#: A hundred years: beyond any certificate.
DAYS_MAX = 36_500
DAYS = "expiring_within_days"


def certificates_query(fields: BodyFields) -> int | None:
    """Only certificates that end within so many days; None: all."""
    days = fields.optional(DAYS, counted(0, DAYS_MAX))
    fields.check()
    return days


class CertificateBody(TypedDict):
    """A certificate of a station, or the request for one."""

    id: int
    station_id: str
    state: Literal["requested", "signed", "delivered", "refused"]
    reason: str | None
    common_name: str | None
    serial_number: str | None
    fingerprint: str | None
    not_before: datetime | None
    not_after: datetime | None
    requested_at: datetime
    signed_at: datetime | None
    ended_at: datetime | None


def certificate_routes(certificates: StationCertificates) -> Blueprint:
    """`GET /certificates[?expiring_within_days=30]`: what each station holds, and what is under way."""
    routes = Blueprint("certificates", __name__, url_prefix="/certificates")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("What certificates stations hold", query=certificates_query, data=list[CertificateBody])
    async def list_certificates() -> Response:
        days = certificates_query(BodyFields(request.args))
        with trio.fail_after(READ_WITHIN_S):
            found = await certificates.held(days)
        return written_data([each for each in found if who().has_station(each["station_id"])])

    return routes
