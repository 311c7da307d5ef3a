"""The case file of a client on a terminal: money, starts with what was answered, charges, statement, cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.command_line.columns import Column
from evpower.command_line.screen import Screen

ATTEMPT_COLUMNS = (
    Column("attempted_at", rank=0),
    Column("station_id"),
    Column("connector_id", "connector", rank=3),
    Column("door", rank=2),
    Column("answer", rank=0),
    Column("reason"),
    Column("sentence", is_text=True),
    Column("session_id", rank=2),
)
CHARGE_COLUMNS = (
    Column("session_id", rank=0),
    Column("start_time", rank=0),
    Column("station_id"),
    Column("phase", rank=0),
    Column("energy_kwh"),
    Column("reserved_amount", rank=2),
    Column("amount", rank=0),
    Column("debt_amount", rank=3),
    Column("end_cause"),
    Column("estimated", rank=3),
)
LINE_COLUMNS = (
    Column("created_at", "when", rank=0),
    Column("type", rank=0),
    Column("amount", rank=0),
    Column("balance_after", rank=0),
    Column("session_id"),
    Column("invoice_id"),
    Column("description", rank=2, is_text=True),
)
CARD_COLUMNS = (
    Column("id_tag", rank=0),
    Column("status", rank=0),
    Column("parent_id_tag"),
    Column("expiry_date"),
)
TOP_UP_COLUMNS = (
    Column("created_at", "when", rank=0),
    Column("invoice_id", rank=0),
    Column("provider"),
    Column("phase", rank=0),
    Column("amount", "ordered", rank=0),
    Column("paid_amount"),
    Column("refunded_amount", rank=2),
    Column("reason", is_text=True),
    Column("last_check_at", rank=2),
)
LISTS = (
    ("attempts", ATTEMPT_COLUMNS),
    ("charges", CHARGE_COLUMNS),
    ("statement", LINE_COLUMNS),
    ("top_ups", TOP_UP_COLUMNS),
    ("cards", CARD_COLUMNS),
)


def show_client(screen: Screen, case: Mapping[str, Any]) -> None:
    """Everything that is known of one client."""
    if screen.as_json:
        screen.facts(case)
        return
    client = case["client"]
    screen.line("  ".join(filter(None, (client["client_id"], client["phone"], client["name"]))), bold=True)
    screen.line(
        screen.texts(
            "money_of_client",
            balance=client["balance"],
            free=client["free"],
            charges=client["held_by_charges"],
            refunds=client["held_by_refunds"],
            reservations=client["held_by_reservations"],
            debt=client["debt_amount"],
        )
    )
    screen.facts({name: client[name] for name in ("status", "email", "created_at", "merged_into")})
    for name, columns in LISTS:
        screen.line()
        screen.line(screen.texts(f"headings.{name}"), bold=True)
        screen.rows(case[name], columns, f"nothing.{name}")
