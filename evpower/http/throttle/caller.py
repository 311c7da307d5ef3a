"""Whom a request is counted for (contract/identity §5)."""

from __future__ import annotations

from contextlib import suppress

from quart import request

from evpower.client_address import neighbourhood
from evpower.errors import InvalidRequest
from evpower.http.wire.access import READING_METHODS, client_ip
from evpower.http.wire.requests import RESERVED_CLIENT_ID, read_object
from evpower.identifiers import CLIENT_ID
from evpower.rate_limits.limits import ADDRESS, NAMED_CLIENT, Counted

NAME = "client_id"


def address_of_request() -> Counted:
    """What every caller has."""
    return Counted(ADDRESS, neighbourhood(client_ip()))


async def named_client() -> Counted | None:
    """The client the path, the address or the body names, for a caller that proves nothing; None: no client is named.

    Reads the body of a write; the route gets what was read. Raises what reading it raises, but for a body that is no
    object: that is the route's to refuse.
    """
    name: object = (request.view_args or {}).get(NAME) or request.args.get(NAME)
    if name is None and request.method not in READING_METHODS:
        with suppress(InvalidRequest):
            name = (await read_object()).get(NAME)
    if not isinstance(name, str) or name == RESERVED_CLIENT_ID or CLIENT_ID.fullmatch(name) is None:
        return None
    return Counted(NAMED_CLIENT, f"{name} {neighbourhood(client_ip())}")
