"""`evpower status`, `sessions`, `session stop`: what is going on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from evpower.command_line.terminal import Terminal, terminal_command

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
    "Ended by": "end_cause",
    "Estimated": "estimated",
}


@click.command()
@terminal_command
def status(terminal: Terminal) -> None:
    """The server at a glance."""
    seen = terminal.server.get("status")
    if not terminal.screen.as_json:
        seen = {**seen, "payment_providers": [_how(*each) for each in seen.get("payment_providers", {}).items()]}
    terminal.screen.facts(seen)


def _how(provider: str, answers: Mapping[str, Any]) -> str:
    """`ODENGI failing since 2026-11-23T06:00:15Z (provider_timeout)`."""
    text = f"{provider} {answers['state']}"
    if answers["state"] == "failing":
        text += f" since {answers['failing_since']} ({answers['last_error']})"
    return text


@click.command()
@click.option("--all", "all_sessions", is_flag=True, help="Ended sessions too.")
@terminal_command
def sessions(terminal: Terminal, all_sessions: bool) -> None:
    """Running sessions, newest first."""
    rows = terminal.server.get("sessions", all=int(all_sessions) or None)
    terminal.screen.rows(rows, SESSION_COLUMNS, "No sessions" if all_sessions else "No running sessions")


@click.group()
def session() -> None:
    """One session."""


@session.command("stop")
@click.argument("session_id", metavar="ID")
@terminal_command
def stop_session(terminal: Terminal, session_id: str) -> None:
    """Stop a running session and settle it."""
    terminal.screen.facts(terminal.server.post("sessions", session_id, "stop"))
