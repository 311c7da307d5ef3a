"""`evpower payments` and `evpower payment`: money in, and what of it waits for a person."""

from __future__ import annotations

import click

from evpower.command_line.terminal import Terminal, terminal_command

PAYMENT_COLUMNS = {
    "Invoice": "invoice_id",
    "Client": "client_id",
    "Provider": "provider",
    "Phase": "phase",
    "Ordered": "amount",
    "Paid": "paid_amount",
    "Refunded": "refunded_amount",
    "Created": "created_at",
    "Flags": "flags",
}
PARKED_COLUMNS = {
    "Id": "id",
    "Why": "reason",
    "Invoice": "invoice_id",
    "Client": "client_id",
    "Provider": "provider",
    "Transaction": "trans_id",
    "Ordered": "ordered",
    "Told": "amount",
    "Parked": "parked_at",
    "Resolved": "resolution",
    "By": "resolved_by",
}
REASON = click.option("--reason", required=True, help="Kept with the decision.")


@click.command()
@click.option("--parked", is_flag=True, help="Only what waits for a person.")
@click.option("--all", "resolved_too", is_flag=True, help="With --parked: resolved ones too.")
@terminal_command
def payments(terminal: Terminal, parked: bool, resolved_too: bool) -> None:
    """Top-ups, newest first."""
    if not parked:
        terminal.screen.rows(terminal.server.get("payments"), PAYMENT_COLUMNS, "No payments")
        return
    rows = terminal.server.get("payments", parked=1, all=int(resolved_too) or None)
    terminal.screen.rows(rows, PARKED_COLUMNS, "Nothing is parked")


@click.group()
def payment() -> None:
    """Decide about one payment."""


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
        raise click.UsageError("one of --credit SOM, --debit SOM, --dismiss")
    body = {**decision, "reason": reason}
    terminal.screen.facts(terminal.server.post("payments", "parked", parked_id, "resolve", body=body))


@payment.command("refund")
@click.argument("invoice_id", metavar="INVOICE")
@click.option("--amount", type=float, metavar="SOM", help="Not all of it.")
@REASON
@terminal_command
def refund_payment(terminal: Terminal, invoice_id: str, amount: float | None, reason: str) -> None:
    """Give a payment back to its payer through the provider."""
    body: dict[str, object] = {"reason": reason}
    if amount is not None:
        body["amount"] = amount
    terminal.screen.facts(terminal.server.post("payments", invoice_id, "refund", body=body))
