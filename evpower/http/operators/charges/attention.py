"""`/attention` and `/summary`: below the administrators' door and on the control socket (operator-pages §10.3)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.attention.glance import Glance, glance
from evpower.attention.picture import Pictures
from evpower.errors import DatabaseUnavailable
from evpower.http.operators.charges.attention_bodies import AttentionBody, SummaryBody, attention_body, summary_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right

WITHIN_S = 10


def attention_routes(pictures: Pictures) -> Blueprint:
    """What needs a person now, the most urgent first; and the network in figures."""
    routes = Blueprint("attention", __name__)

    async def seen() -> Glance:
        with trio.fail_after(WITHIN_S):
            picture = await pictures.fresh()
        if picture is None:
            raise DatabaseUnavailable
        return glance(picture, who())

    @routes.get("/attention")
    @needs(Right.READ, filters=True)
    @described("What needs a person", data=list[AttentionBody])
    async def attention() -> Response:
        return written_data(attention_body((await seen()).todo))

    @routes.get("/summary")
    @needs(Right.READ, filters=True)
    @described("The network at a glance", data=SummaryBody)
    async def summary() -> Response:
        return written_data(summary_body(await seen()))

    return routes
