"""The command line. What it needs is imported by the command that needs it, so that `evpower --help` is quick.

Exit codes: 0 ok, 1 refused or failed, 2 usage or settings, 3 no server answers at the control socket (design §8).
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import evpower
from evpower.command_line.screen import NOT_REACHABLE, REFUSED, USAGE, Screen
from evpower.errors import ConfigError, EvPowerError

if TYPE_CHECKING:
    from evpower.command_line.control import ControlClient
    from evpower.config import Config

STATION_COLUMNS = {
    "Station": "id",
    "Location": "location_name",
    "Status": "status",
    "Connected": "connected",
    "Last heartbeat": "last_heartbeat_at",
    "Connectors": "connectors",
}
SECURITY_COLUMNS = {
    "Received": "received_at",
    "Alarming": "alarming",
    "Action": "action",
    "Type": "type",
    "Detail": "detail",
    "Request": "request_id",
}
SESSION_COLUMNS = {
    "Session": "session_id",
    "Client": "client_id",
    "Station": "station_id",
    "Connector": "connector_id",
    "Status": "status",
    "Phase": "phase",
    "Started": "start_time",
    "kWh": "energy_kwh",
    "Reserved": "reserved_amount",
    "Amount": "amount",
}

CONFIGURATION_COLUMNS = {
    "Key": "key",
    "Value": "value",
    "Read-only": "readonly",
    "After reboot": "reboot_required",
    "Known at": "known_at",
}


class Terminal:
    """What a command is given: the settings, the screen, the way to the server."""

    def __init__(self, screen: Screen, config_path: Path | None, socket: Path | None) -> None:
        self.screen = screen
        self._config_path = config_path
        self.socket = socket

    @functools.cached_property
    def config(self) -> Config:
        from evpower.config import load

        return load(self._config_path, os.environ)

    @property
    def server(self) -> ControlClient:
        from evpower.command_line.control import SYSTEM_SOCKET, ControlClient, sockets_to_try

        return ControlClient(sockets_to_try(self.config, self.socket, SYSTEM_SOCKET))


_config_option = click.option("--config", "config_path", type=click.Path(path_type=Path), help="Settings (TOML).")


def _terminal_command(command: Callable[..., None]) -> Callable[..., None]:
    """The options every command of an operator has, and the exit code of each refusal."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @click.option("--socket", type=click.Path(path_type=Path), help="The server's control socket.")
    @_config_option
    @functools.wraps(command)
    def with_options(as_json: bool, socket: Path | None, config_path: Path | None, **arguments: Any) -> None:
        screen = Screen(as_json)
        try:
            command(Terminal(screen, config_path, socket), **arguments)
        except EvPowerError as error:
            _end_with(screen, error)

    return with_options


def _server_command(command: Callable[[Terminal], None]) -> Callable[..., None]:
    """A command that stays: its only option is where the settings are."""

    @_config_option
    @functools.wraps(command)
    def with_options(config_path: Path | None) -> None:
        screen = Screen(as_json=False)
        try:
            command(Terminal(screen, config_path, None))
        except EvPowerError as error:
            _end_with(screen, error)

    return with_options


def _end_with(screen: Screen, error: EvPowerError) -> None:
    from evpower.command_line.control import NotReachable, Refused

    facts: dict[str, Any] = {"error": error.code, "message": error.message}
    lines = [f"Error: {error.message}"]
    if isinstance(error, ConfigError):
        screen.fail(USAGE, {**facts, "problems": error.problems}, (f"Error: {line}" for line in error.problems))
    if isinstance(error, NotReachable):
        screen.fail(NOT_REACHABLE, facts, lines)
    if isinstance(error, Refused):
        facts = error.envelope
        lines += [f"  {each.get('field')}: {each.get('message')}" for each in _fields_of(facts)]
    screen.fail(REFUSED, facts, lines)


def _fields_of(envelope: dict[str, Any]) -> list[dict[str, Any]]:
    detail = envelope.get("detail")
    return [each for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(evpower.__version__, prog_name="evpower")
def main() -> None:
    """EvPower: the charging station manager. Settings: config/evpower.toml and EVPOWER_… variables."""


@main.command()
@_server_command
def serve(terminal: Terminal) -> None:
    """Run the server until SIGTERM."""
    from evpower import supervisor
    from evpower.command_line.running import run_server

    sys.exit(run_server(supervisor.run, terminal.config))


@main.command()
@_server_command
def demo(terminal: Terminal) -> None:
    """Run the server with the demo fleet and simulated chargers."""
    from evpower import demo as demonstration
    from evpower.command_line.running import run_server

    sys.exit(run_server(demonstration.run, terminal.config))


@main.command()
@click.argument("url")
@click.option("--stations", "count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@click.option("--prefix", default="SIM-", show_default=True, help="Their ids: PREFIX001, PREFIX002 …")
@click.option("--id", "station_ids", multiple=True, help="An id of its own, instead of a number; may be repeated.")
@click.option("--connectors", type=click.IntRange(1, 100), default=2, show_default=True)
@click.option("--password", envvar="EVPOWER_SIMULATE_PASSWORD", help="For HTTP Basic authentication.")
@click.option("--power-kw", type=click.FloatRange(0, 1000), default=60.0, show_default=True, help="Of each connector.")
@click.option("--speed", type=click.FloatRange(0.01, 10_000), default=1.0, show_default=True, help="Of charging.")
@click.option("--card", "cards", multiple=True, help="A card drivers walk up with; may be repeated.")
@click.option("--misbehave", "habits", multiple=True, help="A bad habit, such as duplicate; may be repeated.")
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same choices.")
@click.option("--verbose", is_flag=True, help="Show answers too.")
def simulate(url: str, **options: Any) -> None:
    """Connect simulated chargers to URL, such as ws://127.0.0.1:9000/ws, until Ctrl-C.

    Charges started from the app are plugged in by a simulated driver; with --card, drivers also come by themselves.
    """
    from evpower.command_line.simulate import simulate_stations

    try:
        simulate_stations(url, **options)
    except EvPowerError as error:
        raise click.UsageError(error.message) from None


@main.command()
@_terminal_command
def status(terminal: Terminal) -> None:
    """The server at a glance."""
    terminal.screen.facts(terminal.server.status())


@main.command()
@_terminal_command
def stations(terminal: Terminal) -> None:
    """Every station, inactive ones too."""
    terminal.screen.rows(_readable_connectors(terminal), STATION_COLUMNS, "No stations; add some with: evpower import")


def _readable_connectors(terminal: Terminal) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = terminal.server.stations()
    if terminal.screen.as_json:
        return rows
    return [
        {
            **row,
            "connectors": [
                f"{each.get('connector_id')} {each.get('ocpp_status') or each.get('status')}"
                for each in row.get("connectors", ())
            ],
        }
        for row in rows
    ]


@main.command()
@click.option("--all", "all_sessions", is_flag=True, help="Ended sessions too.")
@_terminal_command
def sessions(terminal: Terminal, all_sessions: bool) -> None:
    """Running sessions, newest first."""
    rows = terminal.server.sessions(all_sessions=all_sessions)
    terminal.screen.rows(rows, SESSION_COLUMNS, "No sessions" if all_sessions else "No running sessions")


@main.group()
def session() -> None:
    """One session."""


@session.command("stop")
@click.argument("session_id", metavar="ID")
@_terminal_command
def stop_session(terminal: Terminal, session_id: str) -> None:
    """Stop a running session and settle it."""
    terminal.screen.facts(terminal.server.stop_session(session_id))


@main.command()
@click.argument("station")
@click.argument("action")
@click.argument("payload", default="{}")
@_terminal_command
def command(terminal: Terminal, station: str, action: str, payload: str) -> None:
    """Send STATION one OCPP command: ACTION with its JSON PAYLOAD; shows what the charger answers."""
    terminal.screen.facts(terminal.server.command(station, action, payload.encode()))


@main.group()
def station() -> None:
    """One station."""


@station.command("password")
@click.argument("station_id", metavar="STATION")
@click.option("--push", is_flag=True, help="Tell the charger too (AuthorizationKey); if it refuses, the old one stays.")
@click.option("--hex", "as_hex", is_flag=True, help="Push it as hexadecimal digits, as some chargers want it.")
@click.password_option(
    envvar="EVPOWER_STATION_PASSWORD", help="16 to 40 characters (20 with --hex); asked for if absent."
)
@_terminal_command
def set_password(terminal: Terminal, station_id: str, push: bool, as_hex: bool, password: str) -> None:
    """Set STATION's password."""
    form = "hex" if as_hex else "plain"
    terminal.screen.facts(terminal.server.set_password(station_id, password, push=push, form=form))


@station.command("security")
@click.argument("station_id", metavar="STATION")
@_terminal_command
def security_events(terminal: Terminal, station_id: str) -> None:
    """What STATION said of its security, newest first."""
    rows = terminal.server.security_events(station_id)
    terminal.screen.rows(rows, SECURITY_COLUMNS, "No security events")


@main.command()
@click.argument("station")
@click.argument("operation")
@click.argument("arguments", default="{}")
@_terminal_command
def operate(terminal: Terminal, station: str, operation: str, arguments: str) -> None:
    """Have STATION perform an OPERATION, such as reset or sync-local-list, with its JSON ARGUMENTS."""
    terminal.screen.facts(terminal.server.operate(station, operation, _json_object(arguments)))


def _json_object(text: str) -> dict[str, Any]:
    import json

    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise click.UsageError("ARGUMENTS must be a JSON object")
    return value


@main.command()
@click.argument("station")
@click.argument("settings", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--read", "ask", is_flag=True, help="Ask the charger first; otherwise the last known is shown.")
@_terminal_command
def configuration(terminal: Terminal, station: str, settings: tuple[str, ...], ask: bool) -> None:
    """Show the configuration of STATION's charger, or set KEYs of it."""
    if settings:
        if not all("=" in setting for setting in settings):
            raise click.UsageError("each setting is KEY=VALUE")
        values = dict(setting.split("=", 1) for setting in settings)
        terminal.screen.facts(terminal.server.operate(station, "write-configuration", {"values": values}))
        return
    if ask:
        terminal.server.operate(station, "read-configuration", {})
    terminal.screen.rows(terminal.server.configuration(station), CONFIGURATION_COLUMNS, "Nothing known; ask: --read")


@main.command("import")
@click.argument("fleet", type=click.File("rb"))
@_terminal_command
def import_fleet(terminal: Terminal, fleet: Any) -> None:
    """Import a FLEET file (TOML; - is standard input). Doing it twice changes nothing."""
    content = fleet.read()
    with terminal.screen.progress("Sending", content) as pieces:
        report = terminal.server.import_fleet(pieces, len(content))
    if not terminal.screen.as_json:
        for warning in report.get("warnings") or ():
            click.echo(f"Warning: {warning}", err=True)
        report = {name: report.get(name) for name in ("created", "changed", "unchanged")}
    terminal.screen.facts(report)


@main.command()
@click.argument("station_id", metavar="STATION")
@click.option("--since", default="", metavar="TIME", help="Frames kept since 30s, 10m, 2h, 3d ago, or since a time.")
@click.option("--follow/--no-follow", default=None, help="Go on with live frames; the default without --since.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Kept frames at most.")
@_terminal_command
def trace(terminal: Terminal, station_id: str, since: str, follow: bool | None, limit: int) -> None:
    """Follow a charger's frames: both directions, with latencies and errors. With --json, a line for each."""
    from evpower.command_line.tracing import show_frames

    live = not since if follow is None else follow
    show_frames(
        terminal.server.trace(station_id, since=since, limit=limit, follow=live), as_json=terminal.screen.as_json
    )


@main.command()
@_terminal_command
def tags(terminal: Terminal) -> None:
    """Every card, with its status, expiry, group and client."""
    from evpower.command_line.operators_work import TAG_COLUMNS

    terminal.screen.rows(terminal.server.tags(), TAG_COLUMNS, "No cards; add one with: evpower tag set")


@main.group()
def tag() -> None:
    """One card."""


@tag.command("set")
@click.argument("id_tag", metavar="TAG")
@click.option("--status", type=click.Choice(["Accepted", "Blocked", "Expired", "Invalid"]), default="Accepted")
@click.option("--expires", "expiry_date", metavar="TIME", help="ISO 8601.")
@click.option("--group", "parent_id_tag", metavar="TAG", help="Cards of one group may stop each other's charges.")
@click.option("--client", "client_id", metavar="ID", help="Who pays.")
@_terminal_command
def set_tag(terminal: Terminal, id_tag: str, **card: str | None) -> None:
    """Make a card, or make it so: an option left out is emptied."""
    terminal.screen.facts(terminal.server.put_tag(id_tag, card))


@tag.command("delete")
@click.argument("id_tag", metavar="TAG")
@_terminal_command
def delete_tag(terminal: Terminal, id_tag: str) -> None:
    """Forget a card: chargers are told Invalid from now on."""
    terminal.screen.facts(terminal.server.delete_tag(id_tag))


@main.group()
def parked() -> None:
    """Reports of chargers that matched nothing."""


@parked.command("list")
@click.option("--all", "resolved_too", is_flag=True, help="Resolved ones too.")
@_terminal_command
def list_parked(terminal: Terminal, resolved_too: bool) -> None:
    """What waits for a person, newest first."""
    from evpower.command_line.operators_work import PARKED_COLUMNS

    terminal.screen.rows(terminal.server.parked(resolved_too=resolved_too), PARKED_COLUMNS, "Nothing is parked")


@parked.command("missing")
@_terminal_command
def missing_energy(terminal: Terminal) -> None:
    """Energy between two charges of a connector that nobody was billed for."""
    from evpower.command_line.operators_work import MISSING_COLUMNS

    terminal.screen.rows(terminal.server.missing_energy(), MISSING_COLUMNS, "No energy is missing")


@parked.command("resolve")
@click.argument("parked_id", metavar="ID", type=click.IntRange(1))
@click.option("--session", "session_id", help="The session whose StopTransaction it is.")
@click.option("--dismiss", is_flag=True, help="It changes nothing.")
@click.option("--reason", required=True, help="Kept with the decision.")
@_terminal_command
def resolve_parked(terminal: Terminal, parked_id: int, session_id: str | None, dismiss: bool, reason: str) -> None:
    """Assign a parked StopTransaction to its session, or dismiss a report."""
    from evpower.command_line.operators_work import actor

    if dismiss == (session_id is not None):
        raise click.UsageError("either --session ID or --dismiss")
    decision = {"dismiss": True} if dismiss else {"session_id": session_id}
    terminal.screen.facts(terminal.server.resolve_parked(parked_id, {**decision, "reason": reason, "actor": actor()}))


@main.group()
def ledger() -> None:
    """The money."""


@ledger.command("check")
@_terminal_command
def check_ledger(terminal: Terminal) -> None:
    """Verify that every posting, balance and statement agrees; works without a server."""
    from evpower.command_line.control import NotReachable

    try:
        report = terminal.server.ledger()
    except NotReachable:
        if terminal.socket is not None:
            raise
        from evpower.command_line.offline import check_ledger_now

        report = check_ledger_now(terminal.config)
    if report.get("ok"):
        terminal.screen.show(report, f"The ledger is right: {report.get('entries')} entries, every check passed")
        return
    problems = report.get("problems", {})
    lines = [f"{what}: {row}" for what, rows in problems.items() for row in rows]
    terminal.screen.fail(REFUSED, {"error": "ledger_broken", **report}, lines)


@main.command()
@_terminal_command
def migrate(terminal: Terminal) -> None:
    """Bring the database's schema up to date; works without a server."""
    from evpower.command_line.offline import migrate_now

    applied = migrate_now(terminal.config)
    text = "".join(f"Applied {name}\n" for name in applied).rstrip() or "The schema is up to date"
    terminal.screen.show({"applied": applied}, text)


@main.group()
def config() -> None:
    """The settings."""


@config.command("check")
@_terminal_command
def check_config(terminal: Terminal) -> None:
    """Name everything wrong with the settings."""
    warnings = terminal.config.warnings
    text = "\n".join(["The settings are right", *(f"Warning: {warning}" for warning in warnings)])
    terminal.screen.show({"ok": True, "warnings": list(warnings)}, text)
