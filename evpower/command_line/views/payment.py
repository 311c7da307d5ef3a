"""The case file of a top-up on a terminal: where the money is, and what every side did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.command_line.columns import Column
from evpower.command_line.screen import Screen
from evpower.command_line.views.charge import POSTING_COLUMNS

STEP_COLUMNS = (
    Column("at", "when", rank=0),
    Column("what", rank=0),
    Column("who"),
    Column("phase_before", "phase", rank=2),
    Column("phase_after", "becomes"),
    Column("amount"),
    Column("trans_id", rank=2),
    Column("detail", is_text=True),
    Column("correlation_id", rank=3),
)
PARKED_COLUMNS = (
    Column("id", rank=0),
    Column("reason", "why", rank=0),
    Column("parked_at"),
    Column("amount", "told"),
    Column("detail", rank=2, is_text=True),
    Column("resolution"),
    Column("resolved_by"),
)


def show_payment(screen: Screen, case: Mapping[str, Any]) -> None:
    """Everything that is known of one top-up."""
    if screen.as_json:
        screen.facts(case)
        return
    payment = case["payment"]
    screen.line(f"{payment['invoice_id']}  {payment['provider']}", bold=True)
    # What nobody has asked about, nobody has denied.
    is_unasked = payment["phase"] == "processing" and payment["last_check_at"] is None and not payment["reason"]
    screen.line(screen.texts("payment_phases.unasked" if is_unasked else f"payment_phases.{payment['phase']}"))
    screen.facts({name: value for name, value in payment.items() if name not in ("invoice_id", "provider")})
    for name, columns in (("steps", STEP_COLUMNS), ("postings", POSTING_COLUMNS), ("parked", PARKED_COLUMNS)):
        if case[name] or name != "parked":
            screen.line()
            screen.line(screen.texts(f"headings.payment_{name}"), bold=True)
            screen.rows(case[name], columns, f"nothing.{name}")
