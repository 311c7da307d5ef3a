"""What an operator wants to see: the queries of addresses."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, cast, get_args

from evpower.administration.charge_views import ChargeFilter
from evpower.administration.client_accounts import GivenStatus
from evpower.administration.network_views import StationFilter
from evpower.administration.records import Page
from evpower.charging.session import Phase as SessionPhase
from evpower.charging.session import PublicSessionStatus
from evpower.digits import INT64_MAX
from evpower.http.operators.bodies.orders import STRING
from evpower.http.wire.kinds import (
    FLAG,
    MOMENT,
    FieldKind,
    Schema,
    WrongValue,
    counted,
    one_of,
)
from evpower.http.wire.requests import BodyFields
from evpower.identifiers import ClientId, StationId
from evpower.narrowing import ROWS_MAX, Narrowing
from evpower.network.status import AdminStatus
from evpower.payments.top_up import Phase

LIMIT_MAX, OFFSET_MAX = 500, 10**9
PERIOD_DAYS_MAX, SEARCH_CHARS_MAX = 366, 100


def _read_one(value: Any) -> bool:
    return bool(value == "1")


def _read_since(value: Any) -> datetime:
    """A plus that was not encoded arrives as a blank."""
    text = str(value)
    try:
        return MOMENT.read(text.replace(" ", "+") if "T" in text else text)
    except WrongValue:
        raise WrongValue("ожидается дата или время ISO 8601") from None


#: `?all=1`; any other value is no.
ONE = FieldKind({"enum": ["1"]}, _read_one)
SINCE = FieldKind({"type": "string", "description": "a day or a time, ISO 8601"}, _read_since)


def all_too(fields: BodyFields) -> bool:
    """`?all=1`: what is decided too."""
    asked = fields.optional("all", ONE)
    fields.check()
    return bool(asked)


def narrowing_query(fields: BodyFields) -> Narrowing:
    """`?station=&client=&since=&limit=`: where, whose, since when, how many."""
    client_id, station_id = fields.optional("client", STRING), fields.optional("station", STRING)
    since, limit = fields.optional("since", SINCE), fields.optional("limit", counted(1, ROWS_MAX))
    fields.check()
    return Narrowing(
        station_id=None if station_id is None else StationId(station_id),
        client_id=None if client_id is None else ClientId(client_id),
        since=since,
        limit=limit or ROWS_MAX,
    )


def attempt_page_query(fields: BodyFields) -> tuple[Narrowing, datetime | None, int | None]:
    """`?station=&client=&limit=`, `?from=&to=` (or `since`) and where the page before ended: `?cursor=`."""
    since, before = fields.optional("from", FROM), fields.optional("to", TO)
    after_id = fields.optional("cursor", counted(1, INT64_MAX))
    wanted = narrowing_query(fields)
    return replace(wanted, since=since or wanted.since), before, after_id


def questions_query(fields: BodyFields) -> tuple[bool, Narrowing]:
    """The same, with `?all=1`: what is decided too."""
    asked = fields.optional("all", ONE)
    return bool(asked), narrowing_query(fields)


def sessions_query(fields: BodyFields) -> tuple[bool, Narrowing]:
    """Those that run, unless `?all=1` or a phase is asked for; and `?phase=&station=&client=&since=&limit=`."""
    phase = fields.optional("phase", one_of(*get_args(SessionPhase)))
    ended_too, wanted = questions_query(fields)
    return not ended_too and phase is None, replace(wanted, phase=phase)


def payments_query(fields: BodyFields) -> tuple[bool, bool, Narrowing]:
    """`?parked=1`: those that wait for a person, with `&all=1` those that are decided too; else `?phase=&client=…`."""
    parked, phase = fields.optional("parked", ONE), fields.optional("phase", one_of(*get_args(Phase)))
    decided_too, wanted = questions_query(fields)
    return bool(parked), decided_too, replace(wanted, phase=phase)


def page_query(fields: BodyFields) -> Page:
    """`?limit=&offset=`."""
    limit, offset = fields.optional("limit", counted(1, LIMIT_MAX)), fields.optional("offset", counted(0, OFFSET_MAX))
    fields.check()
    return Page(Page.limit if limit is None else limit, offset or 0)


def locations_query(fields: BodyFields) -> tuple[AdminStatus | None, Page]:
    """`?status=` and a page."""
    status = fields.optional("status", one_of(*get_args(AdminStatus)))
    return cast("AdminStatus | None", status), page_query(fields)


def stations_query(fields: BodyFields) -> tuple[StationFilter, Page]:
    """`?location_id=&is_online=&status=` and a page."""
    location_id, is_online = fields.optional("location_id", STRING), fields.optional("is_online", FLAG)
    status, page = locations_query(fields)
    return StationFilter(status, location_id, is_online), page


def _read_day_or_time(value: Any, *, whole_day: bool) -> datetime:
    """In UTC without an offset; of a day its begin, or its end. A plus that was not encoded arrives as a blank."""
    text = str(value)
    try:
        if "T" not in text:
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise WrongValue("ожидается дата или время ISO 8601") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read_printable(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise WrongValue("недопустимый идентификатор")
    return value


def _read_search(value: Any) -> str | None:
    text = str(value).strip()
    if len(text) > SEARCH_CHARS_MAX or not text.isprintable():
        raise WrongValue(f"до {SEARCH_CHARS_MAX} печатных символов")
    return text or None


PRINTABLE = FieldKind({"type": "string"}, _read_printable)
SEARCH = FieldKind({"type": "string", "maxLength": SEARCH_CHARS_MAX}, _read_search)
DAY_OR_TIME: Schema = {"type": "string", "description": "a day or a time, ISO 8601; a day is meant whole"}
FROM = FieldKind(DAY_OR_TIME, partial(_read_day_or_time, whole_day=False))
TO = FieldKind(DAY_OR_TIME, partial(_read_day_or_time, whole_day=True))


def _read_place(value: Any) -> tuple[datetime, str]:
    try:
        at, _, row_id = urlsafe_b64decode(f"{value}==").decode().partition("|")
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise WrongValue("недействителен") from None
    if moment.tzinfo is None or not row_id.isprintable():
        raise WrongValue("недействителен")
    return moment, row_id


#: Where a list of charges goes on: opaque to who asks.
PLACE = FieldKind({"type": "string", "description": "`next_cursor` of the page before"}, _read_place)


def place_text(created_at: datetime, row_id: str) -> str:
    """The cursor of what comes after this row."""
    return urlsafe_b64encode(f"{created_at.isoformat()}|{row_id}".encode()).rstrip(b"=").decode()


def running_query(fields: BodyFields) -> tuple[ChargeFilter, Page]:
    """`?station_id=` and a page, of what runs; with `?from=&to=&station=&client=&phase=&cursor=` of all there is
    (contract/operator-pages §10.3)."""
    station = fields.optional("station_id", PRINTABLE)
    client, phase = fields.optional("client", PRINTABLE), fields.optional("phase", one_of(*get_args(SessionPhase)))
    since, before, after = fields.optional("from", FROM), fields.optional("to", TO), fields.optional("cursor", PLACE)
    of_station, page = fields.optional("station", PRINTABLE), page_query(fields)
    if not any((client, phase, since, before, after, of_station)):
        return ChargeFilter(station=station, status="started"), page
    client_id = None if client is None else ClientId(client)
    where = of_station or station
    return ChargeFilter(None, client_id, where, None, since, before, phase=phase, after=after), page


def history_query(fields: BodyFields) -> tuple[ChargeFilter, Page]:
    """`?station_id=&status=&date_from=&date_to=` and a page."""
    station = fields.optional("station_id", PRINTABLE)
    status = fields.optional("status", one_of(*get_args(PublicSessionStatus)))
    since, before = fields.optional("date_from", FROM), fields.optional("date_to", TO)
    page = page_query(fields)
    return ChargeFilter(station=station, status=status, since=since, before=before), page


def statistics_query(fields: BodyFields) -> int:
    """`?period_days=1`."""
    days = fields.optional("period_days", counted(1, PERIOD_DAYS_MAX))
    fields.check()
    return days or 1


def clients_query(fields: BodyFields) -> tuple[str | None, GivenStatus | None, Page]:
    """`?search=&status=` and a page."""
    search, status = fields.optional("search", SEARCH), fields.optional("status", one_of(*get_args(GivenStatus)))
    return search, cast("GivenStatus | None", status), page_query(fields)


def given_status(fields: BodyFields) -> GivenStatus:
    """`?status=`."""
    status = fields.required("status", one_of(*get_args(GivenStatus)))
    fields.check()
    return cast("GivenStatus", status)
