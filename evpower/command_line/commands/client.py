"""`evpower clients` and `evpower client`: who pays, what they have, and what went wrong for them."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

CLIENT_COLUMNS = (
    Column("id", "client_id", rank=0),
    Column("name", is_text=True),
    Column("phone", rank=0),
    Column("status", rank=0),
    Column("balance", rank=0),
    Column("debt_amount"),
    Column("sessions_count", rank=2),
    Column("created_at", rank=2),
)
#: One page of the door (`bodies/queries.py`).
PAGE_MAX = 500
CLIENT = click.argument("client_id", metavar="CLIENT", shell_complete=complete("clients"))


@click.command()
@click.argument("search", default="")
@click.option("--status", type=click.Choice(["active", "blocked"]), help="Only these.")
@listing()
def clients(terminal: Terminal, wanted: Wanted, search: str, status: str | None) -> None:
    """Clients, the newest first; with SEARCH those whose id, name, phone or e-mail has it in it."""
    limit = wanted.limit or PAGE_MAX
    found = terminal.server.get("clients", search=search or None, status=status, limit=limit)["clients"]
    terminal.screen.rows(found, CLIENT_COLUMNS, "nothing.clients")
    wanted.note_cut(terminal, len(found))


@click.group()
def client() -> None:
    """One client: CLIENT is an id, its beginning, or a phone's number."""


@client.command("show")
@CLIENT
@terminal_command
def show_client(terminal: Terminal, client_id: str) -> None:
    """What CLIENT has, and why a start or a payment did not go well: attempts, charges, statement, top-ups, cards."""
    from evpower.command_line.views.client import show_client as show

    show(terminal.screen, terminal.server.get("clients", written(client_id), "case"))


@client.command("block")
@CLIENT
@terminal_command
def block_client(terminal: Terminal, client_id: str) -> None:
    """Refuse CLIENT's next starts and top-ups; a charge that runs goes on."""
    _set_status(terminal, client_id, "blocked")


@client.command("unblock")
@CLIENT
@terminal_command
def unblock_client(terminal: Terminal, client_id: str) -> None:
    """Let CLIENT charge again."""
    _set_status(terminal, client_id, "active")


def _set_status(terminal: Terminal, client_id: str, status: str) -> None:
    terminal.screen.facts(terminal.server.put("clients", written(client_id), "status", body={}, status=status))


@client.command("adjust")
@CLIENT
@click.argument("amount", metavar="SOM", type=float)
@click.option("--reason", required=True, help="Kept with the entry.")
@click.option("--ticket", metavar="KEY", help="The same key again changes nothing: the number of the complaint.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@terminal_command
def adjust_client(
    terminal: Terminal, client_id: str, amount: float, reason: str, ticket: str | None, yes: bool
) -> None:
    """Change CLIENT's balance by SOM, less than 0 takes: after `--`, as in `client adjust -- CLIENT -50`."""
    case = terminal.server.get("clients", written(client_id), "case")
    whole, free = case["client"]["client_id"], case["client"]["free"]
    if not yes:
        paid = max(0, min(case["client"]["debt_amount"], amount))  # a credit pays a debt first
        after = round(free + amount - paid, 2)
        terminal.confirm("confirm.adjust", client=whole, amount=amount, before=free, after=after)
    body = {"amount": amount, "reason": reason}
    terminal.screen.facts(terminal.server.put("clients", whole, "balance", body=body, key=ticket))


@client.command("merge")
@click.argument("client_id", metavar="OLD")
@click.option("--into", required=True, metavar="CLIENT", help="Whose money, charges and cards they are from now on.")
@click.option("--reason", required=True, help="Kept with the merge and its entries.")
@terminal_command
def merge(terminal: Terminal, client_id: str, into: str, reason: str) -> None:
    """Two ids of one person become one: OLD becomes an alias of CLIENT. There is no way back."""
    body = {"into": into, "reason": reason}
    terminal.screen.facts(terminal.server.post("clients", client_id, "merge", body=body))


def written(client: str) -> str:
    """A phone's number without the blanks and dashes that people write in it; anything else as it is."""
    number = client.translate(dict.fromkeys(map(ord, " -()")))
    return number if number.lstrip("+").isdigit() and client[:1] in "+0123456789" else client
