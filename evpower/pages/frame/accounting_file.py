"""A CSV file as accountants' programs open it: semicolons, a byte order mark, decimals by the language (§7)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from evpower.money import som
from evpower.texts.catalogue import Language

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
#: A text that begins so is a formula to a spreadsheet: it stands behind an apostrophe.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
FIGURE = re.compile(r"-?[0-9]+([.,][0-9]+)?")

CsvCell = str | int | None


def csv_rows(rows: Iterable[Iterable[CsvCell]]) -> str:
    """Lines of the file. A text is no formula; figures are texts as `decimal` makes them."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def decimal(amount_tyiyn: int, language: Language) -> str:
    """A sum in som without groups: `-1234,50`, in English `-1234.50`."""
    text = f"{som(amount_tyiyn):.2f}"
    return text if language == "en" else text.replace(".", ",")


def moment(at: datetime, timezone: ZoneInfo) -> str:
    """`26.11.2026 03:12:41` in the network's time zone."""
    return at.astimezone(timezone).strftime("%d.%m.%Y %H:%M:%S")


def _cell(cell: CsvCell) -> CsvCell:
    if isinstance(cell, str) and cell.startswith(FORMULA) and not FIGURE.fullmatch(cell):
        return f"'{cell}"
    return cell
