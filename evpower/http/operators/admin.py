"""The operators' door over HTTP: /api/v1/admin, for the administrator's token and for staff (roadmap/identity §3).

Operations are blueprints with paths of their own (`/stations/<station_id>/password`), each route with the right it
needs (`wire/rights.py`). The supervisor hands the same ones to the control socket, where the socket's file mode is the
access control and no token is asked for.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from quart import Blueprint, Quart, request

from evpower.client_address import Network, is_within
from evpower.errors import Forbidden, Unauthorized
from evpower.http.operators.people.act_journal import ActJournal
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.access import READING_METHODS, client_ip, shown_path
from evpower.http.wire.rights import act_as, require_right, who
from evpower.identity.verifier import Verifier
from evpower.rate_limits.limits import STAFF, Counted
from evpower.staff.records import Acting
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import NOT_STAFF, Staff

log = logging.getLogger("security")

#: Who acts behind the administrator's token: it is one for all who know it, so it names no person.
TOKEN_ACTOR = "admin"
SCHEME = "bearer"
#: Beside what is below /admin, who may ask for it is a matter of `http.admin_allow` (identity §4).
GUARDED = ("/metrics", "/openapi.json")
NOT_FROM_HERE = "Доступ с этого адреса закрыт"
NO_TOKEN_SET = "Административный API отключён: не задан http.admin_token"


@dataclass(frozen=True)
class StaffDoor:
    """What lets staff in by their own tokens, our issuer's or another that is trusted (field ruling 6.7)."""

    verifier: Verifier
    staff: Staff
    second_factor: SecondFactor

    async def acting(self, token: str) -> Acting:
        """Raises InvalidToken and ServiceUnavailable as the verifier, Forbidden for a token of nobody on the staff."""
        identity = await self.verifier.verify(token)
        if identity.anonymous:
            raise Forbidden(NOT_STAFF, reason="not_staff")
        return await self.staff.acting(identity.subject, identity.phone)


@dataclass(frozen=True)
class AdminDoor:
    """Who is let in: with the administrator's token (empty: nobody), or, with a `staff` door, a person of the staff."""

    token: str = field(default="", repr=False)
    staff: StaffDoor | None = None
    #: Keeps who wrote what.
    journal: ActJournal | None = None

    async def acting(self) -> Acting:
        """Who makes the present request, by its `Authorization: Bearer TOKEN`.

        Raises Forbidden when nobody is ever let in, or for who is no staff; Unauthorized for a missing or wrong token.
        """
        if not self.token and self.staff is None:
            raise Forbidden(NO_TOKEN_SET)
        given = bearer_token()
        # Compared in constant time, so that answering faster or slower gives no part of the token away.
        if self.token and hmac.compare_digest(given.encode(), self.token.encode()):
            return Acting(TOKEN_ACTOR)
        if self.staff is None or not given:
            raise Unauthorized
        return await self.staff.acting(given)

    async def let_in(self) -> None:
        """Let the present request pass with the right its route needs; a write also with a second factor.

        Raises what `acting` does, and Forbidden with a `reason`. Who writes is logged.
        """
        acting = await self.acting()
        act_as(acting)
        need = require_right(acting)
        if request.method in READING_METHODS:
            return
        if self.staff is not None and acting.member is not None and not need.before_second_factor:
            await self.staff.second_factor.require(acting.member, bearer_token())
        log.info("operator: actor=%s, %s %s", acting.actor, request.method, shown_path())


def admit_from(app: Quart, networks: Collection[Network], *, prefix: str) -> None:
    """Refuse whoever asks for something of operators from elsewhere, before any token is read; empty: from anywhere.

    Existing or not, so that no answer tells a stranger which is which.
    """
    below = f"{prefix}/admin"

    @app.before_request
    async def admit() -> None:
        is_guarded = request.path in GUARDED or request.path == below or request.path.startswith(f"{below}/")
        if networks and is_guarded and not is_within(client_ip(), networks):
            log.warning("address refused: %s %s, IP: %s", request.method, shown_path(), client_ip())
            raise Forbidden(NOT_FROM_HERE)


def admin_routes(door: AdminDoor, operations: Iterable[Blueprint], guard: RequestGuard, *, prefix: str) -> Blueprint:
    """Every operation below `prefix`/admin, each behind the door; who passed is counted by name."""
    routes = Blueprint("admin", __name__, url_prefix=f"{prefix}/admin")

    @routes.before_request
    async def admit() -> None:
        await door.let_in()
        await guard.count(Counted(STAFF, who().actor))

    if door.journal is not None:
        door.journal.follow(routes)
    for operation in operations:
        routes.register_blueprint(operation)
    return routes


def bearer_token() -> str:
    """The present request's bearer token; empty without one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == SCHEME else ""
