"""Id tags, free vend, parked reports, doubts, attempts: below the administrators' door and on the control socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast, get_args

import trio
from quart import Blueprint, Response, request

from evpower.attempts.service import Attempts
from evpower.charging.review.doubts import Doubts
from evpower.charging.review.free_vend import FreeVend
from evpower.charging.review.parked import ParkedReports
from evpower.errors import Forbidden, InvalidRequest
from evpower.http.operators.shapes.operators_work import (
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
from evpower.http.wire.requests import read_object, required_text, row_id, session_id_or_none
from evpower.http.wire.rights import NOT_OWN, needs, who
from evpower.identifiers import ClientId, IdTag, StationId
from evpower.staff.rights import Right
from evpower.tags.cards import Card, CardStatus
from evpower.tags.service import Tags

WITHIN_S = 20
#: OCPP 2.0.1's length; a card for 1.6 stations has at most 20 characters (duty 27).
ID_TAG_CHARS_MAX = 36
CARD_FIELDS = frozenset({"status", "expiry_date", "parent_id_tag", "client_id"})


def tag_routes(tags: Tags) -> Blueprint:
    """`/id-tags` and `/id-tags/{id_tag}`: PUT sets the whole card, what the body leaves out is empty."""
    routes = Blueprint("id_tags", __name__, url_prefix="/id-tags")

    @routes.get("")
    @needs(Right.NETWORK)
    async def list_tags() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([card_body(each) for each in await tags.cards()])

    @routes.get("/<path:id_tag>")
    @needs(Right.NETWORK)
    async def get_tag(id_tag: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(card_body(await tags.get(_tag(id_tag, "id_tag"))))

    @routes.put("/<path:id_tag>")
    @needs(Right.NETWORK)
    async def put_tag(id_tag: str) -> Response:
        card = _card(_tag(id_tag, "id_tag"), await read_object())
        with trio.fail_after(WITHIN_S):
            return written_data(card_body(await tags.put(card)))

    @routes.delete("/<path:id_tag>")
    @needs(Right.NETWORK)
    async def delete_tag(id_tag: str) -> Response:
        with trio.fail_after(WITHIN_S):
            await tags.delete(_tag(id_tag, "id_tag"))
        return written_data({"id_tag": id_tag})

    return routes


def parked_routes(parked: ParkedReports) -> Blueprint:
    """`/parked[?all=1]`, `/parked/missing-energy`, `/parked/unbilled-energy`, `/parked/charging-without-session`, and
    `POST /parked/{id}/resolve` with a session or `dismiss`."""
    routes = Blueprint("parked", __name__, url_prefix="/parked")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_parked() -> Response:
        with trio.fail_after(WITHIN_S):
            reports = await parked.parked(resolved_too=request.args.get("all") == "1")
        return written_data([parked_body(each) for each in _own(reports)])

    @routes.get("/missing-energy")
    @needs(Right.READ, filters=True)
    async def missing_energy() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([missing_energy_body(each) for each in _own(await parked.missing_energy())])

    @routes.get("/unbilled-energy")
    @needs(Right.READ, filters=True)
    async def unbilled_energy() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([unbilled_energy_body(each) for each in _own(await parked.unbilled_energy())])

    @routes.get("/charging-without-session")
    @needs(Right.READ, filters=True)
    async def charging_without_session() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([without_session_body(each) for each in _own(await parked.charges_without_session())])

    @routes.post("/<parked_id>/resolve")
    @needs(Right.MONEY)
    async def resolve(parked_id: str) -> Response:
        body = await read_object()
        number = row_id(parked_id)
        refuse_actor(body)
        reason, actor = required_text(body, "reason"), acting()
        with trio.fail_after(WITHIN_S):
            if body.get("dismiss") is True and "session_id" not in body:
                await parked.dismiss(number, actor=actor, reason=reason)
            else:
                session_id = session_id_or_none(required_text(body, "session_id"))
                if session_id is None:
                    raise InvalidRequest(("session_id", "недопустимый идентификатор"))
                await parked.assign(number, session_id, actor=actor, reason=reason)
        return written_data({"id": number})

    return routes


def doubt_routes(doubts: Doubts) -> Blueprint:
    """`/doubts[?all=1]`, `/doubts/{id}`, and `POST /doubts/{id}/settle`: `bill`, or `dismiss` with a reason."""
    routes = Blueprint("doubts", __name__, url_prefix="/doubts")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_doubts() -> Response:
        with trio.fail_after(WITHIN_S):
            found = await doubts.doubts(settled_too=request.args.get("all") == "1")
        return written_data([doubt_body(each) for each in _own(found)])

    @routes.get("/<doubt_id>")
    @needs(Right.READ, filters=True)
    async def show(doubt_id: str) -> Response:
        number = row_id(doubt_id)
        with trio.fail_after(WITHIN_S):
            doubt = await doubts.doubt(number)
        if not who().has_station(doubt.station_id):
            raise Forbidden(NOT_OWN, reason="not_own")
        return written_data(doubt_body(doubt))

    @routes.post("/<doubt_id>/settle")
    @needs(Right.MONEY)
    async def settle(doubt_id: str) -> Response:
        body = await read_object()
        number = row_id(doubt_id)
        refuse_actor(body)
        chosen = [name for name in ("bill", "dismiss") if body.get(name) is True]
        if len(chosen) != 1:
            raise InvalidRequest(("bill", "ровно одно из: bill, dismiss"))
        with trio.fail_after(WITHIN_S):
            if chosen == ["dismiss"]:
                await doubts.dismiss(number, actor=acting(), reason=required_text(body, "reason"))
            else:
                reason = required_text(body, "reason") if "reason" in body else None
                await doubts.bill(number, actor=acting(), reason=reason)
            return written_data(doubt_body(await doubts.doubt(number)))

    return routes


def attempt_routes(attempts: Attempts) -> Blueprint:
    """`/attempts[?client=][&station=][&since=]`: newest first, at most 500."""
    routes = Blueprint("attempts", __name__, url_prefix="/attempts")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_attempts() -> Response:
        asked, since = request.args, _since(request.args.get("since"))
        client_id, station_id, own = asked.get("client"), asked.get("station"), who().own
        with trio.fail_after(WITHIN_S):
            found = await attempts.listed(
                client_id=None if client_id is None else ClientId(client_id),
                station_id=None if station_id is None else StationId(station_id),
                since=since,
                of_stations=None if own is None else own.stations,
            )
        return written_data([asdict(each) for each in found])

    return routes


def free_vend_routes(free_vend: FreeVend) -> Blueprint:
    """`/stations/{station_id}/free-vend`: GET shows what was given away, PUT `{"free_vend": true}` sets it."""
    routes = Blueprint("free_vend", __name__, url_prefix="/stations")

    @routes.get("/<station_id>/free-vend")
    @needs(Right.READ)
    async def show(station_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(gifts_body(await free_vend.read(known_station(station_id))))

    @routes.put("/<station_id>/free-vend")
    @needs(Right.NETWORK)
    async def set_free_vend(station_id: str) -> Response:
        body = await read_object()
        refuse_actor(body)
        enabled = body.get("free_vend")
        if not isinstance(enabled, bool):
            raise InvalidRequest(("free_vend", "должно быть true или false"))
        with trio.fail_after(WITHIN_S):
            gifts = await free_vend.set(known_station(station_id), enabled=enabled, actor=acting())
        return written_data(gifts_body(gifts))

    return routes


class AtStation(Protocol):
    """What happened at a station."""

    @property
    def station_id(self) -> StationId: ...


Found = TypeVar("Found", bound=AtStation)


def _own(found: Iterable[Found]) -> list[Found]:
    """What happened at stations that may be seen."""
    return [each for each in found if who().has_station(each.station_id)]


def _card(tag: IdTag, body: Mapping[str, Any]) -> Card:
    if unknown := body.keys() - CARD_FIELDS:
        raise InvalidRequest(*((name, "неизвестное поле") for name in sorted(unknown)))
    status = body.get("status", "Accepted")
    if status not in get_args(CardStatus):
        raise InvalidRequest(("status", f"одно из: {', '.join(get_args(CardStatus))}"))
    parent, client_id = body.get("parent_id_tag"), body.get("client_id")
    if client_id is not None and not isinstance(client_id, str):
        raise InvalidRequest(("client_id", "ожидается строка"))
    return Card(
        tag,
        cast("CardStatus", status),
        None if parent is None else _tag(parent, "parent_id_tag"),
        _time(body.get("expiry_date")),
        None if client_id is None else ClientId(client_id),
    )


def _tag(text: object, field: str) -> IdTag:
    if not isinstance(text, str) or not 1 <= len(text) <= ID_TAG_CHARS_MAX or not text.isprintable():
        raise InvalidRequest((field, f"от 1 до {ID_TAG_CHARS_MAX} печатных символов"))
    return IdTag(text)


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidRequest(("expiry_date", "ожидается время ISO 8601")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _since(text: str | None) -> datetime | None:
    """A time, or a day; without an offset it is UTC. A plus that was not encoded arrives as a blank."""
    if text is None:
        return None
    try:
        since = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise InvalidRequest(("since", "ожидается дата или время ISO 8601")) from None
    return since if since.tzinfo is not None else since.replace(tzinfo=UTC)
