"""`PUT /api/v1/charging/{session_id}/preferences` (contract/roadmap/smart-charging §1)."""

from __future__ import annotations

from functools import partial

import trio
from quart import Blueprint, Response

from evpower.charging.errors import NoSuchActiveSession
from evpower.charging.service import ChargingService
from evpower.charging.session import SessionView
from evpower.errors import Forbidden, SessionNotFound
from evpower.http.phones.answer_types.charging import PreferencesBody
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, asking_client, signed_in_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import ENERGY, MOMENT, TEXT
from evpower.http.wire.requests import BodyFields, read_object, session_id_or_none
from evpower.idempotency.claim import IdempotencyClaim
from evpower.power.preferences import ChargingPreferences, PowerPreferences

ANSWER_WITHIN_S = 9
ASKING = partial(signed_in_client, who=ANYBODY)


def preferences_order(fields: BodyFields) -> ChargingPreferences:
    """How fast, until when, and how much. Raises InvalidRequest."""
    profile_type = fields.required("profile_type", TEXT)
    departure_at, need_wh = fields.optional("departure_time", MOMENT), fields.optional("energy_need_kwh", ENERGY)
    fields.check()
    assert profile_type is not None
    return ChargingPreferences(profile_type, departure_at, need_wh)


class PreferencesDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, charging: ChargingService, preferences: PowerPreferences, idempotency: Idempotency) -> None:
        self._charging = charging
        self._preferences = preferences
        self._idempotency = idempotency

    @described(
        "How fast a charge shall go, until when and how much",
        query=ASKING,
        body=preferences_order,
        answer=PreferencesBody,
        refused=200,
        keyed=True,
    )
    async def store(self, session_id: str) -> Response:
        """`PUT /charging/{session_id}/preferences`; `result` is one of OCPI's words."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        wished, known_id = preferences_order(fields), session_id_or_none(session_id)
        if known_id is None:
            raise SessionNotFound
        with trio.fail_after(ANSWER_WITHIN_S):
            session = await self._charging.session(known_id)
            if session.client_id != client_id:
                raise Forbidden
            if session.status != "started":
                raise NoSuchActiveSession
            store = partial(self._store, session, wished)
            work = KeyedWork(store, lambda _effect: store(None))
            return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))

    async def _store(self, session: SessionView, wished: ChargingPreferences, claim: IdempotencyClaim | None) -> Answer:
        outlet = session.station_id, session.connector_id
        return Answer(
            {"success": True, "result": await self._preferences.store(session.session_id, outlet, wished, claim)}
        )


def preference_routes(
    charging: ChargingService, preferences: PowerPreferences, idempotency: Idempotency, *, prefix: str
) -> Blueprint:
    """The route below `prefix`."""
    door = PreferencesDoor(charging, preferences, idempotency)
    routes = Blueprint("charging_preferences", __name__, url_prefix=f"{prefix}/charging")
    routes.put("/<session_id>/preferences")(door.store)
    return routes
