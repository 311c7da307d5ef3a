"""`/charges`: what is done to a charge."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, redirect

from evpower.charging.service import ChargingService
from evpower.errors import SessionNotFound
from evpower.http.wire.requests import session_id_or_none
from evpower.identifiers import SessionId
from evpower.pages.forms import form_key
from evpower.pages.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

#: A stop waits up to 5 s for the station.
STOP_WITHIN_S = 20


def charge_routes(charging: ChargingService, acts: OperatorActs) -> Blueprint:
    """What people may do to a charge at a station of theirs."""
    routes = Blueprint("charges", __name__, url_prefix="/charges")

    @routes.post("/<session_id>/stop")
    async def stop(session_id: str) -> Any:
        known_id, key = session_id_or_none(session_id), await form_key()
        if known_id is None:
            raise SessionNotFound
        visitor = signed_in()
        with trio.fail_after(STOP_WITHIN_S):
            visitor.require(Right.COMMAND, (await charging.session(known_id)).station_id)
            await acts.once(visitor.acting, Intent(key, "stop", known_id), lambda: _stop(known_id))
        return redirect("/#running", 303)

    async def _stop(session_id: SessionId) -> None:
        await charging.stop_session(session_id, caller=None, actor=signed_in().acting.actor)

    return routes
