"""`evpower ca`, `evpower certificates`, and a station's trusted certificates."""

from __future__ import annotations

import re
from typing import Any

import click

from evpower.command_line.columns import Column
from evpower.command_line.commands.station import station
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

CERTIFICATE_COLUMNS = (
    Column("station_id"),
    Column("state"),
    Column("common_name", is_text=True),
    Column("not_after"),
    Column("serial_number"),
    Column("requested_at"),
    Column("reason", is_text=True),
)
TRUSTED_COLUMNS = (
    Column("certificateType"),
    Column("serialNumber"),
    Column("hashAlgorithm"),
    Column("issuerNameHash"),
    Column("issuerKeyHash"),
)
USES = {"central-system": "CentralSystemRootCertificate", "manufacturer": "ManufacturerRootCertificate"}


@click.group()
def ca() -> None:
    """The authority that signs stations' certificates."""


@ca.command("init")
@click.option("--name", default="EvPower station CA", show_default=True, help="Its common name.")
@click.option("--years", type=click.IntRange(1, 100), default=20, show_default=True, help="How long it is good.")
@terminal_command
def init_ca(terminal: Terminal, name: str, years: int) -> None:
    """Make a station CA in the state directory; works without a server, and a running one uses it at once."""
    from dataclasses import asdict

    from evpower.clock import SystemClock, random_bytes
    from evpower.command_line.new_station_ca import make_station_ca

    made = make_station_ca(terminal.config, name, years, now=SystemClock().now(), random_bytes=random_bytes)
    terminal.screen.facts(asdict(made))


def _days(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})d?", text, re.ASCII)
    if found is None:
        raise click.BadParameter("a number of days, such as 30d")
    return int(found[1])


@click.command()
@click.option("--expiring-within", "days", metavar="DAYS", callback=_days, help="Only what ends within 30d, or has.")
@listing("station")
def certificates(terminal: Terminal, wanted: Wanted, days: int | None) -> None:
    """Each station's certificate, and what is under way."""
    station_id = wanted.query(terminal).get("station")
    rows = terminal.server.get("certificates", expiring_within_days=days)
    rows = [each for each in rows if station_id in (None, each["station_id"])][: wanted.limit]
    nothing = "nothing.certificates" if days is None else "nothing.ending_certificates"
    terminal.screen.rows(rows, CERTIFICATE_COLUMNS, nothing)


@station.command("trust")
@click.argument("station_id", metavar="STATION")
@click.argument("certificate", type=click.File("r", encoding="utf-8"))
@click.option("--for", "use", type=click.Choice(tuple(USES)), default="central-system", show_default=True)
@terminal_command
def trust(terminal: Terminal, station_id: str, certificate: Any, use: str) -> None:
    """Have STATION trust a root CERTIFICATE (a PEM file; - is standard input)."""
    arguments = {"certificate": certificate.read(), "certificate_type": USES[use]}
    terminal.screen.facts(_operate(terminal, station_id, "install-certificate", arguments))


@station.command("distrust")
@click.argument("station_id", metavar="STATION")
@click.argument("certificate", type=click.File("r", encoding="utf-8"), required=False)
@click.option("--serial", "serial_number", metavar="HEX", help="Its serial number instead of the file.")
@terminal_command
def distrust(terminal: Terminal, station_id: str, certificate: Any, serial_number: str | None) -> None:
    """Have STATION delete a root CERTIFICATE (a PEM file; - is standard input)."""
    if (certificate is None) == (serial_number is None):
        raise click.UsageError(terminal.texts("usage.certificate_or_serial"))
    named = {"serial_number": serial_number} if certificate is None else {"certificate": certificate.read()}
    terminal.screen.facts(_operate(terminal, station_id, "delete-certificate", named))


@station.command("trusted")
@click.argument("station_id", metavar="STATION")
@terminal_command
def trusted(terminal: Terminal, station_id: str) -> None:
    """Ask STATION which root certificates it trusts."""
    found = _operate(terminal, station_id, "installed-certificates", {})
    terminal.screen.rows(found["certificates"], TRUSTED_COLUMNS, "nothing.trusted")


def _operate(terminal: Terminal, station_id: str, operation: str, arguments: dict[str, Any]) -> Any:
    return terminal.server.post("stations", station_id, "operations", operation, body=arguments)
