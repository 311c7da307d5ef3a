"""How long a drive takes: a router of the operator's (OSRM or Valhalla), or the great circle when it does not answer.

An answer is kept for ten minutes; a router that fails is logged, and asked again at the next request.
"""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import httpx2
import msgspec
import trio

from evpower.navigation.distance import GeoPoint, Way, straight_way
from evpower.outgoing_http import Transport, kind_of, open_client, read_whole

log = logging.getLogger("evpower.navigation")

WITHIN_S = 2.0
KEPT_S = 600.0
#: Pairs that are remembered.
KEPT_MOST = 50_000
ANSWER_BYTES_MAX = 1024 * 1024
#: Places of one request: what OSRM takes unless it is told otherwise.
PLACES_MOST = 100
TIMEOUT, LIMITS = httpx2.Timeout(WITHIN_S), httpx2.Limits(max_connections=4)

#: A router that is away, slow, or says what no router says.
NO_ANSWER = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    OSError,
    trio.TooSlowError,
    msgspec.MsgspecError,
    ValueError,
    LookupError,
    TypeError,
)

RouterAnswer = Literal["answered", "failed"]
Pair = tuple[GeoPoint, GeoPoint]
#: Metres and seconds, None where there is no road.
RoadTable = Sequence[Sequence[tuple[float | None, float | None]]]
Points = Sequence[GeoPoint]
AskTable = Callable[[httpx2.AsyncClient, str, Points, Points], Awaitable[RoadTable]]


class Roads:
    """Ways between places, by the setting: `osrm:URL`, `valhalla:URL`, or nothing."""

    def __init__(self, router: str = "", transport: Transport | None = None) -> None:
        """A `transport` stands for the net."""
        kind, _, url = router.partition(":")
        self._table = TABLES.get(kind)
        self._url = url.rstrip("/")
        self._context = ssl.create_default_context() if self._table else None
        self._transport = transport
        self._kept: dict[Pair, tuple[float, Way]] = {}
        #: Requests to the router since the start, by what became of them.
        self.asked: Counter[RouterAnswer] = Counter()

    async def ways(self, sources: Points, targets: Points) -> dict[Pair, Way]:
        """From each to each; at most `PLACES_MOST` in all. Never raises: what no router says is approximate."""
        pairs = [(_near(source), _near(target)) for source in sources for target in targets]
        known = self._remembered(pairs)
        if self._table is not None and self._context is not None and len(known) < len(set(pairs)):
            try:
                with trio.fail_after(WITHIN_S):
                    found = await self._ask(self._table, self._context, sources, targets)
                self.asked["answered"] += 1
                self._remember(found)
                known |= found
            except NO_ANSWER as error:
                self.asked["failed"] += 1
                log.warning("the router did not answer, ways are approximate: %s", kind_of(error))
        return {
            (source, target): known.get((_near(source), _near(target))) or straight_way(source, target)
            for source in sources
            for target in targets
        }

    async def _ask(self, table: AskTable, context: ssl.SSLContext, sources: Points, targets: Points) -> dict[Pair, Way]:
        """Raises one of `NO_ANSWER`."""
        near_sources, near_targets = [*map(_near, sources)], [*map(_near, targets)]
        async with open_client({"Accept": "application/json"}, context, TIMEOUT, LIMITS, self._transport) as client:
            rows = await table(client, self._url, near_sources, near_targets)
        return {
            (source, target): Way(metres / 1000, seconds / 60, approximate=False)
            for source, row in zip(near_sources, rows, strict=True)
            for target, (metres, seconds) in zip(near_targets, row, strict=True)
            if metres is not None and seconds is not None
        }

    def _remembered(self, pairs: Sequence[Pair]) -> dict[Pair, Way]:
        since = trio.current_time() - KEPT_S
        kept = {pair: self._kept[pair] for pair in pairs if pair in self._kept}
        return {pair: way for pair, (at, way) in kept.items() if at > since}

    def _remember(self, found: Mapping[Pair, Way]) -> None:
        if len(self._kept) + len(found) > KEPT_MOST:
            self._kept.clear()
        now = trio.current_time()
        self._kept |= {pair: (now, way) for pair, way in found.items()}


async def _osrm(client: httpx2.AsyncClient, url: str, sources: Points, targets: Points) -> RoadTable:
    """Its table service."""
    places = ";".join(f"{each.longitude},{each.latitude}" for each in (*sources, *targets))
    first, last = range(len(sources)), range(len(sources), len(sources) + len(targets))
    query = {
        "annotations": "duration,distance",
        "sources": ";".join(map(str, first)),
        "destinations": ";".join(map(str, last)),
    }
    answer = await _json(client.stream("GET", f"{url}/table/v1/driving/{places}", params=query))
    if answer.get("code") != "Ok":
        raise ValueError("no table")
    return [list(zip(*rows, strict=True)) for rows in zip(answer["distances"], answer["durations"], strict=True)]


async def _valhalla(client: httpx2.AsyncClient, url: str, sources: Points, targets: Points) -> RoadTable:
    """Its time-distance matrix; kilometres."""
    body = {
        "sources": [{"lat": each.latitude, "lon": each.longitude} for each in sources],
        "targets": [{"lat": each.latitude, "lon": each.longitude} for each in targets],
        "costing": "auto",
    }
    answer = await _json(client.stream("POST", f"{url}/sources_to_targets", json=body))
    return [[(_metres(each["distance"]), each["time"]) for each in row] for row in answer["sources_to_targets"]]


async def _json(asking: AbstractAsyncContextManager[httpx2.Response]) -> Mapping[str, Any]:
    async with asking as answer:
        body, problem = await read_whole(answer, ANSWER_BYTES_MAX)
    if body is None:
        raise ValueError(problem)
    found = msgspec.json.decode(body)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _metres(kilometres: float | None) -> float | None:
    return None if kilometres is None else kilometres * 1000


def _near(place: GeoPoint) -> GeoPoint:
    """To ten metres: what is remembered, and what a router learns of a driver."""
    return GeoPoint(round(place.latitude, 4), round(place.longitude, 4))


TABLES: Mapping[str, AskTable] = {"osrm": _osrm, "valhalla": _valhalla}
