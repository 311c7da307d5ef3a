"""`evpower reservations`, `evpower reservation`: connectors that are kept for clients."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

RESERVATIONS = (
    Column("reservation_id", rank=0),
    Column("client_id"),
    Column("station_id", rank=0),
    Column("connector_id", "connector", rank=2),
    Column("status", rank=0),
    Column("guaranteed", rank=3),
    Column("starts_at", rank=0),
    Column("expires_at", "kept_until"),
    Column("hold_amount"),
    Column("fee_amount"),
    Column("canceled_by", rank=3),
    Column("reason", rank=3),
    Column("session_id", rank=4),
)
REPORT = (
    Column("location_id", rank=0),
    Column("name", is_text=True),
    Column("reservations", rank=0),
    Column("fulfilled_percent", rank=0),
    Column("no_show_percent", rank=0),
    Column("minutes_blocked"),
    Column("fees", rank=0),
)
#: OCPI's, in small letters.
REASONS = ("broken_charger", "power_outage", "full", "blocked", "unknown")


@click.command()
@click.option("--active", is_flag=True, help="Those alone that are not over.")
@terminal_command
def reservations(terminal: Terminal, active: bool) -> None:
    """Connectors that are kept, or were, the newest first."""
    given = {"active": "true"} if active else {}
    terminal.screen.rows(terminal.server.get("reservations", **given), RESERVATIONS, "nothing.reservations")


@click.group()
def reservation() -> None:
    """One reservation, and what became of all."""


@reservation.command("cancel")
@click.argument("reservation_id", metavar="ID")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="Why, in OCPI's words.")
@terminal_command
def cancel_reservation(terminal: Terminal, reservation_id: str, reason: str) -> None:
    """End it without a fee: all that is held goes back."""
    ended = terminal.server.post("reservations", reservation_id, "cancel", body={"reason": reason})
    terminal.screen.rows([ended], RESERVATIONS, "nothing.reservations")


@reservation.command("report")
@click.option("--since", required=True, help="Those that started since this day or moment (ISO 8601).")
@click.option("--before", help="And before this one; without it until now.")
@terminal_command
def report_reservations(terminal: Terminal, since: str, before: str | None) -> None:
    """What became of them, by location: used, not used, for how long, what they brought."""
    given = {"from": since} | ({} if before is None else {"to": before})
    terminal.screen.rows(terminal.server.get("reservations", "report", **given), REPORT, "nothing.reservations")
