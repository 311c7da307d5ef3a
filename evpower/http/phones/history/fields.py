"""What the doors of the history read from an address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from evpower.digits import whole_number
from evpower.history.records import LIMIT_MAX, OFFSET_MAX, HistoryFilter, PageWish, Period
from evpower.http.wire.caller import Caller
from evpower.http.wire.kinds import QUERY_TEXT, FieldKind, WrongValue
from evpower.http.wire.requests import REQUIRED, BodyFields
from evpower.identifiers import ClientId

PERIODS = ("month", "year", "all")
SESSION_STATUSES = ("started", "stopped", "error")
MOVEMENT_STATUSES = ("completed", "canceled", "processing")


def whole_text(least: int, most: int) -> FieldKind[int]:
    """A whole number of an address."""

    def read(value: Any) -> int:
        number = whole_number(str(value), most)
        if number is None or number < least:
            raise WrongValue(f"целое число от {least} до {most}")
        return number

    return FieldKind({"type": "integer", "minimum": least, "maximum": most}, read)


def one_of(values: Collection[str]) -> FieldKind[str]:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in values:
            raise WrongValue(f"допустимы только: {', '.join(values)}")
        return str(value)

    return FieldKind({"type": "string", "enum": list(values)}, read)


def moment(timezone: ZoneInfo) -> FieldKind[datetime]:
    """A time, in UTC without an offset; a date is its midnight in the network's time zone."""

    def read(value: Any) -> datetime:
        text = str(value)
        try:
            if "T" not in text:
                day = date.fromisoformat(text)
                return datetime(day.year, day.month, day.day, tzinfo=timezone).astimezone(UTC)
            # A plus that was not encoded arrives as a blank.
            at = datetime.fromisoformat(text.replace(" ", "+"))
            return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise WrongValue("ожидается дата или время ISO 8601") from None

    return FieldKind({"type": "string", "description": "ISO 8601: a time, or a date"}, read)


@dataclass(frozen=True)
class HistoryQuery:
    """Whose list, what of it, and which page; `client_id` is None only where the address is about to name it."""

    client_id: ClientId | None
    wanted: HistoryFilter
    page: PageWish
    cursor: str | None


def whose(fields: BodyFields, who: Caller) -> ClientId | None:
    """The client whose past it is; a missing one is a wrong field. Raises what `Caller.client` does."""
    client_id = who.asking(fields)
    if client_id is None and not fields.has("client_id"):
        fields.wrong("client_id", REQUIRED)
    return client_id


def own(fields: BodyFields, who: Caller) -> ClientId:
    """The same where nothing else is asked. Raises InvalidRequest."""
    client_id = whose(fields, who)
    fields.check()
    assert client_id is not None
    return client_id


def charges_query(fields: BodyFields, who: Caller | None, timezone: ZoneInfo) -> HistoryQuery:
    """A list of charges; without `who` the address names the client. Raises InvalidRequest."""
    return _query(fields, who, timezone, SESSION_STATUSES, of_charges=True)


def movements_query(fields: BodyFields, who: Caller | None, timezone: ZoneInfo) -> HistoryQuery:
    """A list of movements of money, the same way."""
    return _query(fields, who, timezone, MOVEMENT_STATUSES, of_charges=False)


def _query(
    fields: BodyFields, who: Caller | None, timezone: ZoneInfo, statuses: Collection[str], *, of_charges: bool
) -> HistoryQuery:
    client_id = None if who is None else whose(fields, who)
    limit, offset = (
        fields.optional("limit", whole_text(1, LIMIT_MAX)),
        fields.optional("offset", whole_text(0, OFFSET_MAX)),
    )
    cursor = fields.optional("cursor", QUERY_TEXT)
    status = fields.optional("status", one_of(statuses))
    station_id = fields.optional("station_id", QUERY_TEXT) if of_charges else None
    location_id = fields.optional("location_id", QUERY_TEXT) if of_charges else None
    movement_type = None if of_charges else fields.optional("type", QUERY_TEXT)
    since, before = fields.optional("date_from", moment(timezone)), fields.optional("date_to", moment(timezone))
    if cursor is not None and offset:
        fields.wrong("offset", "не вместе с cursor")
    if since is not None and before is not None and before < since:
        fields.wrong("date_to", "раньше date_from")
    fields.check()
    wanted = HistoryFilter(status, station_id, location_id, movement_type, since, before)
    return HistoryQuery(client_id, wanted, PageWish(PageWish.limit if limit is None else limit, offset or 0), cursor)


def sums_query(fields: BodyFields, who: Caller) -> tuple[ClientId, Period]:
    """Whose sums, and of which time; all of it when nothing is said. Raises InvalidRequest."""
    client_id, period = whose(fields, who), fields.optional("period", one_of(PERIODS))
    fields.check()
    assert client_id is not None
    return client_id, cast("Period", period or "all")
