"""`evpower sandbox`: both payment providers' servers, until a signal."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import click
import trio

from evpower.command_line.causes import sole_cause
from evpower.command_line.screen import REFUSED
from evpower.errors import EvPowerError
from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings


def run_sandbox_here(*, odengi_port: int, obank_port: int, page_port: int, directory: Path, seed: int) -> int:
    """Run until SIGINT or SIGTERM; the exit code."""
    settings = SandboxSettings(
        directory=directory.absolute(), odengi_port=odengi_port, obank_port=obank_port, page_port=page_port, seed=seed
    )
    try:
        trio.run(_until_signal, settings)
    except (Exception, BaseExceptionGroup) as error:
        cause = sole_cause(error)
        if not isinstance(cause, EvPowerError | OSError):
            raise
        click.echo(f"Error: {cause}", err=True)
        return REFUSED
    return 0


async def _until_signal(settings: SandboxSettings) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as providers:
            sandbox: Sandbox = await providers.start(run_sandbox, settings)
            click.echo(_help(sandbox))
            await anext(signals)
            providers.cancel_scope.cancel()


def _help(sandbox: Sandbox) -> str:
    """Lines for a shell, so that `evpower sandbox` can be copied into the server's terminal."""
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sandbox.environment().items())
    return f"""\
# Both payment providers run, on this machine only. Ctrl-C ends them. For the server's terminal:
{exports}
# Pay or refuse by hand: {sandbox.page_url}/
# Faults, payments, what was received: {sandbox.page_url}/control (docs/sandbox.md)"""
