"""`/stations/{id}/call-sheet` and `/locations/{id}/contact`: whom to call, and what to say (operator-pages §3.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

import trio
from quart import Blueprint, Response

from evpower.administration.records import SiteContact, StoredContact
from evpower.case_files.call_sheet import CallSheet, SheetHold, SheetNeighbour
from evpower.case_files.call_sheets import CallSheets
from evpower.http.operators.station_commands import known_station
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs
from evpower.identifiers import StationId
from evpower.link.ports import SocketNow
from evpower.money import som_number
from evpower.staff.rights import Right

WITHIN_S = 10
PHONE_END = 4


class ContactBody(TypedDict):
    """A location's contact; all null: none is stored."""

    person: str | None
    phone: str | None
    hours: str | None
    sim_provider: str | None
    sim_number: str | None
    note: str | None
    changed_at: datetime | None
    changed_by: str | None


class SheetPersonBody(TypedDict):
    """Somebody of the staff whose location it is."""

    id: str
    phone: str | None
    email: str | None


class SheetConnectorBody(TypedDict):
    """What a connector reported last."""

    connector_id: int
    ocpp_status: str | None
    error_code: str
    changed_at: datetime | None


class SheetHoldBody(TypedDict):
    """Money held for a charge, or for a reservation (`session_id` null); of the client's phone the last digits."""

    session_id: str | None
    client_id: str
    client_name: str | None
    client_phone_end: str | None
    connector_id: int
    phase: str
    since: datetime
    energy_wh: int | None
    read_at: datetime | None
    held_som: float


class SheetNeighbourBody(TypedDict):
    """Another active station of the location."""

    station_id: str
    serial_number: str
    last_seen_at: datetime | None
    silent: bool


class SheetOutageBody(TypedDict):
    """How it went away."""

    began_at: datetime
    cause: str
    close_code: int | None


class CallSheetBody(TypedDict):
    """What somebody on call needs at the telephone; `to_try` in the order in which it helps."""

    station_id: str
    state: str
    since: datetime | None
    serial_number: str
    manufacturer: str
    model: str
    firmware_version: str | None
    ip_address: str | None
    last_seen_at: datetime | None
    booted_at: datetime | None
    location_id: str
    location_name: str
    address: str
    city: str | None
    latitude: float | None
    longitude: float | None
    directions: dict[str, str]
    contact: ContactBody
    people: list[SheetPersonBody]
    connectors: list[SheetConnectorBody]
    outage: SheetOutageBody | None
    held_som: float
    holds: list[SheetHoldBody]
    neighbours: list[SheetNeighbourBody]
    to_try: list[str]


def call_sheet_routes(sheets: CallSheets, socket_now: Callable[[StationId], SocketNow | None]) -> Blueprint:
    """The sheet, and the contact that stands on it."""
    routes, contacts = Blueprint("call_sheets", __name__), sheets.contacts

    @routes.get("/stations/<station_id>/call-sheet")
    @needs(Right.READ)
    @described("Whom to call about a station that does not answer, and what to have tried", data=CallSheetBody)
    async def sheet(station_id: str) -> Response:
        known = known_station(station_id)
        with trio.fail_after(WITHIN_S):
            return written_data(call_sheet_body(await sheets.of(known, socket_now(known))))

    @routes.get("/locations/<location_id>/contact")
    @needs(Right.READ)
    @described("Whom to call about a location", data=ContactBody)
    async def show_contact(location_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(contact_body(await contacts.of(location_id)))

    @routes.put("/locations/<location_id>/contact")
    @needs(Right.NETWORK)
    @described("Write down whom to call; what is left out is empty", body=contact_order, data=ContactBody)
    async def write_contact(location_id: str) -> Response:
        contact = contact_order(BodyFields(await read_object()))
        with trio.fail_after(WITHIN_S):
            await contacts.write(location_id, contact, acting())
            return written_data(contact_body(await contacts.of(location_id)))

    return routes


def contact_order(fields: BodyFields) -> SiteContact:
    """The whole contact."""
    contact = SiteContact(
        person=fields.optional("person", TEXT),
        phone=fields.optional("phone", TEXT),
        hours=fields.optional("hours", TEXT),
        sim_provider=fields.optional("sim_provider", TEXT),
        sim_number=fields.optional("sim_number", TEXT),
        note=fields.optional("note", TEXT),
    )
    fields.check()
    return contact


def contact_body(stored: StoredContact | None) -> ContactBody:
    """A contact."""
    contact = SiteContact() if stored is None else stored.contact
    return {
        "person": contact.person,
        "phone": contact.phone,
        "hours": contact.hours,
        "sim_provider": contact.sim_provider,
        "sim_number": contact.sim_number,
        "note": contact.note,
        "changed_at": None if stored is None else stored.changed_at,
        "changed_by": None if stored is None else stored.changed_by,
    }


def call_sheet_body(sheet: CallSheet) -> CallSheetBody:
    """The whole sheet."""
    station, outage = sheet.case.station, sheet.outage
    return {
        "station_id": station.id,
        "state": sheet.case.state.value,
        "since": sheet.case.since,
        "serial_number": station.serial_number,
        "manufacturer": station.manufacturer,
        "model": station.model,
        "firmware_version": station.firmware_version,
        "ip_address": station.address,
        "last_seen_at": station.last_seen_at,
        "booted_at": station.booted_at,
        "location_id": station.location_id,
        "location_name": station.location_name,
        "address": station.location_address,
        "city": station.city,
        "latitude": sheet.place.latitude,
        "longitude": sheet.place.longitude,
        "directions": dict(sheet.place.directions),
        "contact": contact_body(sheet.contact),
        "people": [{"id": each.id, "phone": each.phone, "email": each.email} for each in sheet.people],
        "connectors": [
            {
                "connector_id": each.number,
                "ocpp_status": each.ocpp_status,
                "error_code": each.error_code,
                "changed_at": each.changed_at,
            }
            for each in sheet.connectors
        ],
        "outage": None
        if outage is None
        else {"began_at": outage.began_at, "cause": outage.cause, "close_code": outage.close_code},
        "held_som": som_number(sheet.held_tyiyn),
        "holds": [_hold(each) for each in sheet.holds],
        "neighbours": [_neighbour(each) for each in sheet.neighbours],
        "to_try": [each.value for each in sheet.attempts],
    }


def _hold(hold: SheetHold) -> SheetHoldBody:
    return {
        "session_id": hold.session_id,
        "client_id": hold.client_id,
        "client_name": hold.client_name,
        "client_phone_end": hold.client_phone[-PHONE_END:] if hold.client_phone else None,
        "connector_id": hold.connector_id,
        "phase": hold.phase,
        "since": hold.since,
        "energy_wh": hold.energy_wh,
        "read_at": hold.read_at,
        "held_som": som_number(hold.held_tyiyn),
    }


def _neighbour(neighbour: SheetNeighbour) -> SheetNeighbourBody:
    return {
        "station_id": neighbour.station_id,
        "serial_number": neighbour.serial_number,
        "last_seen_at": neighbour.last_seen_at,
        "silent": neighbour.is_silent,
    }
