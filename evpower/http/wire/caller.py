"""Who is calling (contract/rest-api §1.8), in the mode `trust`: the client that the request names.

An administrator's name is never taken from a body: the door says who acts (`acting`).

Tokens are not read yet: a token beside a `client_id` is ignored, a token alone names no client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import g, request

from evpower.errors import InvalidRequest, Unauthorized
from evpower.http.wire.requests import BodyFields
from evpower.identifiers import CLIENT_ID, ClientId


def required_client(fields: BodyFields) -> ClientId | None:
    """The client a body must name; None when it is wrong. Raises Unauthorized when there is only a token."""
    if not fields.has("client_id") and "Authorization" in request.headers:
        raise Unauthorized
    value = fields.identifier("client_id", CLIENT_ID)
    return None if value is None else ClientId(value)


def optional_client(fields: BodyFields) -> ClientId | None:
    """The client a body may name."""
    value = fields.optional_identifier("client_id", CLIENT_ID)
    return None if value is None else ClientId(value)


def acting() -> str:
    """Who acts, for what is kept of it: the doors for operators set it (`http/admin.py`, `http/control.py`)."""
    return str(g.actor)


def refuse_actor(body: Mapping[str, Any]) -> None:
    """A body cannot say who acts. Raises InvalidRequest when it tries, so that no caller takes the field for stored."""
    if "actor" in body:
        raise InvalidRequest(("actor", "определяется входом, а не телом запроса"))
