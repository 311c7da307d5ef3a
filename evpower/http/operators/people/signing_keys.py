"""The keys our tokens are signed with: below the administrators' door and on the control socket."""

from __future__ import annotations

from typing import TypedDict

import trio
from quart import Blueprint, Response

from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import SWITCH
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs
from evpower.sign_in.signing_keys import SigningKeys
from evpower.staff.rights import Right

WITHIN_S = 10


def at_once_of(fields: BodyFields) -> bool:
    """Whether the keys before are believed no more. Raises InvalidRequest."""
    at_once = fields.optional("at_once", SWITCH)
    fields.check()
    return bool(at_once)


class RotatedBody(TypedDict):
    """The key that signs from now on."""

    kid: str
    at_once: bool


def signing_key_routes(keys: SigningKeys) -> Blueprint:
    """`POST /signing-keys {at_once?}`: a new key; `at_once` ends every token of the keys before it."""
    routes = Blueprint("signing_keys", __name__, url_prefix="/signing-keys")

    @routes.post("")
    @needs(Right.STAFF)
    @described("A new signing key", body=at_once_of, data=RotatedBody)
    async def rotate() -> Response:
        body = await read_object()
        refuse_actor(body)
        at_once = at_once_of(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            kid = await keys.rotate(at_once=at_once, actor=acting())
        return written_data({"kid": kid, "at_once": at_once})

    return routes
