"""`GET /stations/{id}/trace`: one station's frames as JSON lines, kept ones and those that pass from now on.

Each line is an object; a line `{"event": …}` says why the stream ended or has
no frames, an empty one that it is still alive.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import trio
from quart import Blueprint, Response, request
from quart.wrappers.response import ResponseBody

from evpower.http.wire.application import STREAMING
from evpower.http.wire.described import described
from evpower.http.wire.kinds import FieldKind, WrongValue, counted
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.rights import needs
from evpower.http.wire.values import jsonable
from evpower.identifiers import StationId
from evpower.link.ports import LiveStations
from evpower.staff.rights import Right

READ_WITHIN_S = 20
#: A quiet station's stream says so, so that its reader can distinguish it from a dead server.
ALIVE_EVERY_S = 15
ALIVE = b"\n"
#: How often frames of a station at another process are looked for among the kept ones.
LOOK_EVERY_S = 1.0
MOST_FRAMES = 10_000
DEFAULT_FRAMES = 1000
NOTHING_KEPT = "no frames of that time: none are kept while ocpp.record_frames is false"
OUT_OF_SIGHT = (
    "nothing can be shown here: the station's socket is at another process, and no frames are kept while"
    " ocpp.record_frames is false; ask that process"
)
#: The longest a stream may last; Quart wants a number.
LONGEST_S = 7 * 24 * 3600

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _read_since(text: Any) -> datetime | timedelta | None:
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return timedelta(seconds=int(ago[1]) * _UNITS_S[ago[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongValue("ожидается 30s, 10m, 2h, 3d или время ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


SINCE = FieldKind({"type": "string", "description": "30s, 10m, 2h, 3d, or a time"}, _read_since)
#: 0 is no, everything else yes.
FOLLOW = FieldKind({"enum": ["0", "1"]}, lambda text: bool(text != "0"))


class Watched(Protocol):
    """A station being followed."""

    @property
    def was_cut(self) -> bool: ...

    async def next(self) -> dict[str, Any]:
        """Raises trio.EndOfChannel at the end."""
        ...


class Traces(Protocol):
    """What is known of stations' frames."""

    @property
    def is_recording(self) -> bool:
        """Whether frames are kept at all."""
        ...

    async def check_station(self, station_id: StationId) -> None:
        """Raises StationNotFound."""
        ...

    async def history(
        self, station_id: StationId, since: datetime | timedelta, limit: int, *, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Kept frames, oldest first; the newest `limit` of the time."""
        ...

    def follow(self, station_id: StationId) -> AbstractContextManager[Watched]:
        """Frames from now on."""
        ...


def trace_query(fields: BodyFields) -> tuple[datetime | timedelta | None, bool, int]:
    """Since when what was kept is shown, whether what comes is too, and how many lines of what was kept."""
    since, follow = fields.optional("since", SINCE), fields.optional("follow", FOLLOW)
    limit = fields.optional("limit", counted(1, MOST_FRAMES))
    fields.check()
    return since, follow is not False, DEFAULT_FRAMES if limit is None else limit


def trace_routes(traces: Traces, link: LiveStations) -> Blueprint:
    """`?since=2h` (or a time) shows what was kept; `?follow=0` ends after it; `?limit=` is for what was kept.

    Frames of a station whose socket is at another process come by the rows that it keeps, a moment later.
    """
    routes = Blueprint("trace", __name__)

    @routes.get("/stations/<path:station_id>/trace")
    @needs(Right.READ)
    @described(
        "A station's frames as JSON lines",
        query=trace_query,
        answer=str,
        media_type="application/x-ndjson",
        caller="staff",
    )
    async def trace(station_id: str) -> Response:
        station = StationId(station_id)
        since, follow, limit = trace_query(BodyFields(request.args))
        with trio.fail_after(READ_WITHIN_S):
            await traces.check_station(station)
        feed = TraceFeed(traces, partial(is_elsewhere, link, station), station, since, limit, follow=follow)
        response = Response(_Lines(feed), mimetype="application/x-ndjson")
        response.timeout = LONGEST_S
        return response

    return routes


class TraceFeed:
    """One station's frames, kept ones and then those that pass, whichever process has its socket."""

    def __init__(
        self,
        traces: Traces,
        is_elsewhere: Callable[[], bool],
        station: StationId,
        since: datetime | timedelta | None,
        limit: int,
        *,
        follow: bool,
    ) -> None:
        self._traces = traces
        self._is_elsewhere = is_elsewhere
        self._station = station
        self._since = since
        self._limit = limit
        self._follow = follow
        self._watching: AbstractContextManager[Watched] = traces.follow(station)
        self._kept: deque[dict[str, Any]] = deque()
        self._last_at: datetime | None = None
        self._shown_at: datetime | None = None
        self._ended = False

    async def open(self) -> None:
        """Begin to watch, and read what was kept; `close` ends it."""
        self._watched = self._watching.__enter__()
        if self._since is not None:
            with trio.fail_after(READ_WITHIN_S):
                self._kept.extend(await self._traces.history(self._station, self._since, self._limit))
            self._last_at = self._shown_at = self._kept[-1]["at"] if self._kept else None
            if not self._kept and not self._traces.is_recording:
                self._kept.append({"event": NOTHING_KEPT})

    def close(self, *failure: Any) -> None:
        """Watch no more."""
        self._watching.__exit__(*failure)

    async def next(self) -> dict[str, Any] | None:
        """The next frame, or why there will be no more (`event`); None: nothing passed for `ALIVE_EVERY_S`.

        Raises trio.EndOfChannel after the last one.
        """
        if self._kept:
            return self._kept.popleft()
        if self._ended or not self._follow:
            raise trio.EndOfChannel
        if self._is_elsewhere() and not self._traces.is_recording:
            self._ended = True
            return {"event": OUT_OF_SIGHT}
        try:
            with trio.move_on_after(ALIVE_EVERY_S):
                while True:
                    with trio.move_on_after(LOOK_EVERY_S if self._is_elsewhere() else ALIVE_EVERY_S):
                        return await self._next_live()
                    if (entry := await self._next_from_elsewhere()) is not None:
                        return entry
        except trio.EndOfChannel:
            self._ended = True
            return {"event": "cut off: too slow" if self._watched.was_cut else "the server is shutting down"}
        return None

    async def _next_from_elsewhere(self) -> dict[str, Any] | None:
        """The first of the frames that another process has kept since the last one shown."""
        if not self._is_elsewhere():
            return None
        shown_at = self._shown_at
        since = timedelta(seconds=LOOK_EVERY_S * 2) if shown_at is None else shown_at
        kept = await self._traces.history(self._station, since, MOST_FRAMES)
        self._kept.extend(each for each in kept if shown_at is None or each["at"] > shown_at)
        if not self._kept:
            return None
        self._shown_at = self._kept[-1]["at"]
        return self._kept.popleft()

    async def _next_live(self) -> dict[str, Any]:
        while True:
            entry = await self._watched.next()
            if self._last_at is None or entry["at"] > self._last_at:  # earlier ones were among the kept
                self._shown_at = entry["at"]
                return entry


class _Lines(ResponseBody):
    """The answer's body: watching begins and ends with its being sent, whichever side ends it."""

    def __init__(self, feed: TraceFeed) -> None:
        self._scope: dict[str, Any] = request.scope  # type: ignore[assignment]
        self._scope[STREAMING] = True
        self._feed = feed
        self._began = False

    async def __aenter__(self) -> _Lines:
        await self._feed.open()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        self._feed.close(*failure)

    def __aiter__(self) -> _Lines:
        return self

    async def __anext__(self) -> bytes:
        if not self._began:
            self._began = True
            return ALIVE  # Hypercorn sends the head with the first line: watching has begun
        try:
            entry = await self._feed.next()
        except trio.EndOfChannel:
            self._scope.pop(STREAMING, None)  # what remains is the end of an answer like any other
            raise StopAsyncIteration from None
        return ALIVE if entry is None else _line(entry)


def is_elsewhere(link: LiveStations, station: StationId) -> bool:
    """Whether the station's socket is open at another process."""
    return link.is_connected(station) and link.last_seen_at(station) is None


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(jsonable(entry), ensure_ascii=False).encode() + b"\n"
