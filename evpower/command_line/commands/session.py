"""`evpower now`, `status`, `sessions`, `session`, `attempts`: what goes on, what happened, what did not start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from evpower.command_line.columns import Column
from evpower.command_line.completion import complete
from evpower.command_line.listing import WATCH, Wanted, listing, watched
from evpower.command_line.terminal import Terminal, terminal_command
from evpower.texts.catalogue import Catalogue, load

SESSION_COLUMNS = (
    Column("session_id", rank=0),
    Column("client_id"),
    Column("station_id"),
    Column("connector_id", "connector", rank=2),
    Column("status", rank=5),
    Column("phase", rank=0),
    Column("start_time", rank=0),
    Column("energy_kwh"),
    Column("reserved_amount", rank=4),
    Column("amount"),
    Column("end_cause"),
    Column("estimated", rank=3),
)
ATTEMPT_COLUMNS = (
    Column("attempted_at", rank=0),
    Column("client_id"),
    Column("station_id"),
    Column("connector_id", "connector", rank=2),
    Column("door", rank=2),
    Column("answer", rank=0),
    Column("reason", rank=2),
    Column("sentence", is_text=True),
    Column("session_id"),
    Column("correlation_id", rank=3),
)


NOW_COLUMNS = (
    Column("urgent", rank=0),
    Column("what", rank=0, is_text=True),
    Column("since", rank=1),
    Column("amount_som", "amount", rank=3),
    Column("mine_of", rank=4),
)


@click.command()
@WATCH
@terminal_command
def now(terminal: Terminal, watch: bool) -> None:
    """What needs a person, the most urgent first."""

    def show() -> None:
        rows = [each for each in terminal.server.get("attention") if "over_at" not in each]
        if not terminal.screen.as_json:
            sentences = load(terminal.texts.language, "pages")
            rows = [_row(each, sentences) for each in rows if "snoozed_until" not in each]
        terminal.screen.rows(rows, NOW_COLUMNS, "nothing.attention")

    watched(terminal, show) if watch else show()


def _row(item: Mapping[str, Any], sentences: Catalogue) -> dict[str, Any]:
    """A row of the list with its sentence, as the operators' pages have it."""
    first, others = item["conditions"][0], len(item["conditions"]) - 1
    what = sentences(f"todo.of.{first['kind']}", station=first.get("station_id", ""), **first["facts"])
    return {
        "urgent": "!" if item["urgent"] else "",
        "what": f"{what} {sentences('todo.more', count=others)}" if others else what,
        "since": item["since"],
        "amount_som": item["amount_som"] or None,
        "mine_of": item.get("mine_of"),
    }


@click.command()
@WATCH
@terminal_command
def status(terminal: Terminal, watch: bool) -> None:
    """The server at a glance."""
    if watch:
        watched(terminal, lambda: _show_status(terminal))
    else:
        _show_status(terminal)


def _show_status(terminal: Terminal) -> None:
    seen = terminal.server.get("status")
    if not terminal.screen.as_json:
        seen = {**seen, "payment_providers": [_how(*each) for each in seen.get("payment_providers", {}).items()]}
    terminal.screen.facts(seen)


def _how(provider: str, answers: Mapping[str, Any]) -> str:
    """`ODENGI failing since 2026-11-23T06:00:15Z (provider_timeout)`."""
    text = f"{provider} {answers['state']}"
    if answers["state"] == "failing":
        text += f" since {answers['failing_since']} ({answers['last_error']})"
    return text


@click.command()
@click.option("--all", "all_sessions", is_flag=True, help="Ended sessions too.")
@listing("phase", "station", "client", "since")
def sessions(terminal: Terminal, wanted: Wanted, all_sessions: bool) -> None:
    """Running sessions, newest first; with --phase also those that ended."""
    rows = terminal.server.get("sessions", all=int(all_sessions) or None, **wanted.query(terminal))
    is_any = all_sessions or "phase" in wanted.given
    terminal.screen.rows(rows, SESSION_COLUMNS, "nothing.sessions" if is_any else "nothing.running_sessions")
    wanted.note_cut(terminal, len(rows))


@click.group()
def session() -> None:
    """One session."""


@session.command("show")
@click.argument("session_id", metavar="ID", shell_complete=complete("sessions"))
@click.option("--frames", "with_frames", is_flag=True, help="The station's frames, as long as they are kept.")
@terminal_command
def show_session(terminal: Terminal, session_id: str, with_frames: bool) -> None:
    """What happened in a session, why it ended, and why its bill is what it is."""
    from evpower.command_line.views.charge import show_charge

    case = terminal.server.get("sessions", session_id, "evidence")
    show_charge(terminal.screen, case, with_frames=with_frames)


@session.command("stop")
@click.argument("session_id", metavar="ID", shell_complete=complete("sessions"))
@terminal_command
def stop_session(terminal: Terminal, session_id: str) -> None:
    """Stop a running session and settle it."""
    terminal.screen.facts(terminal.server.post("sessions", session_id, "stop"))


@click.command()
@listing("station", "client", "since")
def attempts(terminal: Terminal, wanted: Wanted) -> None:
    """Attempts to start a charge and the answers they got, newest first; kept for 30 days."""
    rows = terminal.server.get("start-attempts", **wanted.query(terminal))["attempts"]
    terminal.screen.rows(rows, ATTEMPT_COLUMNS, "nothing.attempts")
    wanted.note_cut(terminal, len(rows))
