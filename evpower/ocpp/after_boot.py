"""What follows each boot and reconnect of a charger, whatever its version (contract/ocpp-behaviour §2, §4; duty 18).

Refusals are no errors. A charger that leaves a question unanswered is asked no more of them; one that boots whenever it
is configured is not configured for a while (`boot_loops.py`).
"""

from __future__ import annotations

import trio

from evpower.ocpp.charger import Charger
from evpower.ocpp.watch.oddities import Kind


async def configure_after_boot(charger: Charger) -> None:
    """Runs beside the reader for as long as the charger is connected; once per connection and per later boot."""
    while True:
        await charger.settled()
        if not _may_be_configured(charger) or await _configure(charger):
            await charger.dialect.ask_statuses(charger)
        charger.connection.ready.set()
        await charger.reports.ready_for_commands(charger.station_id)
        await charger.next_boot()


def _may_be_configured(charger: Charger) -> bool:
    if charger.boot_loops.may_be_configured(charger.station_id, trio.current_time()):
        return True
    charger.connection.oddities.note(Kind.BOOT_LOOP, "it boots when it is configured, and is left as it is")
    return False


async def _configure(charger: Charger) -> bool:
    """False when the charger does not answer."""
    charger.boot_loops.configuring(charger.station_id, trio.current_time())
    return await charger.dialect.set_up_metering(charger)
