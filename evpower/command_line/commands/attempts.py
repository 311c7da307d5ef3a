"""`evpower attempts`: why a charge did not start."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

COLUMNS = (
    Column("attempted_at", rank=0),
    Column("client_id"),
    Column("station_id"),
    Column("connector_id", "connector", rank=2),
    Column("door", rank=2),
    Column("answer", rank=0),
    Column("session_id"),
    Column("correlation_id", rank=3),
)


@click.command()
@click.option("--client", help="Of this client.")
@click.option("--station", help="At this station.")
@click.option("--since", help="Since this day or time (ISO 8601, UTC).")
@terminal_command
def attempts(terminal: Terminal, client: str | None, station: str | None, since: str | None) -> None:
    """Attempts to start a charge and the answers they got, newest first; kept for 30 days."""
    rows = terminal.server.get("attempts", client=client, station=station, since=since)
    terminal.screen.rows(rows, COLUMNS, "nothing.attempts")
