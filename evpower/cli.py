"""The command line. What it needs is imported by the command that needs it, so that `evpower --help` is quick.

Exit codes: 0 ok, 1 refused or failed, 2 usage or settings, 3 no server answers at the control socket (design §8).
"""

from __future__ import annotations

import click

import evpower
from evpower.command_line.certificate_commands import ca, certificates
from evpower.command_line.ledger_commands import ledger
from evpower.command_line.network_commands import location, locations, tariff, tariffs
from evpower.command_line.parked_commands import parked
from evpower.command_line.payment_commands import payment, payments
from evpower.command_line.server_commands import config, demo, migrate, sandbox, serve, simulate
from evpower.command_line.session_commands import session, sessions, status
from evpower.command_line.station_commands import (
    command,
    configuration,
    import_fleet,
    operate,
    station,
    stations,
    trace,
)
from evpower.command_line.stranger_commands import stranger, strangers
from evpower.command_line.tag_commands import tag, tags


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(evpower.__version__, prog_name="evpower")
def main() -> None:
    """EvPower: the charging station manager. Settings: config/evpower.toml and EVPOWER_… variables."""


for _each in (
    *(serve, demo, simulate, sandbox, migrate, config),
    *(status, sessions, session),
    *(stations, station, command, operate, configuration, import_fleet, trace),
    *(locations, location, tariffs, tariff),
    *(strangers, stranger),
    *(tags, tag),
    *(ca, certificates),
    *(payments, payment),
    parked,
    ledger,
):
    main.add_command(_each)
