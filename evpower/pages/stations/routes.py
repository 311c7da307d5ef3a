"""`/stations/{id}`: the head of a station's page, and its tabs, each an address of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, cast

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import Page
from evpower.attempts.service import Attempts
from evpower.attention.picture import Pictures
from evpower.availability.service import StationAvailability
from evpower.billing.pricing import PriceQuestion
from evpower.billing.tariff import Price
from evpower.case_files.station_case import StationCase
from evpower.case_files.stations import StationCases
from evpower.charging.review.free_vend import FreeVend
from evpower.errors import NotFound, StationNotFound
from evpower.http.operators.tracing import TraceFeed, Traces, is_elsewhere
from evpower.identifiers import StationId
from evpower.link.ports import LiveStations, SocketNow
from evpower.narrowing import Narrowing
from evpower.network.station_prices import StationPrices
from evpower.ocpp.watch.frame_facts import boot_cause, clock_offset
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in
from evpower.pages.live import LONGEST_S
from evpower.pages.stations.acts import local_moment
from evpower.pages.stations.asking import Asking, allowed_acts, asking_routes
from evpower.pages.stations.frame_words import frame_sentence
from evpower.pages.stations.trace import FrameFilter, TraceStream
from evpower.staff.rights import Right

WITHIN_S = 20
ATTEMPTS_SHOWN, CHARGES_SHOWN, FRAMES_SHOWN, EVENTS_SHOWN = 20, 100, 100, 200
#: Of a station of OCPP 2.0.1, which may report thousands.
VARIABLES_SHOWN = 500
#: Frames that a time is asked for, and those that the filter looks through.
FRAMES_READ = 1000
FRAMES_OF = timedelta(hours=2)
#: What was said before a boot says why it was.
BEFORE_BOOT, BEFORE_BOOT_FRAMES = timedelta(hours=1), 40
REVENUE_DAYS = 30
TABS = ("live", "charges", "readings", "availability", "configuration", "money", "history")


class Sockets(Protocol):
    """The sockets of this process."""

    def socket_now(self, station_id: StationId) -> SocketNow | None: ...


@dataclass(frozen=True)
class StationWire:
    """What is known of stations' sockets and frames, and the addresses that stations are configured with."""

    traces: Traces
    sockets: Sockets
    link: LiveStations
    urls: Sequence[str] = ()


@dataclass(frozen=True)
class StationRooms:
    """What the tabs show."""

    cases: StationCases
    attempts: Attempts
    charge_views: ChargeViews
    prices: StationPrices
    free_vend: FreeVend
    availability: StationAvailability


def station_routes(
    pictures: Pictures, rooms: StationRooms, wire: StationWire, asking: Asking, pages: Pages
) -> Blueprint:
    """A station, tab by tab, and what is asked of it."""
    routes, tabs = Blueprint("stations", __name__), _Tabs(pictures, rooms, wire, asking, pages)
    routes.register_blueprint(asking_routes(asking, pictures, pages))

    @routes.get("/stations/<station_id>")
    async def station(station_id: str) -> Response:
        return await tabs.show(StationId(station_id), "live")

    @routes.get("/stations/<station_id>/<tab>")
    async def one_tab(station_id: str, tab: str) -> Response:
        if tab not in TABS:
            raise NotFound
        return await tabs.show(StationId(station_id), tab)

    @routes.get("/stations/<station_id>/trace")
    async def trace(station_id: str) -> Response:
        return await tabs.stream(StationId(station_id))

    return routes


class _Tabs:
    """A station's page."""

    def __init__(
        self, pictures: Pictures, rooms: StationRooms, wire: StationWire, asking: Asking, pages: Pages
    ) -> None:
        self._pictures = pictures
        self._rooms = rooms
        self._wire = wire
        self._asking = asking
        self._pages = pages

    async def show(self, station_id: StationId, tab: str) -> Response:
        """The head, and one tab. Raises StationNotFound, Forbidden."""
        socket = self._wire.sockets.socket_now(station_id)
        with trio.fail_after(WITHIN_S):
            try:
                case = await self._rooms.cases.case(station_id, socket)
            except StationNotFound:
                return await self._stranger(station_id)
            signed_in().require(Right.READ, station_id)
            head = await self._head(case, socket)
            picture = await self._pictures.fresh()
            cells = None if picture is None else picture.stations.get(station_id)
            shown: Mapping[str, Any] = await getattr(self, f"_{tab}")(station_id)
        return await self._pages.show(
            f"stations/{tab}.html",
            tab=tab,
            tabs=TABS,
            case=case,
            cells=cells.cells if cells is not None else (),
            acts=allowed_acts(signed_in(), station_id, case.station.ocpp_version),
            **head,
            **shown,
        )

    async def _stranger(self, station_id: StationId) -> Response:
        """Who asks to be let in under a name that no station has."""
        stranger = await self._rooms.cases.stranger(station_id)
        if stranger is None:
            raise StationNotFound
        signed_in().require(Right.NETWORK)
        return await self._pages.show("stations/stranger.html", stranger=stranger)

    async def _head(self, case: StationCase, socket: SocketNow | None) -> dict[str, Any]:
        station_id, booted_at = StationId(case.station.id), case.station.booted_at
        heard = await self._wire.traces.history(station_id, FRAMES_OF, FRAMES_SHOWN)
        before_boot: list[dict[str, Any]] = []
        if booted_at is not None:
            before_boot = await self._wire.traces.history(
                station_id, booted_at - BEFORE_BOOT, BEFORE_BOOT_FRAMES, until=booted_at
            )
        return {
            "socket": socket,
            "elsewhere": is_elsewhere(self._wire.link, station_id),
            "last_frame": heard[-1] if heard else None,
            "offset": clock_offset(heard),
            "boot": None if booted_at is None else boot_cause(before_boot, booted_at),
            "urls": [self._url(url, station_id) for url in self._wire.urls],
        }

    def _url(self, url: str, station_id: StationId) -> str:
        """The exact address; a listener of every address has the name that the reader's browser knows."""
        here = request.host.rpartition(":")[0] or request.host
        for anywhere in ("0.0.0.0", "[::]"):
            url = url.replace(f"://{anywhere}:", f"://{here}:")
        return url.replace("{station_id}", station_id)

    # ------------------------------------------------------------------------------------------------------ the tabs

    async def _live(self, station_id: StationId) -> dict[str, Any]:
        given = {name: request.args.get(name, "").strip()[:60] for name in ("action", "errors", "since")}
        wanted, since = FrameFilter(given["action"], bool(given["errors"])), self._since(given["since"])
        heard = await self._wire.traces.history(station_id, since or FRAMES_OF, FRAMES_READ)
        found = [each for each in heard if wanted.wants(each)]
        tried = await self._rooms.attempts.listed(Narrowing(station_id=station_id, limit=ATTEMPTS_SHOWN))
        return {
            "given": given,
            "frames": list(reversed(found if since else found[-FRAMES_SHOWN:])),
            "after": heard[-1]["at"].isoformat() if heard else "",
            "sentence": frame_sentence,
            "actions": sorted({str(each.get("action")) for each in heard if each.get("action")}),
            "attempts": tried,
            "is_kept": self._wire.traces.is_recording,
        }

    def _since(self, text: str) -> datetime | None:
        try:
            return local_moment(text, self._asking.timezone) if text else None
        except ValueError:
            return None

    async def stream(self, station_id: StationId) -> Response:
        """The frames that pass from now on, or after the last one that a page has seen."""
        signed_in().require(Right.READ, station_id)
        with trio.fail_after(WITHIN_S):
            await self._wire.traces.check_station(station_id)
        after = self._after(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
        elsewhere = partial(is_elsewhere, self._wire.link, station_id)
        feed = TraceFeed(self._wire.traces, elsewhere, station_id, after, FRAMES_READ, follow=True)
        wanted = FrameFilter(request.args.get("action", ""), bool(request.args.get("errors")))
        language, render = choices().language, self._pages.render
        scope = cast("dict[str, Any]", request.scope)  # Hypercorn's types name its fields; ours is one more

        def line(entry: Mapping[str, Any]) -> str:
            return render.text("stations/frame.html", language, frame=entry, sentence=frame_sentence)

        response = Response(TraceStream(feed, wanted, after, line, scope), content_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = LONGEST_S
        return response

    @staticmethod
    def _after(text: str) -> datetime | None:
        try:
            at = datetime.fromisoformat(text.replace(" ", "+"))  # an address turns a plus into a blank
        except ValueError:
            return None
        return at if at.tzinfo is not None else None

    async def _charges(self, station_id: StationId) -> dict[str, Any]:
        found = await self._rooms.charge_views.charges(ChargeFilter(station=station_id), Page(CHARGES_SHOWN))
        return {"found": found}

    async def _readings(self, station_id: StationId) -> dict[str, Any]:
        return {"readings": await self._rooms.cases.readings(station_id)}

    async def _availability(self, station_id: StationId) -> dict[str, Any]:
        return {"seen": await self._rooms.availability.seen(station_id)}

    async def _configuration(self, station_id: StationId) -> dict[str, Any]:
        """Its settings, and of OCPP 2.0.1 the first of the variables that it reported."""
        known = await self._asking.doers.operations.device_model.known(station_id)
        settings = await self._rooms.cases.settings(station_id)
        return {"settings": settings, "variables": known[:VARIABLES_SHOWN], "reported": len(known)}

    async def _money(self, station_id: StationId) -> dict[str, Any]:
        price = await self._price(station_id, None)
        following = None
        if price is not None and price.next_rate_change is not None:
            following = await self._price(station_id, price.next_rate_change)
        figures = await self._rooms.charge_views.figures(REVENUE_DAYS, [station_id])
        return {
            "price": price,
            "following": following,
            "figures": figures,
            "days": REVENUE_DAYS,
            "gifts": await self._rooms.free_vend.read(station_id),
        }

    async def _price(self, station_id: StationId, at: datetime | None) -> Price | None:
        """None for a station that is not shown to drivers: it sells nothing."""
        try:
            return (await self._rooms.prices.price(station_id, PriceQuestion(), at))[1]
        except StationNotFound:
            return None

    async def _history(self, station_id: StationId) -> dict[str, Any]:
        return {"events": await self._rooms.cases.events(Narrowing(station_id, limit=EVENTS_SHOWN))}
