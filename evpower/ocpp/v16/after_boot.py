"""What each charger is asked once it has booted or reconnected (contract/ocpp-behaviour §2, §4; duty 18).

Refusals are no errors. A charger that leaves a question unanswered is asked no more of them; one that boots whenever it
is configured is not configured for a while (`boot_loops.py`).
"""

from __future__ import annotations

import trio

from evpower.link.ports import CommandResult, Outcome
from evpower.ocpp.v16 import commands
from evpower.ocpp.v16.charger import Charger
from evpower.ocpp.watch.oddities import Kind

MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
#: For chargers that refuse a list with anything they do not measure (an AC charger knows no SoC).
LEAST_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import"


async def configure_after_boot(charger: Charger) -> None:
    """Runs beside the reader for as long as the charger is connected; once per connection and per later boot."""
    while True:
        await charger.settled()
        if not _may_be_configured(charger) or await _set_up_metering(charger):
            await _ask_statuses(charger)
        charger.connection.ready.set()
        await charger.reports.ready_for_commands(charger.station_id)
        await charger.next_boot()


def _may_be_configured(charger: Charger) -> bool:
    if charger.boot_loops.may_be_configured(charger.station_id, trio.current_time()):
        return True
    charger.connection.oddities.note(Kind.BOOT_LOOP, "it boots when it is configured, and is left as it is")
    return False


async def _set_up_metering(charger: Charger) -> bool:
    """False when the charger does not answer."""
    connection = charger.connection
    charger.boot_loops.configuring(charger.station_id, trio.current_time())
    interval = str(charger.settings.meter_value_sample_interval_s)
    result = await commands.change_configuration(connection, "MeterValueSampleInterval", interval)
    if not _answered(result):
        return False
    result = await commands.change_configuration(connection, "MeterValuesSampledData", MEASURANDS)
    if result.outcome is Outcome.REJECTED and result.detail == "Rejected":
        result = await commands.change_configuration(connection, "MeterValuesSampledData", LEAST_MEASURANDS)
    return _answered(result)


async def _ask_statuses(charger: Charger) -> None:
    """Ask for the words that did not come by themselves; of all connectors when we know none."""
    silent = [connector_id for connector_id in charger.connector_ids if connector_id not in charger.heard]
    if silent:
        for connector_id in silent:
            if not _answered(await commands.trigger_status(charger.connection, connector_id)):
                return
    elif not charger.heard:
        await commands.trigger_status(charger.connection, None)


def _answered(result: CommandResult) -> bool:
    return result.outcome not in (Outcome.TIMED_OUT, Outcome.OFFLINE)
