"""`GET /stats`: the network at a glance, in the owner's app's shape (contract/rest-api §7.7)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeViews
from evpower.http.operators.bodies.queries import statistics_query
from evpower.http.operators.shapes.charges import FiguresBody, figures_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right

WITHIN_S = 10


def statistics_routes(views: ChargeViews) -> Blueprint:
    """`?period_days=1`: of today; of an operator's own stations alone."""
    routes = Blueprint("statistics", __name__, url_prefix="/stats")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("The network at a glance", query=statistics_query, data=FiguresBody)
    async def statistics() -> Response:
        days, own = statistics_query(BodyFields(request.args)), who().own
        with trio.fail_after(WITHIN_S):
            return written_data(figures_body(await views.figures(days, None if own is None else own.stations)))

    return routes
