"""`evpower strangers` and `evpower stranger`: stations nobody has configured yet."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, asked_password, terminal_command

STRANGER_COLUMNS = (
    Column("identity", rank=0),
    Column("vendor"),
    Column("model"),
    Column("firmware_version"),
    Column("serial_number"),
    Column("address"),
    Column("connected"),
    Column("first_seen_at"),
    Column("last_seen_at"),
    Column("status"),
)


@click.command()
@click.option("--all", "rejected_too", is_flag=True, help="Rejected ones too.")
@listing()
def strangers(terminal: Terminal, wanted: Wanted, rejected_too: bool) -> None:
    """Stations that wait to be accepted (setting ocpp.accept_unknown), the longest waiting first."""
    rows = terminal.server.get("strangers", all=int(rejected_too) or None)
    terminal.screen.rows(rows[: wanted.limit], STRANGER_COLUMNS, "nothing.strangers")


@click.group()
def stranger() -> None:
    """One station that nobody has configured yet."""


@stranger.command("accept")
@click.argument("identity")
@click.option("--location", "location_id", required=True, metavar="ID", help="Where it stands; the location exists.")
@click.option("--connectors", "count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many.")
@click.option("--type", "connector_type", metavar="WORD", help="Of every connector, such as GBT or CCS.")
@click.option("--power-kw", type=float, help="Of every connector.")
@click.option("--model", help="Instead of what the charger says; so are the next two.")
@click.option("--manufacturer")
@click.option("--serial-number")
@click.option("--price-per-kwh", type=float, help="In som.")
@click.option("--tariff-plan", "tariff_plan_id", metavar="ID")
@click.option("--free-vend", is_flag=True, default=None, help="Tags that are nobody's charge for free.")
@click.option(
    "--password",
    "with_password",
    is_flag=True,
    help="It must come with one from now on: asked for, or a line of standard input.",
)
@terminal_command
def accept_stranger(
    terminal: Terminal,
    identity: str,
    count: int,
    connector_type: str | None,
    power_kw: float | None,
    with_password: bool,
    **station: object,
) -> None:
    """Make a station of the station IDENTITY; anything further is done by `evpower import`."""
    connector = {"connector_type": connector_type, "power_kw": power_kw}
    given = {name: value for name, value in connector.items() if value is not None}
    connectors = [{"connector_number": number, **given} for number in range(1, count + 1)]
    if with_password:
        station["password"] = asked_password()
    body = {**station, "power_capacity": power_kw, "connectors": connectors}
    terminal.screen.facts(terminal.server.post("strangers", identity, "accept", body=body))


@stranger.command("reject")
@click.argument("identity")
@terminal_command
def reject_stranger(terminal: Terminal, identity: str) -> None:
    """Turn the station IDENTITY away from now on; it can still be accepted."""
    terminal.screen.facts(terminal.server.post("strangers", identity, "reject"))
