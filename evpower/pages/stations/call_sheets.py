"""`/stations/{id}/call-sheet`: whom to call, what to read out, what to have tried; to be printed (§3.1)."""

from __future__ import annotations

import re
from typing import Any

import trio
from quart import Blueprint, Response, redirect

from evpower.administration.records import SiteContact
from evpower.case_files.call_sheets import CallSheets
from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in
from evpower.pages.stations.routes import Sockets
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 20
FIELDS = ("person", "phone", "hours", "sim_provider", "sim_number", "note")
#: The first number in what was written down; a telephone dials it.
NUMBER = re.compile(r"\+?\d(?:[ ()-]*\d){4,14}")


def call_sheet_pages(sheets: CallSheets, sockets: Sockets, acts: OperatorActs, pages: Pages) -> Blueprint:
    """The sheet, and below it the form of the location's contact for who may change the network."""
    routes = Blueprint("call_sheets", __name__, url_prefix="/stations")

    @routes.get("/<station_id>/call-sheet")
    async def sheet(station_id: str) -> Response:
        return await show(StationId(station_id))

    async def show(station_id: StationId, status: int = 200, **names: Any) -> Response:
        signed_in().require(Right.READ, station_id)
        with trio.fail_after(WITHIN_S):
            found = await sheets.of(station_id, sockets.socket_now(station_id))
        stored = found.contact
        filled = {name: "" if stored is None else getattr(stored.contact, name) or "" for name in FIELDS}
        said = found.place.directions
        directions = said.get(choices().language) or next(iter(said.values()), "")
        shown = {"filled": filled, "wrong": {}, "directions": directions, **names}
        return await pages.show(
            "stations/call_sheet.html", status, sheet=found, dialled=dialled, fields=FIELDS, **shown
        )

    @routes.post("/<station_id>/call-sheet")
    async def write(station_id: str) -> Any:
        visitor, key = signed_in(), await form_key()
        visitor.require(Right.NETWORK)
        given, wrong = dict[str, str](), dict[str, str]()
        for name in FIELDS:
            try:
                given[name] = await form_text(name)
            except InvalidRequest as refused:
                wrong |= dict(refused.fields)
        if wrong:
            return await show(StationId(station_id), 400, wrong=wrong, filled={**dict.fromkeys(FIELDS, ""), **given})
        with trio.fail_after(WITHIN_S):
            location_id = (await sheets.of(StationId(station_id), None)).case.station.location_id
            contact = SiteContact(**{name: text or None for name, text in given.items()})

            async def perform() -> None:
                await sheets.contacts.write(location_id, contact, visitor.acting.actor)

            detail = ", ".join(name for name, text in given.items() if text)
            await acts.once(visitor.acting, Intent(key, "call_sheets-write_contact", location_id, detail), perform)
        return redirect(f"/stations/{station_id}/call-sheet", 303)

    return routes


def dialled(text: str | None) -> str | None:
    """The number to dial of what was written down; None: there is none in it."""
    found = NUMBER.search(text or "")
    return None if found is None else re.sub(r"[ ()-]", "", found[0])
