"""`evpower webhooks`: where events go, and what became of them."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

COLUMNS = (
    Column("id", rank=0),
    Column("url", rank=0, is_text=True),
    Column("events", rank=2, is_text=True),
    Column("waiting"),
    Column("disabled_at"),
    Column("disabled_reason"),
    Column("old_secret_until", rank=3),
    Column("created_by", rank=3),
    Column("created_at", rank=2),
)
DELIVERY_COLUMNS = (
    Column("id", rank=0),
    Column("event", rank=0),
    Column("object_id"),
    Column("occurred_at"),
    Column("state", rank=0),
    Column("attempts"),
    Column("last_answer", is_text=True),
    Column("due_at", rank=2),
    Column("last_tried_at", rank=3),
)


@click.group()
def webhooks() -> None:
    """Addresses that get events, signed."""


@webhooks.command("list")
@terminal_command
def list_webhooks(terminal: Terminal) -> None:
    """Every address, with how much waits for it."""
    terminal.screen.rows(terminal.server.get("webhooks"), COLUMNS, "nothing.webhooks")


@webhooks.command("add")
@click.argument("url")
@click.option("--event", "events", multiple=True, help="Only this event; may be given several times.")
@terminal_command
def add_webhook(terminal: Terminal, url: str, events: tuple[str, ...]) -> None:
    """Have events go to URL (https) from now on; its secret is shown this once."""
    body: dict[str, object] = {"url": url}
    if events:
        body["events"] = list(events)
    terminal.screen.facts(terminal.server.post("webhooks", body=body))


@webhooks.command("remove")
@click.argument("endpoint_id", metavar="ID")
@terminal_command
def remove_webhook(terminal: Terminal, endpoint_id: str) -> None:
    """Have it get no more events; what it was sent is forgotten."""
    terminal.screen.rows(terminal.server.delete("webhooks", endpoint_id), COLUMNS, "nothing.webhooks")


@webhooks.command("rotate")
@click.argument("endpoint_id", metavar="ID")
@terminal_command
def rotate_webhook(terminal: Terminal, endpoint_id: str) -> None:
    """A new secret, shown this once; for a day both sign."""
    terminal.screen.facts(terminal.server.post("webhooks", endpoint_id, "rotate"))


@webhooks.command("enable")
@click.argument("endpoint_id", metavar="ID")
@terminal_command
def enable_webhook(terminal: Terminal, endpoint_id: str) -> None:
    """Have a disabled one get events again."""
    terminal.screen.facts(terminal.server.post("webhooks", endpoint_id, "enable"))


@webhooks.command("deliveries")
@click.argument("endpoint_id", metavar="ID")
@click.option("--state", type=click.Choice(["queued", "delivered", "dead"]), help="Only these.")
@terminal_command
def list_webhook_deliveries(terminal: Terminal, endpoint_id: str, state: str | None) -> None:
    """What it was sent within a month, newest first."""
    rows = terminal.server.get("webhooks", endpoint_id, "deliveries", state=state)
    terminal.screen.rows(rows, DELIVERY_COLUMNS, "nothing.deliveries")


@webhooks.command("redeliver")
@click.argument("endpoint_id", metavar="ID")
@click.argument("delivery_id", metavar="DELIVERY", type=click.IntRange(1))
@terminal_command
def redeliver_webhook(terminal: Terminal, endpoint_id: str, delivery_id: int) -> None:
    """Send DELIVERY of `evpower webhooks deliveries` again, with its id of before."""
    body = {"delivery_id": delivery_id}
    rows = terminal.server.post("webhooks", endpoint_id, "redeliver", body=body)
    terminal.screen.rows(rows, DELIVERY_COLUMNS, "nothing.deliveries")
