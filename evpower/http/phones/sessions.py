"""Start, stop and watch a charge: /api/v1/charging (contract/rest-api §4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import trio
from quart import Blueprint, Response, request

from evpower.billing.errors import InsufficientBalance
from evpower.charging.errors import NoSuchActiveSession, SessionFailed
from evpower.charging.service import ChargingService
from evpower.charging.session import StartOrder
from evpower.charging.transaction import DRIVER
from evpower.errors import Forbidden, SessionNotFound
from evpower.http.phones.answer_types.charging import ProgressBody, StartedBody, StatusBody, StoppedBody
from evpower.http.phones.shapes import progress_body, started_body, status_body, stopped_body, without_account
from evpower.http.wire.aliases import LEGACY, doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, caller, reading_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import AMOUNT, CONNECTOR, ENERGY
from evpower.http.wire.requests import SESSION_ID, BodyFields, read_object, session_id_or_none
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import STATION_NAME, ClientId, SessionId, StationId
from evpower.money import som_number

#: The app gives up after 10 s; a station may be waited for 5 of them.
ANSWER_WITHIN_S = 9


def start_order(fields: BodyFields, who: Caller) -> StartOrder:
    """What a start asks for; InvalidRequest names every wrong field (§4.1). Raises what `Caller.paying` does."""
    client_id = who.paying(fields)
    station_name = fields.identifier("station_id", STATION_NAME)
    connector_id = fields.required("connector_id", CONNECTOR)
    energy_wh = fields.optional("energy_kwh", ENERGY)
    amount_tyiyn = fields.optional("amount_som", AMOUNT)
    fields.check()
    assert client_id is not None and station_name is not None and connector_id is not None  # noqa: PT018
    return StartOrder(client_id, StationId(station_name), connector_id, energy_wh, amount_tyiyn)


def stop_order(fields: BodyFields, who: Caller) -> tuple[SessionId, ClientId | None]:
    """Which session to stop, and which client asks, if the request says so (§4.3). Raises what `Caller.asking` does."""
    session_id = fields.identifier("session_id", SESSION_ID)
    client_id = who.asking(fields)
    fields.check()
    assert session_id is not None
    return SessionId(session_id), client_id


class ChargingDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, charging: ChargingService, idempotency: Idempotency) -> None:
        self._charging = charging
        self._idempotency = idempotency

    @described(
        "Reserve money and have a station begin",
        body=partial(start_order, who=ANYBODY),
        answer=StartedBody,
        refused=200,
        keyed=True,
    )
    async def start(self) -> Response:
        """`POST /charging/start`."""
        fields = BodyFields(await read_object())
        order = start_order(fields, caller())
        claim = claim_of_request(order.client_id, fields)
        with trio.fail_after(ANSWER_WITHIN_S):
            work = KeyedWork(partial(self._start, order), self._rebuilt_start)
            return written(await self._idempotency.answer(claim, work))

    async def _start(self, order: StartOrder, claim: IdempotencyClaim | None) -> Answer:
        return Answer(started_body(await self._charging.start_session(order, claim)))

    async def _rebuilt_start(self, session_id: SessionId) -> Answer:
        started = await self._charging.started_view(session_id)
        if started.session.status == "error":
            raise SessionFailed
        return Answer(started_body(started))

    @described(
        "End a charge and settle it", body=partial(stop_order, who=ANYBODY), answer=StoppedBody, refused=200, keyed=True
    )
    async def stop(self) -> Response:
        """`POST /charging/stop`; in trust mode knowing the session is enough to stop it, and shows no balance."""
        fields = BodyFields(await read_object())
        session_id, client_id = stop_order(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            owner = await self._charging.owner_of(session_id)
            if owner is None or (client_id is None and caller().mode != "trust"):
                raise NoSuchActiveSession
            if client_id not in (None, owner):
                raise Forbidden
            work = KeyedWork(partial(self._stop, session_id, owner), partial(self._stop, caller=owner, claim=None))
            answer = await self._idempotency.answer(claim_of_request(owner, fields), work)
        # After the key: what it remembers is the owner's whole answer, whoever asked first.
        return written(answer if client_id is not None else replace(answer, body=without_account(answer.body)))

    async def _stop(self, session_id: SessionId, caller: ClientId, claim: IdempotencyClaim | None) -> Answer:
        stopped = await self._charging.stop_session(session_id, caller=caller, actor=DRIVER, claim=claim)
        return Answer(stopped_body(stopped))

    @described("A charge now", query=partial(reading_client, who=ANYBODY), answer=StatusBody | ProgressBody)
    async def status(self, session_id: str) -> Response:
        """`GET /charging/status/{session_id}`: a charge outlives the token, so its progress is for all who know it."""
        known_id = session_id_or_none(session_id)
        if known_id is None:
            raise SessionNotFound
        client_id = reading_client(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            session = await self._charging.session(known_id)
        if client_id not in (None, session.client_id):
            raise Forbidden
        if client_id is None and caller().mode == "required":
            return written(Answer(progress_body(session)))
        named = client_id is not None or caller().mode == "trust"
        return written(Answer(status_body(session, named=named)))


class FirstChargingDoor(ChargingDoor):
    """The door of the first paths: what the first app reads of a refused start besides (§8)."""

    async def _start(self, order: StartOrder, claim: IdempotencyClaim | None) -> Answer:
        try:
            return await super()._start(order, claim)
        except InsufficientBalance as refusal:
            raise first_apps_refusal(refusal, order) from None


def first_apps_refusal(refusal: InsufficientBalance, order: StartOrder) -> InsufficientBalance:
    """With the sum that was asked for and the largest possible one, when that sum is what is too large."""
    if order.amount_tyiyn is not None and order.amount_tyiyn > refusal.balance_tyiyn:
        sums = {"max_allowed_amount": refusal.balance_tyiyn, "requested_amount": order.amount_tyiyn}
        refusal.details = {**refusal.details, **{name: som_number(sum_tyiyn) for name, sum_tyiyn in sums.items()}}
    return refusal


def charging_routes(charging: ChargingService, idempotency: Idempotency, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    kind = FirstChargingDoor if prefix == LEGACY else ChargingDoor
    door, routes = kind(charging, idempotency), doors_below(prefix, "charging", "/charging")
    routes.post("/start")(door.start)
    routes.post("/stop")(door.stop)
    routes.get("/status/<session_id>")(door.status)
    return routes
