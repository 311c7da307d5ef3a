"""`/charges`: the list with its filters and chosen columns, a page by cursor, and the same as a file (§5).

Starts that were refused before there was a charge are rows of it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeTrouble, ChargeViews, place_of
from evpower.administration.records import ChargeRecord, FailedStart, Listed, Page
from evpower.clock import Clock
from evpower.errors import InvalidRequest
from evpower.http.operators.bodies.queries import PLACE, place_text
from evpower.http.wire.kinds import WrongValue
from evpower.identifiers import ClientId
from evpower.pages.frame.accounting_file import BYTE_ORDER_MARK, CsvCell, csv_rows, decimal, moment
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in
from evpower.staff.rights import Right
from evpower.texts.catalogue import Language

T = TypeVar("T")

WITHIN_S = 20
PER_PAGE = 100
#: Of a file: more is a matter for the database.
MOST_ROWS = 20_000
TROUBLES: tuple[ChargeTrouble, ...] = get_args(ChargeTrouble)
STATUSES = ("started", "stopped", "error")
#: Columns beside the charge itself, in their order, and those that are there at first.
COLUMNS = ("begun", "ended", "location", "station", "driver", "energy", "sum", "minutes", "limit", "phase")
AT_FIRST = ("begun", "station", "driver", "energy", "sum", "phase")
COLUMNS_COOKIE = "evpower_charge_columns"
COOKIE_KEPT = timedelta(days=365)
GIVEN = ("station", "client", "status", "only", "over", "from", "to")
WH_PER_KWH = 1000
#: Others are slips of the finger, and beside the ends of the calendar there is no day before or after.
YEARS = range(2000, 2200)


NOTHING: Listed[ChargeRecord | FailedStart] = Listed((), 0, Page(PER_PAGE))


@dataclass(frozen=True)
class AskedList:
    """What was asked for: as it was written, and as it is understood; None with what is `wrong`, by its field."""

    given: Mapping[str, str]
    wanted: ChargeFilter | None
    wrong: Mapping[str, str] = field(default_factory=dict)


def charge_list_routes(views: ChargeViews, pages: Pages, clock: Clock, timezone: ZoneInfo) -> Blueprint:
    """The list, for everybody who reads; of an operator, what is at their own stations."""
    routes = Blueprint("charge_list", __name__, url_prefix="/charges")

    def asked() -> AskedList:
        visitor = signed_in()
        visitor.require(Right.READ)
        given = {name: request.args.get(name, "").strip()[:100] for name in GIVEN}
        if not any(given.values()):
            given["from"] = clock.now().astimezone(timezone).date().isoformat()
        own = visitor.acting.own
        try:
            return AskedList(given, read_filter(given, timezone, None if own is None else own.stations))
        except InvalidRequest as wrong:
            return AskedList(given, None, dict(wrong.fields))

    async def show(found: AskedList, status: int = 200) -> Response:
        chosen, is_new = _columns()
        listed = NOTHING
        if found.wanted is not None:
            wanted = replace(found.wanted, after=_place(request.args.get("cursor", "")))
            with trio.fail_after(WITHIN_S):
                listed = await views.tried(wanted, PER_PAGE)
        last = listed.records[-1] if len(listed.records) == PER_PAGE else None
        response = await pages.show(
            "charges/list.html",
            status,
            found=listed,
            given=found.given,
            wrong=found.wrong,
            statuses=STATUSES,
            troubles=TROUBLES,
            columns=COLUMNS,
            chosen_columns=chosen,
            following=None if last is None else place_text(*place_of(last)),
            is_first="cursor" not in request.args,
        )
        return _keep_columns(response, chosen) if is_new else response

    @routes.get("")
    async def charges() -> Response:
        found = asked()
        return await show(found, 400 if found.wrong else 200)

    @routes.get("/export.csv")
    async def export() -> Response:
        found, language = asked(), choices().language
        if found.wanted is None:
            return await show(found, 400)
        texts = pages.render.wording(language).texts
        header = [texts(f"charge_file.{name}") for name in FILE_COLUMNS]
        response = Response(
            _lines(views, found.wanted, header, language, timezone), content_type="text/csv; charset=utf-8"
        )
        response.headers["Content-Disposition"] = 'attachment; filename="charges.csv"'
        return response

    return routes


def read_filter(given: Mapping[str, str], timezone: ZoneInfo, of_stations: Any) -> ChargeFilter:
    """The filter as a form has it; days are whole ones of the network. Raises InvalidRequest that names each field."""
    wrong: list[tuple[str, str]] = []
    since, until = (_read(wrong, name, lambda text: _day(text, timezone), given[name]) for name in ("from", "to"))
    over_wh = _read(wrong, "over", _over_wh, given["over"])
    if since is not None and until is not None and until < since:
        wrong.append(("to", "before_from"))
    if wrong:
        raise InvalidRequest(*wrong)
    only = next((each for each in TROUBLES if each == given["only"]), None)
    return ChargeFilter(
        station=given["station"] or None,
        client_id=ClientId(given["client"]) if given["client"] else None,
        status=given["status"] if given["status"] in STATUSES else None,
        since=since,
        before=None if until is None else until + timedelta(days=1),
        of_stations=of_stations,
        only=only,
        over_wh=over_wh or 0,
    )


def _read(wrong: list[tuple[str, str]], name: str, read: Callable[[str], T], text: str) -> T | None:
    """A field, when something is in it; what is wrong with it goes to `wrong`."""
    try:
        return read(text) if text else None
    except ValueError as why:
        wrong.append((name, str(why)))
        return None


def _day(text: str, timezone: ZoneInfo) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("not_a_day") from None
    if day.year not in YEARS:
        raise ValueError("not_a_day")
    return datetime.combine(day, time(0), timezone)


def _over_wh(text: str) -> int:
    plain = text.replace(",", ".")
    if not plain.replace(".", "", 1).isdecimal() or not plain.isascii() or len(plain) > 9:
        raise ValueError("not_a_number")
    return int(Decimal(plain) * WH_PER_KWH)


def _place(cursor: str) -> tuple[datetime, str] | None:
    """Where the page before ended; the first page for what is no such place."""
    try:
        place: tuple[datetime, str] | None = PLACE.read(cursor) if cursor else None
    except WrongValue:
        return None
    return place


def _columns() -> tuple[list[str], bool]:
    """The columns that are wanted, and whether they were chosen just now."""
    is_new = "columns" in request.args
    kept = request.args.getlist("columns") if is_new else request.cookies.get(COLUMNS_COOKIE, "").split(".")
    chosen = [name for name in COLUMNS if name in kept]
    return (chosen, is_new) if chosen else (list(AT_FIRST), False)


def _keep_columns(response: Response, chosen: list[str]) -> Response:
    kept_s = int(COOKIE_KEPT.total_seconds())
    response.set_cookie(COLUMNS_COOKIE, ".".join(chosen), kept_s, httponly=True, samesite="Strict", path="/charges")
    return response


FILE_COLUMNS = (
    "charge",
    "begun",
    "ended",
    "location",
    "station",
    "connector",
    "client",
    "phase",
    "estimated",
    "energy",
    "sum",
    "minutes",
    "refusal",
)


async def _lines(
    views: ChargeViews, wanted: ChargeFilter, header: list[str], language: Language, timezone: ZoneInfo
) -> AsyncIterator[bytes]:
    """The whole filter, page after page, each by its own short reading."""
    yield (BYTE_ORDER_MARK + csv_rows([header])).encode()
    for _ in range(MOST_ROWS // PER_PAGE):
        records = (await views.tried(wanted, PER_PAGE)).records
        yield csv_rows(_file_row(each, language, timezone) for each in records).encode()
        if len(records) < PER_PAGE:
            return
        wanted = replace(wanted, after=place_of(records[-1]))


def _file_row(each: ChargeRecord | FailedStart, language: Language, timezone: ZoneInfo) -> list[CsvCell]:
    if isinstance(each, FailedStart):
        where: list[CsvCell] = [each.location_name, each.station_id, each.connector_id, each.client_id]
        begun = moment(each.created_at, timezone)
        return [None, begun, None, *where, None, None, None, None, None, each.reason or each.answer]
    energy = f"{each.energy_kwh:.3f}"
    return [
        each.id,
        moment(each.start_time, timezone),
        None if each.stop_time is None else moment(each.stop_time, timezone),
        each.location_name,
        each.station_id,
        each.connector_id,
        each.client_id,
        each.phase,
        "1" if each.estimated else "0",
        energy if language == "en" else energy.replace(".", ","),
        decimal(each.cost_tyiyn, language),
        each.duration_minutes,
        None,
    ]
