"""Runs what stays: the server, the demo, simulated stations."""

from __future__ import annotations

import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial

import click
import trio

from evpower.command_line.causes import sole_cause
from evpower.command_line.screen import REFUSED, USAGE
from evpower.errors import DatabaseUnreachable, EvPowerError
from evpower.server import logs
from evpower.settings.config import Config
from evpower.simulator.fleet import StationPlan, run_fleet

log = logging.getLogger("evpower")


def run_server(main: Callable[[Config], Awaitable[None]], config: Config) -> int:
    """Run a server until it ends; its exit code. Every fault is in the log. Raises ConfigError (the log file)."""
    logs.configure(config.log)
    for warning in config.warnings:
        log.warning("%s", warning)
    try:
        trio.run(main, config)
    except (Exception, BaseExceptionGroup) as error:
        cause = sole_cause(error)
        if isinstance(cause, EvPowerError | OSError):
            log.error("%s", cause)
        elif not isinstance(cause, KeyboardInterrupt):
            log.critical("a part of the server failed, so all of it ends", exc_info=error)
        return USAGE if isinstance(cause, DatabaseUnreachable) else REFUSED
    return 0


def run_simulator(url: str, plans: list[StationPlan], **nature: object) -> None:
    """Run simulated stations, saying what they do, until SIGINT or SIGTERM."""
    trio.run(partial(_simulate, url, plans, nature))


async def _simulate(url: str, plans: list[StationPlan], nature: dict[str, object]) -> None:
    async with trio.open_nursery() as fleet:
        fleet.start_soon(partial(run_fleet, url, plans, say=_say, **nature))  # type: ignore[arg-type]
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            await anext(signals)
            fleet.cancel_scope.cancel()


def _say(station_id: str, what: str) -> None:
    click.echo(f"{station_id}  {what}")
