"""Connectors kept for a client: /api/v1/reservations (contract/roadmap/reservations §2)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, request

from evpower.http.phones.answer_types.reservations import (
    EndedReservationBody,
    ReservationBody,
    ReservationFacts,
    ReservationQuoteBody,
    ReservationsBody,
)
from evpower.http.phones.history.fields import moment
from evpower.http.phones.person.newcomers import Newcomers
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, asking_client, caller, signed_in_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import CONNECTOR, CONNECTOR_ID_MAX, FLAG, MOMENT, counted, whole
from evpower.http.wire.requests import SESSION_ID, BodyFields, read_object
from evpower.http.wire.values import instant, number
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import STATION_NAME, ClientId, ConnectorId, StationId
from evpower.money import som_number
from evpower.reservations.errors import ReservationNotFound
from evpower.reservations.opening import ReservationOrder, ReservationQuote
from evpower.reservations.service import Reservations, ReservationView

#: A station may be waited for 5 of them.
ANSWER_WITHIN_S = 9
LEAST_MINUTES, MOST_MINUTES, USUAL_MINUTES = 5, 60, 15
MINUTES = whole(LEAST_MINUTES, MOST_MINUTES)
ASKING = partial(signed_in_client, who=ANYBODY)


def reservation_order(fields: BodyFields, who: Caller) -> ReservationOrder:
    """What is to be kept, and for how long. Raises InvalidRequest, and what `Caller.paying` does."""
    client_id = who.paying(fields)
    station_name = fields.identifier("station_id", STATION_NAME)
    connector_id = fields.optional("connector_id", CONNECTOR)
    minutes = fields.optional("minutes", MINUTES)
    start_time = fields.optional("start_time", MOMENT)
    fields.check()
    assert client_id is not None and station_name is not None  # noqa: PT018
    return ReservationOrder(
        client_id, StationId(station_name), connector_id, USUAL_MINUTES if minutes is None else minutes, start_time
    )


def extension_order(fields: BodyFields, who: Caller) -> tuple[ClientId, int]:
    """Whose it is, and how many minutes more. Raises InvalidRequest, and what `Caller.paying` does."""
    client_id, minutes = who.paying(fields), fields.required("minutes", MINUTES)
    fields.check()
    assert client_id is not None and minutes is not None  # noqa: PT018
    return client_id, minutes


def quote_query(
    fields: BodyFields, who: Caller
) -> tuple[ClientId | None, StationId, ConnectorId | None, int, datetime | None]:
    """What a reservation is asked about, perhaps by a client with an own tariff. Raises InvalidRequest."""
    client_id = who.asking(fields)
    station_name = fields.identifier("station_id", STATION_NAME)
    connector_id = fields.optional("connector_id", counted(1, CONNECTOR_ID_MAX))
    minutes = fields.required("minutes", counted(LEAST_MINUTES, MOST_MINUTES))
    start_time = fields.optional("start_time", moment(ZoneInfo("UTC")))
    fields.check()
    assert station_name is not None and minutes is not None  # noqa: PT018
    connector = None if connector_id is None else ConnectorId(connector_id)
    return client_id, StationId(station_name), connector, minutes, start_time


def list_query(fields: BodyFields, who: Caller) -> tuple[ClientId, bool]:
    """Whose, and whether those that live alone. Raises InvalidRequest, and what `signed_in_client` does."""
    active = fields.optional("active", FLAG)
    return signed_in_client(fields, who), bool(active)


def quote_body(quote: ReservationQuote) -> ReservationQuoteBody:
    return {
        "success": True,
        "hold_amount": som_number(quote.hold_tyiyn),
        "per_minute": number(quote.price.per_minute),
        "no_show_fee": number(quote.price.no_show_fee),
        "free_cancel_until": instant(quote.free_cancel_until),
        "guaranteed": quote.guaranteed,
    }


def reservation_facts(view: ReservationView) -> ReservationFacts:
    """Without whose it is; its figures once they are final."""
    of = view.record
    facts: ReservationFacts = {
        "reservation_id": of.id,
        "status": of.status,
        "station_id": of.station_id,
        "connector_id": of.connector_id,
        "location_id": view.location_id,
        "starts_at": instant(of.starts_at),
        "expires_at": instant(of.expires_at),
        "hold_amount": som_number(of.hold_tyiyn),
        "free_cancel_until": instant(of.free_cancel_until),
        "guaranteed": of.guaranteed,
    }
    if of.fee_tyiyn is not None:
        fee_tyiyn = 0 if of.returned_at is not None else of.fee_tyiyn
        facts["fee_amount"] = som_number(fee_tyiyn)
        facts["released_amount"] = som_number(of.hold_tyiyn - fee_tyiyn)
    if of.session_id is not None:
        facts["session_id"] = of.session_id
    if of.canceled_by is not None:
        facts["canceled_by"] = of.canceled_by
    if of.reason is not None:
        facts["reason"] = of.reason
    return facts


def reservation_body(view: ReservationView) -> ReservationBody:
    return cast("ReservationBody", {"success": True, **reservation_facts(view)})


def ended_body(view: ReservationView, *, already_ended: bool) -> EndedReservationBody:
    return cast("EndedReservationBody", {"success": True, **reservation_facts(view), "already_ended": already_ended})


class ReservationDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, reservations: Reservations, newcomers: Newcomers, idempotency: Idempotency) -> None:
        self._reservations = reservations
        self._newcomers = newcomers
        self._idempotency = idempotency

    @described(
        "What keeping a connector would cost", query=partial(quote_query, who=ANYBODY), answer=ReservationQuoteBody
    )
    async def quote(self) -> Response:
        """`GET /reservations/quote`; writes nothing."""
        client_id, station_id, connector_id, minutes, start_time = quote_query(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            quote = await self._reservations.new.quote(station_id, connector_id, minutes, start_time, client_id)
        return written(Answer(quote_body(quote)))

    @described(
        "Have a connector kept",
        body=partial(reservation_order, who=ANYBODY),
        answer=ReservationBody,
        refused=200,
        keyed=True,
    )
    async def create(self) -> Response:
        """`POST /reservations`; `pending` until the station has answered."""
        fields = BodyFields(await read_object())
        order = reservation_order(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._newcomers.admit(order.client_id)
            work = KeyedWork(partial(self._create, order), self._made)
            return written(await self._idempotency.answer(claim_of_request(order.client_id, fields), work))

    @described("A client's reservations", query=partial(list_query, who=ANYBODY), answer=ReservationsBody)
    async def listed(self) -> Response:
        """`GET /reservations`."""
        client_id, active = list_query(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            views = await self._reservations.of_client(client_id, active=active)
        return written(Answer({"success": True, "reservations": [reservation_facts(each) for each in views]}))

    @described("One of a client's reservations", query=ASKING, answer=ReservationBody)
    async def one(self, reservation_id: str) -> Response:
        """`GET /reservations/{id}`."""
        client_id = asking_client()
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(reservation_body(await self._reservations.one(client_id, _known(reservation_id)))))

    @described(
        "Have it kept longer, once",
        body=partial(extension_order, who=ANYBODY),
        answer=ReservationBody,
        refused=200,
        keyed=True,
    )
    async def extend(self, reservation_id: str) -> Response:
        """`POST /reservations/{id}/extend`."""
        fields = BodyFields(await read_object())
        client_id, minutes = extension_order(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            extend = partial(self._extend, client_id, _known(reservation_id), minutes)
            work = KeyedWork(extend, partial(self._extended, client_id, reservation_id))
            return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))

    @described("Give it up", query=ASKING, answer=EndedReservationBody, keyed=True)
    async def cancel(self, reservation_id: str) -> Response:
        """`DELETE /reservations/{id}`; a repeat shows the same figures."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        with trio.fail_after(ANSWER_WITHIN_S):
            cancel = partial(self._cancel, client_id, _known(reservation_id))
            work = KeyedWork(cancel, lambda _effect: cancel(None))
            return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))

    async def _create(self, order: ReservationOrder, claim: IdempotencyClaim | None) -> Answer:
        return Answer(reservation_body(await self._reservations.create(order, claim)))

    async def _made(self, reservation_id: str) -> Answer:
        """What came of one whose answer was lost."""
        return Answer(reservation_body(await self._reservations.made(reservation_id)))

    async def _extend(
        self, client_id: ClientId, reservation_id: str, minutes: int, claim: IdempotencyClaim | None
    ) -> Answer:
        return Answer(reservation_body(await self._reservations.extend(client_id, reservation_id, minutes, claim)))

    async def _extended(self, client_id: ClientId, reservation_id: str, _effect: object) -> Answer:
        return Answer(reservation_body(await self._reservations.one(client_id, reservation_id)))

    async def _cancel(self, client_id: ClientId, reservation_id: str, claim: IdempotencyClaim | None) -> Answer:
        view, was_over = await self._reservations.cancel(client_id, reservation_id, claim)
        return Answer(ended_body(view, already_ended=was_over))


def _known(reservation_id: str) -> str:
    """Raises ReservationNotFound for what none can be called."""
    if SESSION_ID.fullmatch(reservation_id) is None:
        raise ReservationNotFound
    return reservation_id


def reservation_routes(
    reservations: Reservations, newcomers: Newcomers, idempotency: Idempotency, *, prefix: str
) -> Blueprint:
    """The routes below `prefix`."""
    door = ReservationDoor(reservations, newcomers, idempotency)
    routes = Blueprint("reservations", __name__, url_prefix=f"{prefix}/reservations")
    routes.get("/quote")(door.quote)
    routes.get("")(door.listed)
    routes.post("")(door.create)
    routes.get("/<reservation_id>")(door.one)
    routes.delete("/<reservation_id>")(door.cancel)
    routes.post("/<reservation_id>/extend")(door.extend)
    return routes
