"""Id tags, free vend, parked reports, doubts, attempts: below the administrators' door and on the control socket."""

from __future__ import annotations

from dataclasses import replace

import trio
from quart import Blueprint, Response, request

from evpower.attempts.service import Attempts
from evpower.charging.review.doubts import Doubts
from evpower.charging.review.free_vend import FreeVend
from evpower.charging.review.parked import ParkedReports
from evpower.errors import Forbidden, InvalidRequest
from evpower.http.operators.bodies.orders import (
    CARD_FIELDS,
    card_fields,
    card_status,
    doubt_decision,
    free_vend_choice,
    parked_decision,
    tag_of,
)
from evpower.http.operators.bodies.queries import attempt_page_query, narrowing_query, questions_query
from evpower.http.operators.shapes.attempts import AttemptBody, AttemptPageBody, attempt_body, start_attempt_body
from evpower.http.operators.shapes.operators_work import (
    CardBody,
    DoubtBody,
    GiftsBody,
    MissingEnergyBody,
    ParkedReportBody,
    UnbilledEnergyBody,
    WithoutSessionBody,
    card_body,
    doubt_body,
    gifts_body,
    missing_energy_body,
    parked_body,
    unbilled_energy_body,
    without_session_body,
)
from evpower.http.operators.station_commands import known_station
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, read_object, row_id
from evpower.http.wire.rights import NOT_OWN, needs, who
from evpower.narrowing import Narrowing
from evpower.staff.rights import Right
from evpower.tags.service import Tags

WITHIN_S = 20


def tag_routes(tags: Tags) -> Blueprint:
    """`/id-tags` and `/id-tags/{id_tag}`: PUT sets the whole card, what the body leaves out
    is empty; PATCH its status alone."""
    routes = Blueprint("id_tags", __name__, url_prefix="/id-tags")

    @routes.get("")
    @needs(Right.NETWORK)
    @described("All cards", data=list[CardBody])
    async def list_tags() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([card_body(each) for each in await tags.cards()])

    @routes.get("/<path:id_tag>")
    @needs(Right.NETWORK)
    @described("One card", data=CardBody)
    async def get_tag(id_tag: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(card_body(await tags.get(tag_of(id_tag))))

    @routes.put("/<path:id_tag>")
    @needs(Right.NETWORK)
    @described("Set a whole card", body=card_fields, data=CardBody)
    async def put_tag(id_tag: str) -> Response:
        body = await read_object()
        if unknown := body.keys() - CARD_FIELDS:
            raise InvalidRequest(*((name, "неизвестное поле") for name in sorted(unknown)))
        card = replace(card_fields(BodyFields(body)), id_tag=tag_of(id_tag))
        with trio.fail_after(WITHIN_S):
            return written_data(card_body(await tags.put(card)))

    @routes.patch("/<path:id_tag>")
    @needs(Right.NETWORK)
    @described("Block a card, or no longer", body=card_status, data=CardBody)
    async def set_status(id_tag: str) -> Response:
        status = card_status(BodyFields(await read_object()))
        with trio.fail_after(WITHIN_S):
            return written_data(card_body(await tags.set_status(tag_of(id_tag), status)))

    @routes.delete("/<path:id_tag>")
    @needs(Right.NETWORK)
    @described("Forget a card", data=dict[str, str])
    async def delete_tag(id_tag: str) -> Response:
        with trio.fail_after(WITHIN_S):
            await tags.delete(tag_of(id_tag))
        return written_data({"id_tag": id_tag})

    return routes


def parked_routes(parked: ParkedReports) -> Blueprint:
    """`/parked[?all=1]`, `/parked/missing-energy`, `/parked/unbilled-energy`, `/parked/charging-without-session`, and
    `POST /parked/{id}/resolve` with a session or `dismiss`."""
    routes = Blueprint("parked", __name__, url_prefix="/parked")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Reports that matched nothing", query=questions_query, data=list[ParkedReportBody])
    async def list_parked() -> Response:
        decided_too, wanted = questions_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            reports = await parked.parked(_own(wanted), resolved_too=decided_too)
        return written_data([parked_body(each) for each in reports])

    @routes.get("/missing-energy")
    @needs(Right.READ, filters=True)
    @described("Energy between two charges", query=narrowing_query, data=list[MissingEnergyBody])
    async def missing_energy() -> Response:
        wanted = _own(narrowing_query(BodyFields(request.args)))
        with trio.fail_after(WITHIN_S):
            return written_data([missing_energy_body(each) for each in await parked.missing_energy(wanted)])

    @routes.get("/unbilled-energy")
    @needs(Right.READ, filters=True)
    @described("Energy that no client pays for", query=narrowing_query, data=list[UnbilledEnergyBody])
    async def unbilled_energy() -> Response:
        wanted = _own(narrowing_query(BodyFields(request.args)))
        with trio.fail_after(WITHIN_S):
            return written_data([unbilled_energy_body(each) for each in await parked.unbilled_energy(wanted)])

    @routes.get("/charging-without-session")
    @needs(Right.READ, filters=True)
    @described("Charges that go on although no session pays", query=narrowing_query, data=list[WithoutSessionBody])
    async def charging_without_session() -> Response:
        wanted = _own(narrowing_query(BodyFields(request.args)))
        with trio.fail_after(WITHIN_S):
            return written_data([without_session_body(each) for each in await parked.charges_without_session(wanted)])

    @routes.post("/<parked_id>/resolve")
    @needs(Right.MONEY)
    @described("Decide on a report", body=parked_decision, data=dict[str, int], refused=200)
    async def resolve(parked_id: str) -> Response:
        body = await read_object()
        number = row_id(parked_id)
        refuse_actor(body)
        reason, session_id = parked_decision(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            if session_id is None:
                await parked.dismiss(number, actor=acting(), reason=reason)
            else:
                await parked.assign(number, session_id, actor=acting(), reason=reason)
        return written_data({"id": number})

    return routes


def doubt_routes(doubts: Doubts) -> Blueprint:
    """`/doubts[?all=1]`, `/doubts/{id}`, and `POST /doubts/{id}/settle`: `bill`, or `dismiss` with a reason."""
    routes = Blueprint("doubts", __name__, url_prefix="/doubts")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Figures that were not believed", query=questions_query, data=list[DoubtBody])
    async def list_doubts() -> Response:
        decided_too, wanted = questions_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await doubts.doubts(_own(wanted), settled_too=decided_too)
        return written_data([doubt_body(each) for each in found])

    @routes.get("/<doubt_id>")
    @needs(Right.READ, filters=True)
    @described("One doubtful figure", data=DoubtBody)
    async def show(doubt_id: str) -> Response:
        number = row_id(doubt_id)
        with trio.fail_after(WITHIN_S):
            doubt = await doubts.doubt(number)
        if not who().has_station(doubt.station_id):
            raise Forbidden(NOT_OWN, reason="not_own")
        return written_data(doubt_body(doubt))

    @routes.post("/<doubt_id>/settle")
    @needs(Right.MONEY)
    @described("Bill a doubtful figure, or dismiss it", body=doubt_decision, data=DoubtBody, refused=200)
    async def settle(doubt_id: str) -> Response:
        body = await read_object()
        number = row_id(doubt_id)
        refuse_actor(body)
        decision = doubt_decision(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            if decision.bill:
                await doubts.bill(number, actor=acting(), reason=decision.reason)
            else:
                await doubts.dismiss(number, actor=acting(), reason=decision.reason or "")
            return written_data(doubt_body(await doubts.doubt(number)))

    return routes


def attempt_routes(attempts: Attempts) -> Blueprint:
    """`/attempts[?client=&station=&since=&limit=]`: newest first, at most 500."""
    routes = Blueprint("attempts", __name__, url_prefix="/attempts")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Attempts to start, the newest first", query=narrowing_query, data=list[AttemptBody])
    async def list_attempts() -> Response:
        wanted = _own(narrowing_query(BodyFields(request.args)))
        with trio.fail_after(WITHIN_S):
            found = await attempts.listed(wanted)
        return written_data([attempt_body(each) for each in found])

    return routes


def start_attempt_routes(attempts: Attempts) -> Blueprint:
    """`/start-attempts[?from=&to=&client=&station=&cursor=&limit=]` (contract/operator-pages §10.3)."""
    routes = Blueprint("start_attempts", __name__, url_prefix="/start-attempts")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Attempts to start by page, the newest first", query=attempt_page_query, data=AttemptPageBody)
    async def page() -> Response:
        wanted, before, after_id = attempt_page_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found, next_id = await attempts.page(_own(wanted), before=before, after_id=after_id)
        shown = [start_attempt_body(each) for each in found]
        body: AttemptPageBody = {"attempts": shown, "next_cursor": None if next_id is None else str(next_id)}
        return written_data(body)

    return routes


def free_vend_routes(free_vend: FreeVend) -> Blueprint:
    """`/stations/{station_id}/free-vend`: GET shows what was given away, PUT `{"free_vend": true}` sets it."""
    routes = Blueprint("free_vend", __name__, url_prefix="/stations")

    @routes.get("/<station_id>/free-vend")
    @needs(Right.READ)
    @described("What a station gave away", data=GiftsBody)
    async def show(station_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(gifts_body(await free_vend.read(known_station(station_id))))

    @routes.put("/<station_id>/free-vend")
    @needs(Right.NETWORK)
    @described("Give energy away, or no longer", body=free_vend_choice, data=GiftsBody)
    async def set_free_vend(station_id: str) -> Response:
        body = await read_object()
        refuse_actor(body)
        enabled = free_vend_choice(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            gifts = await free_vend.set(known_station(station_id), enabled=enabled, actor=acting())
        return written_data(gifts_body(gifts))

    return routes


def _own(wanted: Narrowing) -> Narrowing:
    """The same at stations that may be seen alone."""
    own = who().own
    return wanted if own is None else replace(wanted, of_stations=own.stations)
