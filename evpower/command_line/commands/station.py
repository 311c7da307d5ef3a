"""`evpower stations`, `station`, `command`, `operate`, `configuration`, `trace`, `import`: the stations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from evpower.command_line.columns import Column
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, asked_password, has_secret, json_object, terminal_command

STATION_COLUMNS = (
    Column("id", "station", rank=0),
    Column("location_name", is_text=True),
    Column("status"),
    Column("connected"),
    Column("last_heartbeat_at"),
    Column("connectors", "connectors_now", rank=2, is_text=True),
    Column("ocpp_version", "ocpp", rank=4),
    Column("configuration_warnings", rank=3, is_text=True),
)

HEALTH_COLUMNS = (
    Column("station_id", rank=0),
    Column("connector_id"),
    Column("reliability"),
    Column("worked"),
    Column("tried"),
    Column("chance"),
    Column("doubt"),
    Column("doubted_since"),
)

SECURITY_COLUMNS = (
    Column("received_at"),
    Column("alarming"),
    Column("action"),
    Column("type"),
    Column("detail", is_text=True),
    Column("request_id"),
)

FREE_VEND_COLUMNS = (
    Column("transaction_id"),
    Column("connector_id"),
    Column("id_tag"),
    Column("status"),
    Column("started_at"),
    Column("stopped_at"),
    Column("energy_wh", "wh"),
)

DEVICE_COLUMNS = (
    Column("component", is_text=True),
    Column("component_instance", "instance", rank=2, is_text=True),
    Column("evse_id", "evse", rank=1),
    Column("variable", is_text=True),
    Column("variable_instance", "of_variable", rank=2, is_text=True),
    Column("attribute", rank=3),
    Column("value", is_text=True),
    Column("mutability", rank=3),
    Column("reported_at", rank=4),
)
EVENT_COLUMNS = (
    Column("occurred_at", "when"),
    Column("component", is_text=True),
    Column("evse_id", "evse", rank=1),
    Column("variable", is_text=True),
    Column("actual_value", "value", is_text=True),
    Column("tech_code", rank=2, is_text=True),
    Column("tech_info", rank=3, is_text=True),
    Column("cleared", rank=2),
    Column("grave"),
)
CONFIGURATION_COLUMNS = (
    Column("key"),
    Column("value", is_text=True),
    Column("readonly"),
    Column("reboot_required"),
    Column("known_at"),
)


@click.command()
@listing("station")
def stations(terminal: Terminal, wanted: Wanted) -> None:
    """Every station, inactive ones too; with --station those whose id begins so."""
    begins = wanted.given.get("station", "")
    rows = [each for each in _readable_connectors(terminal) if each["id"].startswith(begins)][: wanted.limit]
    terminal.screen.rows(rows, STATION_COLUMNS, "nothing.stations")


@click.command()
@click.argument("station_id", metavar="[STATION]", required=False, shell_complete=complete("stations"))
@terminal_command
def health(terminal: Terminal, station_id: str | None) -> None:
    """How the last starts went at each connector, the doubtful ones first; at one station, or at all."""
    given = {} if station_id is None else {"station": terminal.server.whole_id("stations", station_id)}
    rows = terminal.server.get("connector-health", **given)
    rows.sort(key=lambda row: row["reliability"] == "good")
    terminal.screen.rows(rows, HEALTH_COLUMNS, "nothing.stations")


def _readable_connectors(terminal: Terminal) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = terminal.server.get("stations")
    if terminal.screen.as_json:
        return rows
    return [
        {
            **row,
            "connectors": [f"{each.get('connector_id')} {_shown_status(each)}" for each in row.get("connectors", ())],
        }
        for row in rows
    ]


def _shown_status(connector: dict[str, Any]) -> Any:
    if connector.get("is_enabled") is False:
        return "disabled"
    return connector.get("ocpp_status") or connector.get("status")


@click.group()
def station() -> None:
    """One station."""


@station.command("password")
@click.argument("station_id", metavar="STATION")
@click.option("--push", is_flag=True, help="Tell the charger too (AuthorizationKey); if it refuses, the old one stays.")
@click.option("--hex", "as_hex", is_flag=True, help="Push it as hexadecimal digits, as some chargers want it.")
@terminal_command
def set_password(terminal: Terminal, station_id: str, push: bool, as_hex: bool) -> None:
    """Set STATION's password: 16 to 40 characters (20 with --hex), asked for or a line of standard input."""
    change = {"password": asked_password(), "push": push, "form": "hex" if as_hex else "plain"}
    terminal.screen.facts(terminal.server.put("stations", station_id, "password", body=change))


@station.command("revoke")
@click.argument("station_id", metavar="STATION")
@terminal_command
def revoke(terminal: Terminal, station_id: str) -> None:
    """End STATION's certificates, for new and open sockets; it may come back by password."""
    terminal.screen.facts(terminal.server.post("stations", station_id, "revoke"))


@station.command("security")
@click.argument("station_id", metavar="STATION")
@terminal_command
def security_events(terminal: Terminal, station_id: str) -> None:
    """What STATION said of its security, newest first."""
    rows = terminal.server.get("stations", station_id, "security-events")
    terminal.screen.rows(rows, SECURITY_COLUMNS, "nothing.security_events")


@station.command("free-vend")
@click.argument("station_id", metavar="STATION")
@click.option("--on/--off", "enabled", default=None, help="Whether tags that are nobody's charge here for free.")
@terminal_command
def free_vend(terminal: Terminal, station_id: str, enabled: bool | None) -> None:
    """Show what STATION gave away, or set whether it does."""
    path = ("stations", station_id, "free-vend")
    facts = terminal.server.get(*path) if enabled is None else terminal.server.put(*path, body={"free_vend": enabled})
    if terminal.screen.as_json:
        terminal.screen.facts(facts)
        return
    terminal.screen.facts({name: value for name, value in facts.items() if name != "newest"})
    terminal.screen.rows(facts.get("newest", []), FREE_VEND_COLUMNS, "nothing.given_away")


@click.command()
@click.argument("station")
@click.argument("action")
@click.argument("payload", default="{}")
@terminal_command
def command(terminal: Terminal, station: str, action: str, payload: str) -> None:
    """Send STATION one OCPP command: ACTION with its JSON PAYLOAD (- is standard input); shows what it answers."""
    terminal.screen.facts(terminal.server.post("stations", station, "commands", action, body=json_object(payload)))


@click.command()
@click.argument("station")
@click.argument("operation")
@click.argument("arguments", default="{}")
@terminal_command
def operate(terminal: Terminal, station: str, operation: str, arguments: str) -> None:
    """Have STATION perform an OPERATION, such as reset, with its JSON ARGUMENTS (- is standard input)."""
    terminal.screen.facts(_operate(terminal, station, operation, json_object(arguments)))


def _operate(terminal: Terminal, station: str, operation: str, arguments: dict[str, Any]) -> Any:
    return terminal.server.post("stations", station, "operations", operation, body=arguments)


@click.command()
@click.argument("station")
@click.argument("settings", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--read", "ask", is_flag=True, help="Ask the charger first; otherwise the last known is shown.")
@terminal_command
def configuration(terminal: Terminal, station: str, settings: tuple[str, ...], ask: bool) -> None:
    """Show the configuration of STATION's station, or set KEYs of it."""
    if settings:
        if not all("=" in setting for setting in settings):
            raise click.UsageError(terminal.texts("usage.key_value"))
        values = dict(setting.split("=", 1) for setting in settings)
        if has_secret(values):
            raise click.UsageError(terminal.texts("usage.password_is_no_setting"))
        terminal.screen.facts(_operate(terminal, station, "write-configuration", {"values": values}))
        return
    if ask:
        _operate(terminal, station, "read-configuration", {})
    terminal.screen.rows(
        terminal.server.get("stations", station, "configuration"),
        CONFIGURATION_COLUMNS,
        "nothing.configuration",
    )


@click.command()
@click.argument("station")
@click.argument("component", required=False)
@click.option("--events", is_flag=True, help="What it notified of them instead, newest first.")
@terminal_command
def device(terminal: Terminal, station: str, component: str | None, events: bool) -> None:
    """Show what STATION's station of OCPP 2.0.1 reported of its components, or of COMPONENT."""
    rows = terminal.server.get("stations", station, "device", *(("events",) if events else ()))
    if component is not None:
        rows = [each for each in rows if each["component"].lower() == component.lower()]
    columns, nothing = (EVENT_COLUMNS, "nothing.device_events") if events else (DEVICE_COLUMNS, "nothing.device")
    terminal.screen.rows(rows, columns, nothing)


@click.command("import")
@click.argument("fleet", type=click.File("rb"))
@click.option("--move-app-tags", is_flag=True, help="A tag of the app may be given to another client.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@terminal_command
def import_fleet(terminal: Terminal, fleet: Any, move_app_tags: bool, dry_run: bool) -> None:
    """Import a FLEET file (TOML; - is standard input). Doing it twice changes nothing."""
    content = fleet.read()
    with terminal.screen.progress(terminal.texts("sending"), content) as pieces:
        report = terminal.server.upload(
            "import",
            content=pieces,
            length=len(content),
            move_app_tags=int(move_app_tags) or None,
            dry_run=int(dry_run) or None,
        )
    if not terminal.screen.as_json:
        for warning in report.get("warnings") or ():
            terminal.warn(warning)
        if dry_run:
            _show_differences(terminal, report.get("differences") or ())
        report = {name: report.get(name) for name in ("created", "changed", "unchanged")}
    terminal.screen.facts(report)


def _show_state(terminal: Terminal, station_id: str) -> None:
    """Whether frames can come at all: a line before them. A server or a station that is not known says so below."""
    from evpower.command_line.control import RefusedByServer

    try:
        found = next((each for each in terminal.server.get("stations") if each["id"] == station_id), None)
    except RefusedByServer:
        found = None
    if found is None or terminal.screen.as_json:
        return
    key = "station_connected" if found["connected"] else "station_away"
    heard_at = terminal.screen.cell(found.get("last_heartbeat_at"))
    terminal.screen.note(terminal.texts(key, station=station_id, status=found["status"], at=heard_at))


def _show_differences(terminal: Terminal, differences: Iterable[dict[str, Any]]) -> None:
    """`+` is a row that would be new, `~` a field that would change."""
    screen = terminal.screen
    for each in differences:
        where = f"{each['kind']} {each['id']}"
        if each["field"] is None:
            screen.line(f"+ {where}", colour="green")
        else:
            old, new = screen.cell(each["old"]), screen.cell(each["new"])
            screen.line(f"~ {where}: {each['field']} {old} → {new}", colour="yellow")
    screen.line(terminal.texts("dry_run"))


@click.command()
@click.argument("station_id", metavar="STATION")
@click.option("--since", default="", metavar="TIME", help="Frames kept since 30s, 10m, 2h, 3d ago, or since a time.")
@click.option("--follow/--no-follow", default=None, help="Go on with live frames; the default without --since.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Kept frames at most.")
@terminal_command
def trace(terminal: Terminal, station_id: str, since: str, follow: bool | None, limit: int) -> None:
    """Follow a station's frames: both directions, with latencies and errors. With --json, a line for each."""
    from evpower.command_line.views.frames import show_frames

    live = not since if follow is None else follow
    _show_state(terminal, station_id)
    show_frames(
        terminal.server.lines("stations", station_id, "trace", since=since, limit=limit, follow=int(live)),
        terminal.screen,
    )
