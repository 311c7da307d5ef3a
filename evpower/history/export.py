"""Charges as a table for a spreadsheet: UTF-8 with BOM, `;`, decimal comma, no cell that is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

ROWS_MAX = 10_000
DAYS_MAX = 366
#: What a spreadsheet takes for the beginning of a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
HEADER = (
    "Чек",
    "Начало",
    "Окончание",
    "Длительность, мин",
    "Место",
    "Адрес",
    "Станция",
    "Разъём",
    "Энергия, кВт⋅ч",
    "Сумма, сом",
    "Долг, сом",
    "Статус",
    "Сессия",
)
STATUSES = {"started": "идёт", "stopped": "завершена", "error": "не состоялась"}


@dataclass(frozen=True)
class ExportedCharge:
    """A row of the table."""

    receipt: str | None
    started_at: datetime
    ended_at: datetime | None
    location_name: str
    location_address: str
    station_id: str
    connector_id: int
    energy_kwh: Decimal
    amount: Decimal | None
    debt_amount: Decimal
    status: str
    session_id: str


def table(charges: Iterable[ExportedCharge], timezone: ZoneInfo) -> bytes:
    """The file."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([_safe(cell) for cell in _cells(charge, timezone)] for charge in charges)
    return text.getvalue().encode("utf-8-sig")


def _cells(charge: ExportedCharge, timezone: ZoneInfo) -> Sequence[str]:
    minutes = ""
    if charge.ended_at is not None:
        minutes = str(max(0, int((charge.ended_at - charge.started_at).total_seconds() // 60)))
    return (
        charge.receipt or "",
        _time(charge.started_at, timezone),
        "" if charge.ended_at is None else _time(charge.ended_at, timezone),
        minutes,
        charge.location_name,
        charge.location_address,
        charge.station_id,
        str(charge.connector_id),
        _decimal(charge.energy_kwh),
        "" if charge.amount is None else _decimal(charge.amount),
        _decimal(charge.debt_amount),
        STATUSES[charge.status],
        charge.session_id,
    )


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def _decimal(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",")


def _time(at: datetime, timezone: ZoneInfo) -> str:
    return f"{at.astimezone(timezone):%Y-%m-%d %H:%M:%S}"
