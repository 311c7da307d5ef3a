"""The operators' door over HTTP: /api/v1/admin, behind one bearer token (setting `http.admin_token`).

Operations are blueprints with paths of their own (`/stations/<station_id>/password`). The supervisor hands the same
ones to the control socket, where the socket's file mode is the access control and no token is asked for.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from quart import Blueprint, g, request

from evpower.errors import Forbidden, Unauthorized
from evpower.http.throttle.guard import RequestGuard
from evpower.rate_limits.limits import STAFF, Counted

#: Who acts behind the token: it is one for all administrators, so it names no person.
ACTOR = "admin"
SCHEME = "bearer"
NO_TOKEN_SET = "Административный API отключён: не задан http.admin_token"


def admin_routes(token: str, operations: Iterable[Blueprint], guard: RequestGuard, *, prefix: str) -> Blueprint:
    """Every operation below `prefix`/admin, each behind `require_admin`; who passed is counted by name."""
    routes = Blueprint("admin", __name__, url_prefix=f"{prefix}/admin")

    @routes.before_request
    async def admit() -> None:
        require_admin(token)
        g.actor = ACTOR
        await guard.count(Counted(STAFF, ACTOR))

    for operation in operations:
        routes.register_blueprint(operation)
    return routes


def require_admin(token: str) -> None:
    """Let the present request pass only with `Authorization: Bearer TOKEN`.

    Raises Forbidden when no token is set (the door is shut to everyone), Unauthorized for a missing or wrong one.
    """
    if not token:
        raise Forbidden(NO_TOKEN_SET)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # Compared in constant time, so that answering faster or slower gives no part of the token away.
    if scheme.lower() != SCHEME or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise Unauthorized
