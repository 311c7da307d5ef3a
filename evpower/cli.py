"""The command line. What it needs is imported by the command that needs it, so that `evpower --help` is quick.

Exit codes: 0 ok, 1 refused or failed, 2 usage or settings, 3 no server answers at the control socket (design §8).
"""

from __future__ import annotations

import click

import evpower
from evpower.command_line.commands.accounts import deletions, push, sign_in
from evpower.command_line.commands.certificate import ca, certificates
from evpower.command_line.commands.client import client, clients
from evpower.command_line.commands.completion import completion
from evpower.command_line.commands.doubts import doubts
from evpower.command_line.commands.ledger import ledger
from evpower.command_line.commands.network import location, locations, tariff, tariffs
from evpower.command_line.commands.parked import parked
from evpower.command_line.commands.payment import payment, payments
from evpower.command_line.commands.server import config, database, demo, doctor, migrate, sandbox, serve, simulate
from evpower.command_line.commands.session import attempts, now, session, sessions, status
from evpower.command_line.commands.staff import staff
from evpower.command_line.commands.station import (
    command,
    configuration,
    device,
    health,
    import_fleet,
    operate,
    station,
    stations,
    trace,
)
from evpower.command_line.commands.stranger import stranger, strangers
from evpower.command_line.commands.systems.power import power
from evpower.command_line.commands.systems.reservations import reservation, reservations
from evpower.command_line.commands.systems.watching import events, hours
from evpower.command_line.commands.systems.webhooks import webhooks
from evpower.command_line.commands.tag import tag, tags
from evpower.command_line.help_texts import TranslatedGroup


@click.group(cls=TranslatedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(evpower.__version__, prog_name="evpower")
def main() -> None:
    """EvPower: the charging station manager. Settings: config/evpower.toml and EVPOWER_… variables."""


for _each in (
    *(serve, demo, simulate, sandbox, migrate, database, config, doctor),
    *(now, status, sessions, session),
    *(stations, station, health, command, operate, configuration, device, import_fleet, trace),
    *(events, hours),
    *(locations, location, tariffs, tariff),
    *(strangers, stranger),
    *(tags, tag),
    *(ca, certificates),
    *(payments, payment),
    *(clients, client, deletions),
    staff,
    sign_in,
    push,
    parked,
    doubts,
    attempts,
    ledger,
    power,
    *(reservations, reservation),
    webhooks,
    completion,
):
    main.add_command(_each)
