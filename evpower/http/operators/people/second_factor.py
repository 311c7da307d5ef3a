"""`POST /totp`: a staff person shows a second factor, for the administrators' door alone (docs/adr/0027)."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import trio
from quart import Blueprint, Response

from evpower.errors import Forbidden
from evpower.http.operators.admin import bearer_token
from evpower.http.operators.administration import read_change
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import NOT_STAFF

WITHIN_S = 10


class ElevatedBody(TypedDict):
    """Until when the token it came with may write."""

    expires_at: datetime


def code_shown(fields: BodyFields) -> str:
    """The code of a second factor."""
    code = fields.required("code", TEXT)
    fields.check()
    return code or ""


def second_factor_routes(second_factor: SecondFactor) -> Blueprint:
    """`{"code": "123456"}`: until `expires_at` the token it came with may write."""
    routes = Blueprint("second_factor", __name__, url_prefix="/totp")

    @routes.post("")
    @needs(Right.READ, filters=True, before_second_factor=True)
    @described("Show a second factor", body=code_shown, data=ElevatedBody)
    async def show() -> Response:
        code, member = code_shown(BodyFields(await read_change())), who().member
        if member is None:
            raise Forbidden(NOT_STAFF, reason="not_staff")
        with trio.fail_after(WITHIN_S):
            until = await second_factor.elevate(member, bearer_token(), code)
        return written_data({"expires_at": until})

    return routes
