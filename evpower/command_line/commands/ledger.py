"""`evpower ledger`: the money."""

from __future__ import annotations

from typing import Any

import click

from evpower.command_line.screen import REFUSED
from evpower.command_line.terminal import Terminal, terminal_command


@click.group()
def ledger() -> None:
    """The money."""


@ledger.command("check")
@terminal_command
def check_ledger(terminal: Terminal) -> None:
    """Verify that every posting, balance and statement agrees; works without a server."""
    from evpower.command_line.control import NotReachable

    try:
        report = terminal.server.get("ledger")
    except NotReachable:
        if terminal.socket is not None:
            raise
        from evpower.command_line.offline.databases import check_ledger_now
        from evpower.http.operators.shapes.control import ledger_body

        report = ledger_body(check_ledger_now(terminal.config))
    last = _last_night(terminal, report.get("last_night"))
    if report.get("ok"):
        right = terminal.texts("ledger_is_right", entries=report.get("entries"))
        terminal.screen.show(report, "\n".join([right, *last]))
        return
    problems = report.get("problems", {})
    lines = [f"{what}: {row}" for what, rows in problems.items() for row in rows]
    terminal.screen.fail(REFUSED, {"error": "ledger_broken", **report}, [*lines, *last])


def _last_night(terminal: Terminal, night: dict[str, Any] | None) -> list[str]:
    """What the server's own check found in the night; nothing of a server that made none, or is not there."""
    if night is None:
        return []
    rows = sum(night["problems"].values())
    facts = {"night": night["night"], "entries": night["entries"]}
    return [
        terminal.texts("ledger_night_broken", rows=rows, **facts)
        if rows
        else terminal.texts("ledger_night_right", **facts)
    ]
