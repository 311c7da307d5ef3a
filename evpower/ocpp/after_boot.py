"""What follows each boot and reconnect of a station, whatever its version (contract/ocpp-behaviour §2, §4; duty 18).

Refusals are no errors. A station that leaves a question unanswered is asked no more of them; one that boots whenever it
is configured is not configured for a while, and one that hangs up when it is asked is left alone (`boot_loops.py`).
"""

from __future__ import annotations

import logging
from functools import partial

import trio

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.habits.boot_loops import HANG_UP_WITHIN_S
from evpower.ocpp.watch.oddities import Kind
from evpower.worker import repeat

log = logging.getLogger("OCPP")


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
        await _show_costs_until_boot(station)


async def _show_costs_until_boot(station: ConnectedStation) -> None:
    """Wait for its next boot; a station that shows costs is sent them meanwhile, where that is asked for."""
    every_s = station.settings.cost_updated_interval_s
    if not (every_s and station.shows_cost):
        await station.next_boot()
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_show_costs, station, every_s)
        await station.next_boot()
        nursery.cancel_scope.cancel()


async def _show_costs(station: ConnectedStation, every_s: float) -> None:
    work = partial(station.dialect.show_costs, station)
    await repeat(work, every_s, log=log, failure="costs were not sent to a station and will be again")


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
