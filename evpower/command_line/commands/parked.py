"""`evpower parked`: reports of stations that wait for a person."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

PARKED_COLUMNS = (
    Column("id", rank=0),
    Column("station_id"),
    Column("action"),
    Column("reason", "why", is_text=True),
    Column("received_at"),
    Column("payload", rank=3, is_text=True),
    Column("resolution"),
    Column("resolved_by"),
)
MISSING_COLUMNS = (
    Column("station_id"),
    Column("connector_id"),
    Column("previous_transaction_id"),
    Column("previous_stop_wh"),
    Column("transaction_id", "before"),
    Column("meter_start_wh"),
    Column("missing_wh"),
    Column("started_at"),
)

UNBILLED_COLUMNS = (
    Column("station_id"),
    Column("connector_id"),
    Column("transaction_id"),
    Column("session_id"),
    Column("client_id"),
    Column("id_tag"),
    Column("verdict"),
    Column("unbilled_wh"),
    Column("unbilled_som"),
    Column("started_at"),
)
WITHOUT_SESSION_COLUMNS = (
    Column("station_id"),
    Column("connector_id"),
    Column("transaction_id"),
    Column("session_id"),
    Column("id_tag"),
    Column("verdict"),
    Column("unpaid_since"),
    Column("energy_wh", "unpaid_wh"),
    Column("ocpp_status", "says"),
    Column("stops_asked"),
)


@click.group()
def parked() -> None:
    """Reports of stations that matched nothing."""


@parked.command("list")
@click.option("--all", "resolved_too", is_flag=True, help="Resolved ones too.")
@listing("station", "since")
def list_parked(terminal: Terminal, wanted: Wanted, resolved_too: bool) -> None:
    """What waits for a person, newest first."""
    rows = terminal.server.get("parked", all=int(resolved_too) or None, **wanted.query(terminal))
    terminal.screen.rows(rows, PARKED_COLUMNS, "nothing.parked")
    wanted.note_cut(terminal, len(rows))


@parked.command("missing")
@listing("station", "since")
def missing_energy(terminal: Terminal, wanted: Wanted) -> None:
    """Energy between two charges of a connector that belongs to none."""
    rows = terminal.server.get("parked", "missing-energy", **wanted.query(terminal))
    terminal.screen.rows(rows, MISSING_COLUMNS, "nothing.missing_energy")
    wanted.note_cut(terminal, len(rows))


@parked.command("unbilled")
@listing("station", "client", "since")
def unbilled_energy(terminal: Terminal, wanted: Wanted) -> None:
    """Energy of charges that nobody pays for: beyond a session's bill, or of a start that was refused."""
    rows = terminal.server.get("parked", "unbilled-energy", **wanted.query(terminal))
    terminal.screen.rows(rows, UNBILLED_COLUMNS, "nothing.unbilled_energy")
    wanted.note_cut(terminal, len(rows))


@parked.command("charging")
@listing("station")
def charging_without_session(terminal: Terminal, wanted: Wanted) -> None:
    """Charges that go on although no session pays for them."""
    rows = terminal.server.get("parked", "charging-without-session", **wanted.query(terminal))
    terminal.screen.rows(rows, WITHOUT_SESSION_COLUMNS, "nothing.without_session")


@parked.command("resolve")
@click.argument("parked_id", metavar="ID", type=click.IntRange(1))
@click.option("--session", "session_id", help="The session whose StopTransaction it is.")
@click.option("--dismiss", is_flag=True, help="It changes nothing.")
@click.option("--reason", required=True, help="Kept with the decision.")
@terminal_command
def resolve_parked(terminal: Terminal, parked_id: int, session_id: str | None, dismiss: bool, reason: str) -> None:
    """Assign a parked StopTransaction to its session, or dismiss a report."""
    if dismiss == (session_id is not None):
        raise click.UsageError(terminal.texts("usage.session_or_dismiss"))
    decision: dict[str, object] = {"dismiss": True} if dismiss else {"session_id": session_id}
    terminal.screen.facts(terminal.server.post("parked", parked_id, "resolve", body={**decision, "reason": reason}))
