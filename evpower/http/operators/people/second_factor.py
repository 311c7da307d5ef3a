"""`POST /totp`: a staff person shows a second factor, for the administrators' door alone (docs/adr/0027)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.errors import Forbidden
from evpower.http.operators.admin import bearer_token
from evpower.http.operators.administration import read_change
from evpower.http.wire.answers import written_data
from evpower.http.wire.requests import required_text
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import NOT_STAFF

WITHIN_S = 10


def second_factor_routes(second_factor: SecondFactor) -> Blueprint:
    """`{"code": "123456"}`: until `expires_at` the token it came with may write."""
    routes = Blueprint("second_factor", __name__, url_prefix="/totp")

    @routes.post("")
    @needs(Right.READ, filters=True, before_second_factor=True)
    async def show() -> Response:
        code, member = required_text(await read_change(), "code"), who().member
        if member is None:
            raise Forbidden(NOT_STAFF, reason="not_staff")
        with trio.fail_after(WITHIN_S):
            until = await second_factor.elevate(member, bearer_token(), code)
        return written_data({"expires_at": until})

    return routes
