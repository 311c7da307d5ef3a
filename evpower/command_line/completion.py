"""Ids that a shell completes: asked of the running server; without one, nothing is completed and nothing is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete(kind: str) -> Complete:
    """Whole ids of a kind (`control.py`, `IDS`) that begin as the word does."""

    def items(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        del parameter
        from evpower.command_line.control import SYSTEM_SOCKET, ControlClient, sockets_to_try
        from evpower.errors import EvPowerError
        from evpower.settings.config import load

        config, socket = (_path(context.params.get(name)) for name in ("config_path", "socket"))
        try:
            client = ControlClient(sockets_to_try(load(config, os.environ), socket, SYSTEM_SOCKET))
            return [CompletionItem(each) for each in client.get("ids", kind, begins=incomplete)]
        except EvPowerError:
            return []

    return items


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value))
