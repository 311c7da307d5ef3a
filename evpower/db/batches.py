"""Many rows in one statement: sent as one JSON text, read as a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

_encode = msgspec.json.Encoder().encode


def batch_table(columns: str) -> str:
    """SQL of the batch as a table of these columns, to be followed by its alias.

    The LIMIT gives the planner the number of rows. Otherwise it assumes a hundred, and in a large network it reads a
    whole table for the status of one station.
    """
    return f"(SELECT * FROM json_to_recordset(%(rows)s) AS batch({columns}) LIMIT %(count)s)"


def batch(rows: Collection[Mapping[str, object]]) -> dict[str, object]:
    """The parameters `batch_table` needs."""
    return {"rows": _encode(list(rows)).decode(), "count": len(rows)}
