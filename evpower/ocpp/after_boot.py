"""What follows each boot and reconnect of a station, whatever its version (contract/ocpp-behaviour §2, §4; duty 18).

Refusals are no errors. A station that leaves a question unanswered is asked no more of them; one that boots whenever it
is configured is not configured for a while, and one that hangs up when it is asked is left alone (`boot_loops.py`).
"""

from __future__ import annotations

import trio

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.habits.boot_loops import HANG_UP_WITHIN_S
from evpower.ocpp.watch.oddities import Kind


async def configure_after_boot(station: ConnectedStation) -> None:
    """Runs beside the reader for as long as the station is connected; once per connection and per later boot."""
    while True:
        await _may_be_asked(station)
        if not _may_be_configured(station) or await _configure(station):
            await station.dialect.ask_statuses(station)
        station.connection.ready.set()
        await station.reports.ready_for_commands(station.station_id)
        with trio.move_on_after(HANG_UP_WITHIN_S):
            await station.next_boot()
            continue
        if station.connection.first_asked_at is not None:
            station.habits.hang_ups.forgive(station.station_id)
        await station.next_boot()


async def _may_be_asked(station: ConnectedStation) -> None:
    """Wait until it may be asked anything; one that hangs up when it is asked has to boot or to speak twice before."""
    await station.settled()
    is_heard = station.has_booted or station.connection.words > 1
    if not is_heard and station.station_id in station.habits.hang_ups.left_alone():
        station.connection.oddities.note(Kind.HANGS_UP, "its socket ends when it is asked; it is left alone for now")
        await station.connection.speaks_again()
        await station.settled()


def _may_be_configured(station: ConnectedStation) -> bool:
    if station.habits.boot_loops.may_be_configured(station.station_id, trio.current_time()):
        return True
    station.connection.oddities.note(Kind.BOOT_LOOP, "it boots when it is configured, and is left as it is")
    return False


async def _configure(station: ConnectedStation) -> bool:
    """False when the station does not answer."""
    station.habits.boot_loops.configuring(station.station_id, trio.current_time())
    return await station.dialect.set_up_metering(station)
