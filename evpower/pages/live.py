"""`/live`: what changes on the first screen, as server-sent events (contract/operator-pages §9).

A row that changed is rendered once for all viewers of a language and of the same rights, and goes to each of them. A
viewer who reads too slowly is not waited for: each takes the latest picture when it is ready for one, and a page whose
grid has another layout is told to read itself anew.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import trio
from quart import Blueprint, Response, request
from quart.wrappers.response import ResponseBody

from evpower.attention.cells import StationCells
from evpower.attention.glance import Glance, glance
from evpower.attention.overview import Looks
from evpower.attention.picture import Picture, Pictures
from evpower.clock import Clock, Ids
from evpower.digits import whole_number
from evpower.errors import TooManyRequests
from evpower.http.wire.application import STREAMING
from evpower.identifiers import StationId
from evpower.pages.frame.dots import AT_ONCE
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.visitor import Visitor, choices, signed_in
from evpower.texts.catalogue import Language

#: A tick comes at least so often, whatever happens: its absence is what a reader sees.
TICK_EVERY_S = 2.0
#: Between two batches to one viewer.
BATCHES_APART_S = 0.25
VIEWERS_MOST = 50
#: A stream ends by itself, and its page connects anew.
LONGEST_STREAM_S = 120.0
#: Quart ends an answer after a minute otherwise.
LONGEST_S = None
MOST_PICTURES = 2**53
#: Where each viewer gets the key of a form of their own.
KEY_HERE = "@key@"


class Rows:
    """Rendered pieces of the latest picture, for who comes next with the same question."""

    def __init__(self, render: Renderer) -> None:
        self.render = render
        self._number = -1
        self._pieces: dict[tuple[int, str, str, Language], str] = {}
        self._one = trio.Lock()

    async def piece(self, picture: Picture, template: str, whose: str, language: Language, **names: Any) -> str:
        """A template of one thing, rendered once for each picture; `whose` tells those apart who see different ones."""
        key = (picture.number, template, whose, language)
        if key not in self._pieces:
            async with self._one:
                if key not in self._pieces:
                    rendered = await self.render.text_in_parts(template, language, **names)
                    self._keep(key, rendered)
                    return rendered
        return self._pieces[key]

    def _keep(self, key: tuple[int, str, str, Language], rendered: str) -> None:
        if key[0] > self._number:
            self._number, self._pieces = key[0], {}
        self._pieces[key] = rendered


@dataclass(frozen=True)
class Viewer:
    """Who looks at which page: its language, the layout of its grid, and the number of the picture it was made of."""

    visitor: Visitor
    language: Language
    layout: str
    seen: int | None


def live_routes(pictures: Pictures, clock: Clock, ids: Ids, render: Renderer) -> Blueprint:
    """The stream of changes to the first screen: `?since=NUMBER&layout=` are those of the page that asks."""
    routes, rows = Blueprint("live", __name__), Rows(render)

    @routes.get("/live")
    async def live() -> Response:
        if pictures.watchers >= VIEWERS_MOST:
            raise TooManyRequests(int(TICK_EVERY_S) * 5)
        since = request.headers.get("Last-Event-ID") or request.args.get("since", "")
        seen = whole_number(since, MOST_PICTURES) if since.isascii() else None
        viewer = Viewer(signed_in(), choices().language, request.args.get("layout", ""), seen)
        scope = cast("dict[str, Any]", request.scope)  # Hypercorn's types name its fields; ours is one more
        body = ChangeStream(pictures, clock, ids, rows, viewer, scope)
        response = Response(body, content_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = LONGEST_S
        return response

    return routes


class ChangeStream(ResponseBody):
    """One viewer's stream. Watching begins and ends with its being sent."""

    def __init__(
        self, pictures: Pictures, clock: Clock, ids: Ids, rows: Rows, viewer: Viewer, scope: dict[str, Any]
    ) -> None:
        self._pictures = pictures
        self._clock = clock
        self._ids = ids
        self._rows = rows
        self._viewer = viewer
        self._scope = scope
        scope[STREAMING] = True
        self._seen = -1 if viewer.seen is None else viewer.seen
        self._sent: dict[str, str] = {}
        #: What the cells show of the charges at each station; None: what its page showed is not known.
        self._charges: dict[StationId, list[Looks]] | None = None
        self._away_since: datetime | None = None
        self._watching: AbstractContextManager[None] = pictures.watched()
        self._began_at_s: float | None = None
        self._parts = nothing()

    async def __aenter__(self) -> ChangeStream:
        self._watching.__enter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._parts.aclose()
        self._watching.__exit__(*failure)

    def __aiter__(self) -> ChangeStream:
        return self

    async def __anext__(self) -> bytes:
        if self._began_at_s is None:
            self._began_at_s = trio.current_time()
            return b": connected\n\n"
        if (part := await anext(self._parts, None)) is not None:
            await trio.lowlevel.checkpoint()
            return part.encode()
        try:
            if trio.current_time() - self._began_at_s > LONGEST_STREAM_S:
                # Its page connects anew, and is looked at anew: who was switched off or signed out sees no more.
                raise trio.EndOfChannel
            await trio.sleep(BATCHES_APART_S)
            with trio.move_on_after(TICK_EVERY_S - BATCHES_APART_S):
                await self._pictures.after(self._seen)
        except trio.EndOfChannel:
            self._scope.pop(STREAMING, None)  # what remains is the end of an answer like any other
            raise StopAsyncIteration from None
        self._parts = self._batch()
        return (await anext(self._parts)).encode()

    async def _batch(self) -> AsyncGenerator[str, None]:
        """What changed, in parts: thousands of stations hold up nothing else. The last part has the number.

        Who is cut off before it asks for all of it again.
        """
        picture = self._pictures.latest
        if picture is None:
            yield ": nothing to see yet\n\n"
            return
        if self._is_of_another(picture):
            yield event("anew", "{}")
            return
        age_s = max(0.0, (self._clock.now() - picture.taken_at).total_seconds())
        at = self._rows.render.wording(self._viewer.language).clock(picture.taken_at)
        away_since = self._pictures.away_since
        away = None if away_since is None else self._rows.render.wording(self._viewer.language).clock(away_since)
        tick = event("tick", json.dumps({"age": round(age_s, 1), "at": at, "away": away}))
        if picture.number <= self._seen and away_since == self._away_since:
            yield tick
            return
        self._away_since = away_since
        new = glance(picture, self._viewer.visitor.acting)
        rest: list[str] = []
        async for piece in self._stations(new):
            if len(rest) == AT_ONCE:
                yield event("", "".join(rest))
                rest = []
            rest.append(piece)
        figures = [each async for each in self._figures(new)]
        lists = "".join([each async for each in self._lists(new)])
        changed = event("", "".join((*rest, *figures)))
        self._seen = picture.number
        yield f"id: {picture.number}\n{changed}{lists}{tick}"

    def _is_of_another(self, picture: Picture) -> bool:
        """Whether the page is made of stations in other places."""
        return picture.layout != self._viewer.layout

    async def _stations(self, new: Glance) -> AsyncIterator[str]:
        """Those that look different, or whose charge does."""
        for station_id in dict.fromkeys((*new.picture.drawn_since(self._seen), *self._charging(new))):
            station = new.stations.get(station_id)
            if station is not None:
                number = new.picture.order[station_id]
                yield partial(f"s{number}", await self._station(new, number, station))

    def _charging(self, new: Glance) -> list[StationId]:
        """Stations whose cells have news of a charge; in a large network cells show none."""
        if new.density == "dots":
            return []
        now = new.picture.taken_at
        was, charges = self._charges, new.running.by_station
        self._charges = {each: [one.looks(now) for one in of.values()] for each, of in charges.items()}
        if was is None:
            return list(charges)
        return [each for each in {**was, **self._charges} if was.get(each) != self._charges.get(each)]

    async def _station(self, new: Glance, number: int, station: StationCells) -> str:
        if new.density == "dots":
            return self._rows.render.dots.dot(number, station)
        charges = new.running.of(station.facts.id)
        return await self._piece(
            new, "now/station.html", station.facts.id, number=number, station=station, charges=charges
        )

    async def _figures(self, new: Glance) -> AsyncIterator[str]:
        for target, template in (("bar-figures", "bar_figures.html"), ("figures", "now/figures.html")):
            html = await self._piece(new, template, self._whose, glance=new)
            if self._is_news(target, html):
                yield partial(target, html)

    async def _lists(self, new: Glance) -> AsyncIterator[str]:
        """Lists that people act in: their page holds them still under a pointer."""
        for target, template in (("todo", "now/todo.html"), ("running", "now/running.html")):
            html = await self._piece(new, template, self._whose, glance=new, key=KEY_HERE, visitor=self._viewer.visitor)
            if self._is_news(target, html):
                parts = html.split(KEY_HERE)
                keyed = parts[0] + "".join(self._ids.new() + part for part in parts[1:])
                yield event("list", json.dumps({"id": target, "html": keyed}, ensure_ascii=False))

    async def _piece(self, new: Glance, template: str, whose: str, **names: Any) -> str:
        away_since = self._away_since
        apart = f"{whose} {new.density} {away_since}"
        names |= {"density": new.density, "away_since": away_since}
        return await self._rows.piece(new.picture, template, apart, self._viewer.language, **names)

    def _is_news(self, target: str, html: str) -> bool:
        was, self._sent[target] = self._sent.get(target), html
        return was != html

    @property
    def _whose(self) -> str:
        """Who sees the same pieces: everybody of a role, an operator alone."""
        member = self._viewer.visitor.acting.member
        return self._viewer.visitor.acting.actor if member is None or member.role == "operator" else member.role


async def nothing() -> AsyncGenerator[str, None]:
    """No parts."""
    parts: tuple[str, ...] = ()
    for part in parts:
        yield part


def partial(target: str, html: str) -> str:
    """A piece of a page that htmx puts in the place of the element with this id."""
    return f'<hx-partial hx-target="#{target}" hx-swap="outerHTML">{html}</hx-partial>'


def event(name: str, data: str) -> str:
    """One server-sent event; each line of its data is a line of the stream. Nothing without data."""
    if not data:
        return ""
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"event: {name}\n{lines}\n" if name else f"{lines}\n"
