"""Locations, stations, tariffs with the price of a moment, cards, certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.network_views import NetworkViews, StationFilter
from evpower.administration.records import Page
from evpower.administration.tariff_plans import TariffPlans
from evpower.billing.pricing import PriceQuestion
from evpower.billing.tariff import Price
from evpower.clock import Clock
from evpower.digits import whole_number
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import IdTag, StationId
from evpower.network.station_prices import StationPrices
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.security.certificates import StationCertificates
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right
from evpower.tags.service import Tags

WITHIN_S = 20
PER_PAGE = 100
MOST_PAGES = 10_000
#: More cards than this are found by their number.
CARDS_SHOWN = 500
NAME_CHARS_MAX = 100


@dataclass(frozen=True)
class NetworkLists:
    """The services that the lists read."""

    views: NetworkViews
    tariff_plans: TariffPlans
    prices: StationPrices
    tags: Tags
    certificates: StationCertificates


@dataclass(frozen=True)
class QuotedPrice:
    """What a start at a station would cost, now and at a time of day."""

    station_id: StationId
    now: Price
    at: datetime
    then: Price


def network_routes(network: NetworkLists, acts: OperatorActs, pages: Pages, clock: Clock) -> Blueprint:
    """An operator sees their own locations and stations; what all share is for administrators."""
    routes = Blueprint("network", __name__, url_prefix="/network")

    @routes.get("")
    async def locations() -> Response:
        own, page = signed_in().acting.own, _page()
        signed_in().require(Right.READ)
        with trio.fail_after(WITHIN_S):
            found = await network.views.locations(None, page, of=None if own is None else own.locations)
        return await pages.show("network/locations.html", found=found, number=_number())

    @routes.get("/stations")
    async def stations() -> Response:
        own, location = signed_in().acting.own, request.args.get("location", "").strip()[:NAME_CHARS_MAX]
        signed_in().require(Right.READ)
        wanted = StationFilter(location_id=location or None)
        with trio.fail_after(WITHIN_S):
            found = await network.views.stations(wanted, _page(), of=None if own is None else own.stations)
        return await pages.show("network/stations.html", found=found, number=_number(), location=location)

    @routes.get("/tariffs")
    async def tariffs() -> Response:
        signed_in().require(Right.NETWORK)
        name, at = (request.args.get(each, "").strip()[:NAME_CHARS_MAX] for each in ("station", "at"))
        wrong = None
        with trio.fail_after(WITHIN_S):
            plans = await network.tariff_plans.plans()
            try:
                quoted = await _quote(network.prices, name, at, clock) if name else None
            except (StationNotFound, InvalidRequest) as error:
                quoted, wrong = None, "station" if isinstance(error, StationNotFound) else "at"
        status = 200 if wrong is None else 400
        names: dict[str, Any] = {"plans": plans, "quoted": quoted, "station": name, "at": at, "wrong": wrong}
        return await pages.show("network/tariffs.html", status, **names)

    @routes.get("/cards")
    async def cards() -> Response:
        signed_in().require(Right.NETWORK)
        wanted = request.args.get("q", "").strip()[:NAME_CHARS_MAX].casefold()
        with trio.fail_after(WITHIN_S):
            found = [each for each in await network.tags.cards() if wanted in _words(each.id_tag, each.client_id)]
        names: dict[str, Any] = {"found": found[:CARDS_SHOWN], "total": len(found), "wanted": wanted}
        return await pages.show("network/cards.html", **names)

    @routes.post("/cards")
    async def set_card() -> Any:
        visitor, key = signed_in(), await form_key()
        visitor.require(Right.NETWORK)
        tag, act = IdTag(await form_text("card")), await form_text("act")
        if act not in ("block_card", "unblock_card"):
            raise InvalidRequest(("act", "block_card, unblock_card"))
        status: Literal["Blocked", "Accepted"] = "Blocked" if act == "block_card" else "Accepted"

        async def perform() -> None:
            await network.tags.set_status(tag, status)

        with trio.fail_after(WITHIN_S):
            await acts.once(visitor.acting, Intent(key, act, tag), perform)
        return redirect("/network/cards", 303)

    @routes.get("/certificates")
    async def certificates() -> Response:
        visitor = signed_in()
        visitor.require(Right.READ)
        with trio.fail_after(WITHIN_S):
            found = await network.certificates.held(None)
        own = [each for each in found if visitor.acting.has_station(each["station_id"])]
        return await pages.show("network/certificates.html", found=own, soon=clock.now() + timedelta(days=30))

    return routes


async def _quote(prices: StationPrices, name: str, at: str, clock: Clock) -> QuotedPrice:
    """Raises StationNotFound, InvalidRequest (`at`)."""
    station_id, now = await prices.price(name, PriceQuestion(), None)
    then_at = prices.next_at(_time(at), clock.now()) if at else clock.now()
    _, then = await prices.price(name, PriceQuestion(), then_at)
    return QuotedPrice(station_id, now, then_at, then)


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(("at", "23:30")) from None


def _words(*texts: str | None) -> str:
    return " ".join(text for text in texts if text).casefold()


def _number() -> int:
    return whole_number(request.args.get("page", "1"), MOST_PAGES) or 1


def _page() -> Page:
    return Page(PER_PAGE, (_number() - 1) * PER_PAGE)
