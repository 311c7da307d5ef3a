"""`evpower parked`: reports of stations that wait for a person."""

from __future__ import annotations

import click

from evpower.command_line.terminal import Terminal, terminal_command

PARKED_COLUMNS = {
    "Id": "id",
    "Station": "station_id",
    "Action": "action",
    "Why": "reason",
    "Received": "received_at",
    "Payload": "payload",
    "Resolved": "resolution",
    "By": "resolved_by",
}
MISSING_COLUMNS = {
    "Station": "station_id",
    "Connector": "connector_id",
    "After": "previous_transaction_id",
    "Stop Wh": "previous_stop_wh",
    "Before": "transaction_id",
    "Start Wh": "meter_start_wh",
    "Missing Wh": "missing_wh",
    "Started": "started_at",
}

UNBILLED_COLUMNS = {
    "Station": "station_id",
    "Connector": "connector_id",
    "Transaction": "transaction_id",
    "Session": "session_id",
    "Client": "client_id",
    "Tag": "id_tag",
    "Verdict": "verdict",
    "Unbilled Wh": "unbilled_wh",
    "Som": "unbilled_som",
    "Started": "started_at",
}
WITHOUT_SESSION_COLUMNS = {
    "Station": "station_id",
    "Connector": "connector_id",
    "Transaction": "transaction_id",
    "Session": "session_id",
    "Tag": "id_tag",
    "Verdict": "verdict",
    "Unpaid since": "unpaid_since",
    "Unpaid Wh": "energy_wh",
    "Says": "ocpp_status",
    "Asked to stop": "stops_asked",
}


@click.group()
def parked() -> None:
    """Reports of stations that matched nothing."""


@parked.command("list")
@click.option("--all", "resolved_too", is_flag=True, help="Resolved ones too.")
@terminal_command
def list_parked(terminal: Terminal, resolved_too: bool) -> None:
    """What waits for a person, newest first."""
    rows = terminal.server.get("parked", all=int(resolved_too) or None)
    terminal.screen.rows(rows, PARKED_COLUMNS, "Nothing is parked")


@parked.command("missing")
@terminal_command
def missing_energy(terminal: Terminal) -> None:
    """Energy between two charges of a connector that belongs to none."""
    terminal.screen.rows(terminal.server.get("parked", "missing-energy"), MISSING_COLUMNS, "No energy is missing")


@parked.command("unbilled")
@terminal_command
def unbilled_energy(terminal: Terminal) -> None:
    """Energy of charges that nobody pays for: beyond a session's bill, or of a start that was refused."""
    terminal.screen.rows(terminal.server.get("parked", "unbilled-energy"), UNBILLED_COLUMNS, "No energy is unbilled")


@parked.command("charging")
@terminal_command
def charging_without_session(terminal: Terminal) -> None:
    """Charges that go on although no session pays for them."""
    rows = terminal.server.get("parked", "charging-without-session")
    terminal.screen.rows(rows, WITHOUT_SESSION_COLUMNS, "Nothing charges without a session")


@parked.command("resolve")
@click.argument("parked_id", metavar="ID", type=click.IntRange(1))
@click.option("--session", "session_id", help="The session whose StopTransaction it is.")
@click.option("--dismiss", is_flag=True, help="It changes nothing.")
@click.option("--reason", required=True, help="Kept with the decision.")
@terminal_command
def resolve_parked(terminal: Terminal, parked_id: int, session_id: str | None, dismiss: bool, reason: str) -> None:
    """Assign a parked StopTransaction to its session, or dismiss a report."""
    if dismiss == (session_id is not None):
        raise click.UsageError("either --session ID or --dismiss")
    decision: dict[str, object] = {"dismiss": True} if dismiss else {"session_id": session_id}
    terminal.screen.facts(terminal.server.post("parked", parked_id, "resolve", body={**decision, "reason": reason}))
