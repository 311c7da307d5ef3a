"""`evpower doubts`: figures of stations that were not believed, and what a person decides of them."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

DOUBT_COLUMNS = (
    Column("id", rank=0),
    Column("kind"),
    Column("station_id"),
    Column("transaction_id", rank=3),
    Column("session_id"),
    Column("figures"),
    Column("latest_figure"),
    Column("bound"),
    Column("unit", rank=2),
    Column("first_at"),
    Column("question", rank=2, is_text=True),
    Column("settled"),
    Column("settled_by"),
)


@click.group()
def doubts() -> None:
    """Figures of stations that were not believed."""


@doubts.command("list")
@click.option("--all", "settled_too", is_flag=True, help="Settled ones too.")
@listing("station", "client", "since")
def list_doubts(terminal: Terminal, wanted: Wanted, settled_too: bool) -> None:
    """What is doubtful, newest first."""
    rows = terminal.server.get("doubts", all=int(settled_too) or None, **wanted.query(terminal))
    terminal.screen.rows(rows, DOUBT_COLUMNS, "nothing.doubts")
    wanted.note_cut(terminal, len(rows))


@doubts.command("show")
@click.argument("doubt_id", metavar="ID", type=click.IntRange(1))
@terminal_command
def show_doubt(terminal: Terminal, doubt_id: int) -> None:
    """All of one."""
    terminal.screen.facts(terminal.server.get("doubts", doubt_id))


@doubts.command("settle")
@click.argument("doubt_id", metavar="ID", type=click.IntRange(1))
@click.option("--bill", is_flag=True, help="The station is right: bill what it says.")
@click.option("--dismiss", metavar="REASON", help="The bill stays as it is; the reason is kept.")
@click.option("--reason", help="With --bill: kept with the decision.")
@terminal_command
def settle_doubt(terminal: Terminal, doubt_id: int, bill: bool, dismiss: str | None, reason: str | None) -> None:
    """Decide about one: its ID is in `evpower doubts list`."""
    if bill == (dismiss is not None):
        raise click.UsageError(terminal.texts("usage.bill_or_dismiss"))
    body: dict[str, object] = {"bill": True} if bill else {"dismiss": True, "reason": dismiss}
    if bill and reason is not None:
        body["reason"] = reason
    terminal.screen.facts(terminal.server.post("doubts", doubt_id, "settle", body=body))
