"""`evpower deletions`: accounts whose end was asked for; `client`: two ids of one person; `push`: messages to them."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

COLUMNS = (
    Column("client_id"),
    Column("name", is_text=True),
    Column("phone"),
    Column("balance"),
    Column("debt_amount"),
    Column("paid_out"),
    Column("requested_at"),
    Column("restorable_until"),
    Column("erased_at"),
)


@click.group()
def deletions() -> None:
    """Accounts whose end was asked for."""


@deletions.command("list")
@click.option("--all", "settled_too", is_flag=True, help="Erased ones without money, too.")
@terminal_command
def list_deletions(terminal: Terminal, settled_too: bool) -> None:
    """Those that can be restored, or that money waits in."""
    rows = terminal.server.get("deletions", all=int(settled_too) or None)
    terminal.screen.rows(rows, COLUMNS, "nothing.deletions")


@deletions.command("pay-out")
@click.argument("client_id", metavar="CLIENT")
@click.argument("amount", metavar="SOM", type=float)
@click.option("--reason", required=True, help="Kept with the entry: how it was paid, and to whom.")
@terminal_command
def pay_out(terminal: Terminal, client_id: str, amount: float, reason: str) -> None:
    """The account's whole balance was paid to its person: SOM, as `list` shows it."""
    body = {"amount": amount, "reason": reason}
    terminal.screen.facts(terminal.server.post("deletions", client_id, "pay-out", body=body))


@deletions.command("restore")
@click.argument("client_id", metavar="CLIENT")
@terminal_command
def restore(terminal: Terminal, client_id: str) -> None:
    """The person asks for its account back, within 30 days."""
    terminal.screen.facts(terminal.server.post("deletions", client_id, "restore", body={}))


@click.group()
def client() -> None:
    """Clients' ids."""


@client.command("merge")
@click.argument("client_id", metavar="OLD")
@click.option("--into", required=True, metavar="CLIENT", help="Whose money, charges and cards they are from now on.")
@click.option("--reason", required=True, help="Kept with the merge and its entries.")
@terminal_command
def merge(terminal: Terminal, client_id: str, into: str, reason: str) -> None:
    """Two ids of one person become one: OLD becomes an alias of CLIENT. There is no way back."""
    body = {"into": into, "reason": reason}
    terminal.screen.facts(terminal.server.post("clients", client_id, "merge", body=body))


@click.group()
def push() -> None:
    """Messages to phones."""


@push.command("status")
@terminal_command
def push_status(terminal: Terminal) -> None:
    """What waits now; what became of the last 24 hours' messages and devices, by the reason."""
    terminal.screen.facts(terminal.server.get("push"))


@push.command("test")
@click.argument("client_id", metavar="CLIENT")
@terminal_command
def send_test(terminal: Terminal, client_id: str) -> None:
    """Send a test to all devices of CLIENT; whether it arrived, `status` and the log say."""
    terminal.screen.facts(terminal.server.post("push", "test", client_id, body={}))
