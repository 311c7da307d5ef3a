"""`evpower ledger`: the money."""

from __future__ import annotations

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
        from evpower.command_line.offline import check_ledger_now
        from evpower.http.operators.shapes.control import ledger_body

        report = ledger_body(check_ledger_now(terminal.config))
    if report.get("ok"):
        terminal.screen.show(report, terminal.texts("ledger_is_right", entries=report.get("entries")))
        return
    problems = report.get("problems", {})
    lines = [f"{what}: {row}" for what, rows in problems.items() for row in rows]
    terminal.screen.fail(REFUSED, {"error": "ledger_broken", **report}, lines)
