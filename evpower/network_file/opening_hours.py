"""When a location is open, as OCPI writes it (2.3.0, Hours), and what a driver must know of the way in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from evpower.network_file.fields import Fields

LANGUAGES = ("ru", "ky", "en")
DIRECTIONS_CHARS = 1000
EXCEPTIONS = ("exceptional_openings", "exceptional_closings")


def read_directions(fields: Fields) -> Mapping[str, str] | None:
    """A text in one language or several."""
    table = fields.table("directions")
    if table is None:
        return None
    texts = {language: table.text(language, longest=DIRECTIONS_CHARS) for language in LANGUAGES}
    table.done()
    return {language: text for language, text in texts.items() if text is not None}


def read_opening_hours(fields: Fields) -> Mapping[str, Any] | None:
    """`twentyfourseven`, or hours of weekdays (Monday is 1); and the days on which it is otherwise."""
    table = fields.table("opening_hours")
    if table is None:
        return None
    always = table.required("twentyfourseven", table.flag("twentyfourseven"))
    regular = [_read_regular(each) for each in table.tables("regular_hours")]
    if always and regular:
        table.wrong("regular_hours", "must not be there beside twentyfourseven")
    exceptions = {name: [_read_exception(each) for each in table.tables(name)] for name in EXCEPTIONS}
    table.done()
    given = {"regular_hours": regular, **exceptions}
    return {"twentyfourseven": always, **{name: hours for name, hours in given.items() if hours}}


def _read_regular(fields: Fields) -> Mapping[str, Any]:
    weekday = fields.required("weekday", fields.whole("weekday", 1, 7))
    begin = fields.required("period_begin", fields.time_of_day("period_begin"))
    end = fields.required("period_end", fields.time_of_day("period_end"))
    if begin is not None and end is not None and begin >= end:
        fields.wrong("period_end", "must be later than period_begin")
    fields.done()
    return {"weekday": weekday, "period_begin": f"{begin:%H:%M}", "period_end": f"{end:%H:%M}"} if begin and end else {}


def _read_exception(fields: Fields) -> Mapping[str, str]:
    begin = fields.required("period_begin", fields.moment("period_begin"))
    end = fields.required("period_end", fields.moment("period_end"))
    if begin is not None and end is not None and begin >= end:
        fields.wrong("period_end", "must be later than period_begin")
    fields.done()
    return {"period_begin": _instant(begin), "period_end": _instant(end)} if begin and end else {}


def _instant(at: datetime) -> str:
    """OCPI's DateTime: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
