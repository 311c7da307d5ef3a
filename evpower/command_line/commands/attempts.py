"""`evpower attempts`: why a charge did not start."""

from __future__ import annotations

import click

from evpower.command_line.terminal import Terminal, terminal_command

COLUMNS = {
    "When": "attempted_at",
    "Client": "client_id",
    "Station": "station_id",
    "Connector": "connector_id",
    "Door": "door",
    "Answer": "answer",
    "Session": "session_id",
    "Correlation id": "correlation_id",
}


@click.command()
@click.option("--client", help="Of this client.")
@click.option("--station", help="At this station.")
@click.option("--since", help="Since this day or time (ISO 8601, UTC).")
@terminal_command
def attempts(terminal: Terminal, client: str | None, station: str | None, since: str | None) -> None:
    """Attempts to start a charge and the answers they got, newest first; kept for 30 days."""
    rows = terminal.server.get("attempts", client=client, station=station, since=since)
    terminal.screen.rows(rows, COLUMNS, "No attempts")
