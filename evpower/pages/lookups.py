"""`/attempts`, `/journal`, `/search`: starts that were tried, what people of the staff did, and where a text leads."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.finding import FoundKind, FoundRow, Search
from evpower.attempts.service import Attempts
from evpower.identifiers import ClientId, StationId
from evpower.narrowing import Narrowing
from evpower.pages.commands import read_command
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import Visitor, signed_in
from evpower.staff.acts import OperatorActs
from evpower.staff.rights import Right
from evpower.worker import contain

log = logging.getLogger("evpower.pages")

WITHIN_S = 20
NEAREST_WITHIN_S = 2
MOST_ATTEMPTS = 200
#: Where what was found is shown.
ADDRESSES: dict[FoundKind, str] = {
    "charge": "/charges/",
    "client": "/drivers/",
    "payment": "/drivers/",
    "station": "/stations/",
    "card": "/drivers/",
}


@dataclass(frozen=True)
class LookedUp:
    """What is looked up."""

    attempts: Attempts
    acts: OperatorActs
    finding: Search


def lookup_routes(lookups: LookedUp, pages: Pages) -> Blueprint:
    """Lists that nothing is done in."""
    routes = Blueprint("lookups", __name__)

    @routes.get("/attempts")
    async def attempts() -> Response:
        visitor, own = signed_in(), signed_in().acting.own
        given = {name: request.args.get(name, "").strip() for name in ("station", "client", "failed")}
        wanted = Narrowing(
            station_id=StationId(given["station"]) if given["station"] else None,
            client_id=ClientId(given["client"]) if given["client"] else None,
            limit=MOST_ATTEMPTS,
            of_stations=None if own is None else own.stations,
        )
        visitor.require(Right.READ)
        with trio.fail_after(WITHIN_S):
            found = await lookups.attempts.listed(wanted)
        if given["failed"]:
            found = [each for each in found if each.answer.lower() != "accepted"]
        return await pages.show("lookups/attempts.html", found=found, given=given)

    @routes.get("/journal")
    async def journal() -> Response:
        visitor = signed_in()
        visitor.require(Right.READ)
        with trio.fail_after(WITHIN_S):
            acts = await lookups.acts.newest()
        if visitor.acting.own is not None:
            acts = [each for each in acts if each.actor == visitor.acting.actor]
        return await pages.show("lookups/journal.html", acts=acts)

    @routes.get("/search")
    async def search() -> Any:
        text, visitor = request.args.get("q", "").strip(), signed_in()
        command = read_command(text)
        if command is not None and visitor.may(Right.COMMAND, command.station_id):
            return redirect(command.form, 303)
        with trio.fail_after(WITHIN_S):
            found = [each for each in await lookups.finding.find(text) if _may_see(visitor, each)]
        rows = [(each, ADDRESSES[each.kind] + each.id) for each in found]
        if len({address for _, address in rows}) == 1:
            return redirect(rows[0][1], 303)
        return await pages.show("lookups/search.html", rows=rows, text=text)

    return routes


class Nearest:
    """What an address nearly was, for the page that says there is no such thing (§9)."""

    def __init__(self, finding: Search) -> None:
        self._finding = finding

    async def of(self, path: str) -> tuple[FoundKind | None, list[tuple[FoundRow, str]]]:
        """The kind of what was looked for, and rows that may be seen with their addresses; nothing while that cannot
        be read."""
        _, folder, name, *_ = [*unquote(path).split("/"), "", ""]
        kind, visitor = next((kind for kind, at in ADDRESSES.items() if at == f"/{folder}/"), None), signed_in()
        if kind is None or not name:
            return None, []
        found = list[FoundRow]()
        with contain(log, "what is nearest to an id could not be read"), trio.fail_after(NEAREST_WITHIN_S):
            found = await self._finding.nearest(kind, name)
        return kind, [(each, ADDRESSES[kind] + each.id) for each in found if _may_see(visitor, each)]


def _may_see(visitor: Visitor, found: FoundRow) -> bool:
    """An operator finds their own stations and what happened there."""
    if visitor.acting.own is None:
        return bool(found.id)
    if found.kind == "station":
        return visitor.acting.has_station(found.id)
    return found.kind == "charge" and visitor.acting.has_station(found.note.rpartition("/")[0])
