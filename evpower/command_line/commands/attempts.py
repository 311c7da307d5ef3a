"""`evpower attempts`: why a charge did not start."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal

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
@listing("station", "client", "since")
def attempts(terminal: Terminal, wanted: Wanted) -> None:
    """Attempts to start a charge and the answers they got, newest first; kept for 30 days."""
    rows = terminal.server.get("attempts", **wanted.query(terminal))
    terminal.screen.rows(rows, COLUMNS, "nothing.attempts")
    wanted.note_cut(terminal, len(rows))
