"""`evpower serve`, `demo`, `simulate`, `sandbox`, and what works without a server: `migrate`, `database`,
`config check`, `doctor`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evpower.command_line.screen import REFUSED
from evpower.command_line.terminal import Terminal, asked_password, has_secret, server_command, terminal_command
from evpower.errors import EvPowerError

if TYPE_CHECKING:
    from evpower.settings.config import Config

#: Where the install guide puts the settings; nothing reads them from there by itself.
USUAL_FILE = Path("/etc/evpower/evpower.toml")


@click.command()
@server_command
def serve(terminal: Terminal) -> None:
    """Run the server until SIGTERM."""
    from evpower.command_line.running import run_server
    from evpower.server import supervisor

    sys.exit(run_server(supervisor.run, terminal.config))


@click.command()
@server_command
def demo(terminal: Terminal) -> None:
    """Run the server with the demo fleet and simulated stations."""
    from evpower.command_line.running import run_server
    from evpower.server.demo import street

    sys.exit(run_server(street.run, terminal.config))


@click.command()
@click.argument("url")
@click.option("--stations", "count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@click.option("--prefix", default="SIM-", show_default=True, help="Their ids: PREFIX001, PREFIX002 …")
@click.option("--id", "station_ids", multiple=True, help="An id of its own, instead of a number; may be repeated.")
@click.option("--connectors", type=click.IntRange(1, 100), default=2, show_default=True)
@click.option(
    "--password", "with_password", is_flag=True, help="For HTTP Basic: asked for, or a line of standard input."
)
@click.option("--power-kw", type=click.FloatRange(0, 1000), default=60.0, show_default=True, help="Of each connector.")
@click.option(
    "--phases", type=click.Choice(["1", "3"]), help="Alternating current of so many phases; without it direct current."
)
@click.option("--speed", type=click.FloatRange(0.01, 10_000), default=1.0, show_default=True, help="Of charging.")
@click.option("--card", "cards", multiple=True, help="A card drivers walk up with; may be repeated.")
@click.option("--misbehave", "habits", multiple=True, help="A bad habit, such as duplicate; may be repeated.")
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same choices.")
@click.option(
    "--ocpp", type=click.Choice(["1.6", "2.0.1"]), default="1.6", show_default=True, help="Which version of OCPP."
)
@click.option("--verbose", is_flag=True, help="Show answers too.")
def simulate(url: str, with_password: bool, **options: Any) -> None:
    """Connect simulated stations to URL, such as ws://127.0.0.1:9000/ws, until Ctrl-C.

    Charges started from the app are plugged in by a simulated driver; with --card, drivers also come by themselves.
    """
    from evpower.command_line.simulate import simulate_stations

    if has_secret(url):
        raise click.UsageError("a password is no part of URL: ps shows it; use --password")
    try:
        simulate_stations(url, password=asked_password() if with_password else None, **options)
    except EvPowerError as error:
        raise click.UsageError(error.message) from None


@click.command()
@click.option("--odengi-port", type=click.IntRange(0, 65535), default=8091, show_default=True)
@click.option("--obank-port", type=click.IntRange(0, 65535), default=8092, show_default=True)
@click.option("--page-port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="The payers' page.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/sandbox"),
    show_default=True,
    help="For the certificates.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same ids and secrets.")
def sandbox(**options: Any) -> None:
    """Run both payment providers' servers on this machine, until Ctrl-C. They take no real money.

    What is printed first are the settings of a server that uses them.
    """
    from evpower.command_line.sandbox import run_sandbox_here

    sys.exit(run_sandbox_here(**options))


@click.command()
@click.option("--create", is_flag=True, help="Without database.url: make a private PostgreSQL if there is none yet.")
@terminal_command
def migrate(terminal: Terminal, create: bool) -> None:
    """Bring the database's schema up to date; works without a server."""
    from evpower.command_line.offline.databases import migrate_now

    applied = migrate_now(terminal.config, create=create)
    text = "".join(f"Applied {name}\n" for name in applied).rstrip() or "The schema is up to date"
    terminal.screen.show({"applied": applied}, text)


@click.group()
def database() -> None:
    """The database as a whole: copies of it, and moving to another one."""


@database.command("dump")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@terminal_command
def dump_database(terminal: Terminal, file: Path) -> None:
    """Write everything into a new FILE; the server may run meanwhile. It holds clients and keys: keep it safe."""
    from evpower.command_line.offline.databases import dump_now

    size = dump_now(terminal.config, file)
    terminal.screen.show({"file": str(file), "bytes": size}, f"{file}: {size} bytes")


@database.command("restore")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--create", is_flag=True, help="Without database.url: make a private PostgreSQL if there is none yet.")
@terminal_command
def restore_database(terminal: Terminal, file: Path, create: bool) -> None:
    """Fill an empty database from FILE, bring it up to date and check its money; no server may run on it."""
    from evpower.command_line.offline.databases import restore_now
    from evpower.http.operators.shapes.control import ledger_body

    applied, check = restore_now(terminal.config, file, create=create)
    body = ledger_body(check)
    facts = {"applied": applied, "ledger": body}
    if not body["ok"]:
        terminal.screen.fail(REFUSED, {"error": "ledger_broken", **facts}, ["The ledger is not right: ledger check"])
    terminal.screen.show(facts, f"Restored; the ledger is right: {body['entries']} entries, every check passed")


@click.group()
def config() -> None:
    """The settings."""


@config.command("check")
@terminal_command
def check_config(terminal: Terminal) -> None:
    """Name everything wrong with the settings, and which file they are from; while the server runs, also the stations
    that nothing protects."""
    _show_findings(terminal, f"The settings are right: {_read_from(terminal.config)}")


@click.command()
@terminal_command
def doctor(terminal: Terminal) -> None:
    """Look everything over, and say what is wrong and what to do; changes nothing.

    Settings, secrets, database, Redis, clock, certificates, disk, limits, providers, proxies, stations. With the server
    running or stopped. Exit code 1: something is wrong; 2: the settings are.
    """
    from evpower.command_line.offline.examining import doctor_says

    doctor_says(terminal, _variables(), USUAL_FILE)


def _show_findings(terminal: Terminal, headline: str) -> None:
    """The settings' own doubts and what a running server finds in its rows."""
    from evpower.command_line.control import NotReachable

    warnings = list(terminal.config.warnings)
    if terminal.config.file is None and USUAL_FILE.exists():
        warnings.append(f"{USUAL_FILE} exists and was not read: name it by --config or EVPOWER_CONFIG")
    try:
        warnings += _found_in_rows(terminal.server.get("doctor"))
    except NotReachable:
        headline += " (the server does not run: its stations, cards and clients were not looked at)"
    text = "\n".join([headline, *(f"Warning: {warning}" for warning in warnings)])
    file = None if terminal.config.file is None else str(terminal.config.file)
    terminal.screen.show({"ok": True, "file": file, "environment": _variables(), "warnings": warnings}, text)


def _read_from(config: Config) -> str:
    """What the settings were made of; whatever is not named here has its default."""
    file = "no file was read (neither --config nor EVPOWER_CONFIG names one)" if config.file is None else config.file
    return f"{file}, and {', '.join(_variables()) or 'nothing'} of the environment"


def _variables() -> list[str]:
    return sorted(name for name in os.environ if name.startswith("EVPOWER_"))


def _found_in_rows(found: dict[str, Any]) -> list[str]:
    """A sentence for each; an older server knows less."""
    sentences = [
        f"station {each} has neither a password nor a certificate"
        for each in found.get("stations_without_credentials", [])
    ]
    sentences += [
        f"card {each} is a phone number: whoever knows it can charge; give the driver another card, and delete it"
        for each in found.get("cards_that_are_phones", [])
    ]
    for each in found.get("displaced_phones", []):
        without = "is not in E.164's writing" if each["reason"] == "not_e164" else "was not its own"
        whose = f"is client {each['kept_by']}'s" if each["kept_by"] else without
        sentences.append(
            f"client {each['client_id']} has no phone any more: {each['phone']} {whose};"
            " import the client with its right phone"
        )
    return sentences
