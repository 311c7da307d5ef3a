"""`evpower locations`, `location`, `station show|change|enable|disable`, `tariffs`, `tariff`: the network.

What is new comes with `evpower import`.
"""

from __future__ import annotations

from typing import Any

import click

from evpower.command_line.columns import Column
from evpower.command_line.commands.station import station
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, json_object, terminal_command

LOCATION_COLUMNS = (
    Column("id", "location", rank=0),
    Column("name", is_text=True),
    Column("city"),
    Column("status"),
    Column("stations_count"),
    Column("connectors_count"),
)
RULE_COLUMNS = (
    Column("plan"),
    Column("in_use"),
    Column("stations_count"),
    Column("id", "rule"),
    Column("name", is_text=True),
    Column("tariff_type"),
    Column("price"),
    Column("time_start"),
    Column("time_end"),
    Column("days_of_week"),
    Column("priority"),
)
#: One page of locations; more is unreadable on a terminal.
LOCATIONS_MAX = 500

_changes = click.argument("changes", metavar="JSON")


@click.command()
@listing()
def locations(terminal: Terminal, wanted: Wanted) -> None:
    """Every location, inactive ones too."""
    rows = terminal.server.get("locations", limit=wanted.limit or LOCATIONS_MAX)["locations"]
    terminal.screen.rows(rows, LOCATION_COLUMNS, "nothing.locations")


@click.group()
def location() -> None:
    """One location."""


@location.command("change")
@click.argument("location_id", metavar="LOCATION")
@_changes
@terminal_command
def change_location(terminal: Terminal, location_id: str, changes: str) -> None:
    """Change the fields of LOCATION that JSON names, as a fleet file names them; null empties one."""
    _show(terminal, terminal.server.put("locations", location_id, body=json_object(changes)))


@location.command("contact")
@click.argument("location_id", metavar="LOCATION")
@click.argument("contact", metavar="[JSON]", required=False)
@terminal_command
def contact_of_location(terminal: Terminal, location_id: str, contact: str | None) -> None:
    """Whom to call about LOCATION; JSON writes it down anew: person, phone, hours, sim_provider, sim_number, note."""
    path = ("locations", location_id, "contact")
    server = terminal.server
    terminal.screen.facts(server.get(*path) if contact is None else server.put(*path, body=json_object(contact)))


@station.command("call-sheet")
@click.argument("station_id", metavar="STATION", shell_complete=complete("stations"))
@terminal_command
def call_sheet(terminal: Terminal, station_id: str) -> None:
    """Whom to call when STATION does not answer, what to read out, what is held there, and what to have tried."""
    from evpower.command_line.views.call_sheet import show_call_sheet

    found = terminal.server.get("stations", terminal.server.whole_id("stations", station_id), "call-sheet")
    show_call_sheet(terminal.screen, found)


@station.command("show")
@click.argument("station_id", metavar="STATION")
@terminal_command
def show_station(terminal: Terminal, station_id: str) -> None:
    """What STATION is: its place, prices and connectors."""
    _show(terminal, terminal.server.get("stations", station_id))


@station.command("change")
@click.argument("station_id", metavar="STATION")
@_changes
@terminal_command
def change_station(terminal: Terminal, station_id: str, changes: str) -> None:
    """Change the fields of STATION that JSON names, as a fleet file names them; null empties one."""
    _show(terminal, terminal.server.put("stations", station_id, body=json_object(changes)))


@station.command("enable")
@click.argument("station_id", metavar="STATION")
@click.option("--connector", type=click.IntRange(1), help="Only this one.")
@terminal_command
def enable_station(terminal: Terminal, station_id: str, connector: int | None) -> None:
    """Have charges begin at STATION again."""
    _switch(terminal, station_id, connector, status="active")


@station.command("disable")
@click.argument("station_id", metavar="STATION")
@click.option("--connector", type=click.IntRange(1), help="Only this one.")
@click.option("--maintenance", is_flag=True, help="Shown as under maintenance; otherwise it is hidden.")
@terminal_command
def disable_station(terminal: Terminal, station_id: str, connector: int | None, maintenance: bool) -> None:
    """Let no charge begin at STATION; those that run go on."""
    if maintenance and connector is not None:
        raise click.UsageError(terminal.texts("usage.maintenance"))
    _switch(terminal, station_id, connector, status="maintenance" if maintenance else "inactive")


def _switch(terminal: Terminal, station_id: str, connector: int | None, *, status: str) -> None:
    path: tuple[str | int, ...] = ("stations", station_id)
    change: dict[str, Any] = {"status": status}
    if connector is not None:
        path, change = (*path, "connectors", connector), {"is_enabled": status == "active"}
    _show(terminal, terminal.server.put(*path, body=change))


@click.command()
@listing()
def tariffs(terminal: Terminal, wanted: Wanted) -> None:
    """Every tariff plan with its rules, those that count first."""
    plans = terminal.server.get("tariff-plans")[: wanted.limit]
    rows = plans if terminal.screen.as_json else [row for plan in plans for row in _rules(plan)]
    terminal.screen.rows(rows, RULE_COLUMNS, "nothing.tariffs")


def _rules(plan: dict[str, Any]) -> list[dict[str, Any]]:
    shared = {"plan": plan["id"], "stations_count": plan["stations_count"]}
    rules = [{**rule, **shared, "in_use": plan["is_active"] and rule["is_active"]} for rule in plan["rules"]]
    return rules or [{**shared, "in_use": plan["is_active"]}]


@click.group()
def tariff() -> None:
    """One tariff plan."""


@tariff.command("change")
@click.argument("plan_id", metavar="PLAN")
@click.option("--rule", "rule_id", metavar="ID", help="Change this rule of it instead.")
@_changes
@terminal_command
def change_tariff(terminal: Terminal, plan_id: str, rule_id: str | None, changes: str) -> None:
    """Change the fields of PLAN that JSON names, as a fleet file names them; null empties one."""
    path = ("tariff-plans", plan_id) if rule_id is None else ("tariff-plans", plan_id, "rules", rule_id)
    _show(terminal, terminal.server.put(*path, body=json_object(changes)))


def _show(terminal: Terminal, row: dict[str, Any]) -> None:
    """The row; what wants a look goes to standard error."""
    if not terminal.screen.as_json:
        for warning in row.get("warnings") or ():
            terminal.warn(warning)
        row = {name: value for name, value in row.items() if name != "warnings"}
    terminal.screen.facts(row)
