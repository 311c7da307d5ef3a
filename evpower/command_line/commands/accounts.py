"""`evpower deletions`: accounts whose end was asked for; `push`: messages to phones; `sign-in`: the keys of
our own tokens."""

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


@click.group("sign-in")
def sign_in() -> None:
    """Signing in by phone."""


@sign_in.command("rotate-key")
@click.option("--at-once", is_flag=True, help="The old key is out: no token of it counts any more.")
@terminal_command
def rotate_key(terminal: Terminal, at_once: bool) -> None:
    """Change the key that tokens are signed with; nobody has to sign in anew."""
    terminal.screen.facts(terminal.server.post("signing-keys", body={"at_once": at_once}))
