"""What a charge costs a person: /api/v1/pricing (contract/rest-api §7.6)."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.billing.pricing import PriceQuestion
from evpower.errors import StationNotFound
from evpower.http.phones.answer_types.charging import PriceBody, PriceScheduleBody
from evpower.http.phones.shapes import pricing
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, caller, reading_client
from evpower.http.wire.described import described
from evpower.http.wire.kinds import MOMENT_IN_ADDRESS, POWER_KW, QUERY_TEXT, FieldKind, WrongValue
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.values import instant
from evpower.identifiers import STATION_NAME
from evpower.network.station_prices import StationPrices

ANSWER_WITHIN_S = 9


def _read_day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise WrongValue("ожидается дата ISO 8601") from None


DAY = FieldKind({"type": "string", "format": "date"}, _read_day)


def price_question(fields: BodyFields, who: Caller) -> tuple[PriceQuestion, datetime | None]:
    """Whose price, of what, when. Raises InvalidRequest, Forbidden."""
    connector_type, power_kw = fields.optional("connector_type", QUERY_TEXT), fields.optional("power_kw", POWER_KW)
    at = fields.optional("at", MOMENT_IN_ADDRESS)
    return PriceQuestion(reading_client(fields, who), connector_type, power_kw), at


def schedule_question(fields: BodyFields, who: Caller) -> tuple[PriceQuestion, date | None]:
    """Whose prices, of what, on which day. Raises InvalidRequest, Forbidden."""
    connector_type, power_kw = fields.optional("connector_type", QUERY_TEXT), fields.optional("power_kw", POWER_KW)
    day = fields.optional("date", DAY)
    return PriceQuestion(reading_client(fields, who), connector_type, power_kw), day


def price_routes(prices: StationPrices, *, prefix: str) -> Blueprint:
    """The routes below `prefix`; anybody may ask, and a client gets the prices of its own agreement."""
    routes = Blueprint("prices", __name__, url_prefix=f"{prefix}/pricing")

    @routes.get("/<name>")
    @described(
        "What a charge costs here", caller="anyone", query=partial(price_question, who=ANYBODY), answer=PriceBody
    )
    async def price(name: str) -> Response:
        asked, at = price_question(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            station_id, found = await prices.price(_named(name), asked, at)
        return written(Answer({"success": True, "station_id": station_id, "pricing": pricing(found)}))

    @routes.get("/<name>/schedule")
    @described(
        "What a charge costs here in the course of a day",
        caller="anyone",
        query=partial(schedule_question, who=ANYBODY),
        answer=PriceScheduleBody,
    )
    async def schedule(name: str) -> Response:
        asked, asked_day = schedule_question(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            station_id, day, found = await prices.day(_named(name), asked, asked_day)
        windows = [
            {"begins_at": instant(each.begins_at), "ends_at": instant(each.ends_at), "pricing": pricing(each.price)}
            for each in found
        ]
        body = {"success": True, "station_id": station_id, "date": day.isoformat(), "windows": windows}
        return written(Answer(body))

    return routes


def _named(name: str) -> str:
    if STATION_NAME.fullmatch(name) is None:
        raise StationNotFound
    return name
