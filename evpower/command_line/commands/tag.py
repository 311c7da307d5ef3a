"""`evpower tags` and `evpower tag`: cards."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

TAG_COLUMNS = (
    Column("id_tag", rank=0),
    Column("status"),
    Column("expiry_date"),
    Column("parent_id_tag"),
    Column("client_id"),
)


@click.command()
@listing("client")
def tags(terminal: Terminal, wanted: Wanted) -> None:
    """Every card, with its status, expiry, group and client."""
    client_id = wanted.query(terminal).get("client")
    cards = [each for each in terminal.server.get("id-tags") if client_id in (None, each["client_id"])]
    terminal.screen.rows(cards[: wanted.limit], TAG_COLUMNS, "nothing.cards")


TAG = click.argument("id_tag", metavar="TAG", shell_complete=complete("id-tags"))


@click.group()
def tag() -> None:
    """One card."""


@tag.command("set")
@click.argument("id_tag", metavar="TAG")
@click.option("--status", type=click.Choice(["Accepted", "Blocked", "Expired", "Invalid"]), default="Accepted")
@click.option("--expires", "expiry_date", metavar="TIME", help="ISO 8601.")
@click.option("--group", "parent_id_tag", metavar="TAG", help="Cards of one group may stop each other's charges.")
@click.option("--client", "client_id", metavar="ID", help="Who pays.")
@terminal_command
def set_tag(terminal: Terminal, id_tag: str, **card: str | None) -> None:
    """Make a card, or make it so: an option left out is emptied."""
    terminal.screen.facts(terminal.server.put("id-tags", id_tag, body=card))


@tag.command("block")
@TAG
@terminal_command
def block_tag(terminal: Terminal, id_tag: str) -> None:
    """Refuse a card from now on; its client, group and expiry stay."""
    terminal.screen.facts(terminal.server.patch("id-tags", id_tag, body={"status": "Blocked"}))


@tag.command("unblock")
@TAG
@terminal_command
def unblock_tag(terminal: Terminal, id_tag: str) -> None:
    """Accept a card again; its client, group and expiry stay."""
    terminal.screen.facts(terminal.server.patch("id-tags", id_tag, body={"status": "Accepted"}))


@tag.command("delete")
@TAG
@terminal_command
def delete_tag(terminal: Terminal, id_tag: str) -> None:
    """Forget a card: stations are told Invalid from now on."""
    terminal.screen.facts(terminal.server.delete("id-tags", id_tag))
