"""`evpower payments` and `evpower payment`: money in, and what of it waits for a person."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

PAYMENT_COLUMNS = (
    Column("invoice_id", rank=0),
    Column("client_id"),
    Column("provider", rank=3),
    Column("phase"),
    Column("amount", "ordered"),
    Column("paid_amount"),
    Column("refunded_amount"),
    Column("created_at"),
    Column("flags", rank=2, is_text=True),
)
PARKED_COLUMNS = (
    Column("id"),
    Column("reason", "why"),
    Column("invoice_id"),
    Column("client_id"),
    Column("provider"),
    Column("trans_id"),
    Column("ordered"),
    Column("amount", "told"),
    Column("parked_at"),
    Column("resolution"),
    Column("resolved_by"),
)
INVOICE = click.argument("invoice_id", metavar="INVOICE", shell_complete=complete("payments"))
REASON = click.option("--reason", required=True, help="Kept with the decision.")


@click.command()
@click.option("--parked", is_flag=True, help="Only what waits for a person.")
@click.option("--all", "resolved_too", is_flag=True, help="With --parked: resolved ones too.")
@listing("client", "phase", "since")
def payments(terminal: Terminal, wanted: Wanted, parked: bool, resolved_too: bool) -> None:
    """Top-ups, newest first."""
    if not parked:
        rows = terminal.server.get("payments", **wanted.query(terminal))
        terminal.screen.rows(rows, PAYMENT_COLUMNS, "nothing.payments")
        wanted.note_cut(terminal, len(rows))
        return
    rows = terminal.server.get("payments", parked=1, all=int(resolved_too) or None)
    terminal.screen.rows(rows, PARKED_COLUMNS, "nothing.parked")


@click.group()
def payment() -> None:
    """One payment: INVOICE is its number, or the beginning of it."""


@payment.command("resolve")
@click.argument("parked_id", metavar="ID", type=click.IntRange(1))
@click.option("--credit", type=float, metavar="SOM", help="The money came: credit this much.")
@click.option("--debit", type=float, metavar="SOM", help="The provider gave this much back: take it.")
@click.option("--dismiss", is_flag=True, help="No money moves.")
@REASON
@terminal_command
def resolve_payment(
    terminal: Terminal, parked_id: int, credit: float | None, debit: float | None, dismiss: bool, reason: str
) -> None:
    """Decide about a parked payment: its ID is in `evpower payments --parked`."""
    given: dict[str, object] = {"credit": credit, "debit": debit, "dismiss": dismiss or None}
    decision = {name: value for name, value in given.items() if value is not None}
    if len(decision) != 1:
        raise click.UsageError(terminal.texts("usage.credit_debit_dismiss"))
    body = {**decision, "reason": reason}
    terminal.screen.facts(terminal.server.post("payments", "parked", parked_id, "resolve", body=body))


@payment.command("show")
@INVOICE
@terminal_command
def show_payment(terminal: Terminal, invoice_id: str) -> None:
    """Where the money of a top-up is: what its provider said and when, what was credited, what waits for a person."""
    from evpower.command_line.views.payment import show_payment as show

    show(terminal.screen, terminal.server.get("payments", invoice_id, "case"))


@payment.command("refund")
@INVOICE
@click.option("--amount", type=float, metavar="SOM", help="Not all of it.")
@REASON
@click.option("--yes", is_flag=True, help="Ask nothing.")
@terminal_command
def refund_payment(terminal: Terminal, invoice_id: str, amount: float | None, reason: str, yes: bool) -> None:
    """Give a payment back to its payer through the provider, after a question."""
    body: dict[str, object] = {"reason": reason}
    if amount is not None:
        body["amount"] = amount
    if not yes:
        order = terminal.server.get("payments", invoice_id, "case")["payment"]
        left = round(order["paid_amount"] - order["refunded_amount"], 2)
        given = left if amount is None else amount
        who = {"client": order["client_id"], "provider": order["provider"]}
        terminal.confirm("confirm.refund", invoice=order["invoice_id"], amount=given, left=left, **who)
    terminal.screen.facts(terminal.server.post("payments", invoice_id, "refund", body=body))
