"""A station's call sheet on a terminal: whom to call, what to read out, what to have tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.command_line.columns import Column
from evpower.command_line.screen import Screen

READ_OUT = ("serial_number", "manufacturer", "model", "firmware_version", "ip_address", "last_seen_at", "booted_at")
PLACE = ("location_name", "city", "address", "latitude", "longitude", "directions")
PEOPLE_COLUMNS = (Column("id", rank=0), Column("phone", rank=0), Column("email", rank=0))
CONNECTOR_COLUMNS = (
    Column("connector_id", rank=0),
    Column("ocpp_status", "status", rank=0),
    Column("error_code", rank=0),
    Column("changed_at", "since", rank=0),
)
HOLD_COLUMNS = (
    Column("session_id", rank=0),
    Column("client_id", rank=0),
    Column("client_name", "name", is_text=True),
    Column("connector_id"),
    Column("phase", rank=0),
    Column("since"),
    Column("energy_wh", "wh"),
    Column("held_som", "hold_amount", rank=0),
)
NEIGHBOUR_COLUMNS = (Column("station_id", rank=0), Column("silent", rank=0), Column("last_seen_at", rank=0))
LISTS = (
    ("people", PEOPLE_COLUMNS),
    ("connectors", CONNECTOR_COLUMNS),
    ("holds", HOLD_COLUMNS),
    ("neighbours", NEIGHBOUR_COLUMNS),
)


def show_call_sheet(screen: Screen, sheet: Mapping[str, Any]) -> None:
    """The whole sheet."""
    if screen.as_json:
        screen.facts(sheet)
        return
    screen.line(f"{sheet['station_id']}  {sheet['location_name']}", bold=True)
    screen.facts({"state": sheet["state"], "since": sheet["since"], "outage": sheet["outage"]})
    _heading(screen, "call")
    contact = {name: value for name, value in sheet["contact"].items() if value is not None}
    if contact:
        screen.facts(contact)
    else:
        screen.line(screen.texts("call_sheet.no_contact"))
    _heading(screen, "read_out")
    screen.facts({name: sheet[name] for name in (*READ_OUT, *PLACE)})
    for name, columns in LISTS:
        if sheet[name]:
            _heading(screen, name)
            screen.rows(sheet[name], columns, "call_sheet.no_contact")
    _heading(screen, "try")
    for number, each in enumerate(sheet["to_try"], 1):
        screen.line(f"{number:2}. {screen.texts(f'call_sheet_try.{each}')}", indent=4)


def _heading(screen: Screen, name: str) -> None:
    screen.line()
    screen.line(screen.texts(f"call_sheet.{name}"), bold=True)
