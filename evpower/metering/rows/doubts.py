"""Figures that were not believed: a row for each transaction and kind, however many figures of it come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.metering.doubts import DoubtfulCharge, NotedDoubt

COLUMNS = """
    kind text, message text, station_id text, connector_id int, transaction_key bigint, session_id text,
    figures bigint, first_figure bigint, latest_figure bigint, bound bigint, at timestamptz"""
NOTE_DOUBTS = f"""
INSERT INTO evpower.doubts AS d
    (kind, message, station_id, connector_id, transaction_key, session_id, figures, first_figure, latest_figure, bound,
     first_at, latest_at)
SELECT kind, message, station_id, connector_id, transaction_key, session_id, figures, first_figure, latest_figure,
       bound, at, at
FROM {batch_table(COLUMNS)} r ORDER BY transaction_key, kind
ON CONFLICT (transaction_key, kind) DO UPDATE SET figures = d.figures + excluded.figures, bound = excluded.bound,
    latest_figure = excluded.latest_figure, latest_at = excluded.latest_at
"""


async def note_doubts(conn: Conn, noted: Sequence[NotedDoubt]) -> None:
    """Keep these, in the order in which their figures came; the rows of their transactions are taken."""
    rows: dict[tuple[int, str], dict[str, object]] = {}
    figures: dict[tuple[int, str], int] = {}
    for each in noted:
        key = each.about.transaction_key, each.doubt.kind
        first = rows.get(key, {}).get("first_figure", each.doubt.figure)
        figures[key] = figures.get(key, 0) + 1
        rows[key] = {
            "kind": each.doubt.kind,
            "message": each.message,
            "station_id": each.about.station_id,
            "connector_id": each.about.connector_id,
            "transaction_key": each.about.transaction_key,
            "session_id": each.about.session_id,
            "figures": figures[key],
            "first_figure": first,
            "latest_figure": each.doubt.figure,
            "bound": each.doubt.bound,
            "at": each.at,
        }
    if rows:
        await conn.execute(NOTE_DOUBTS, batch(rows.values()))


def charge_of(row: dict[str, Any]) -> DoubtfulCharge:
    """The charge of a row that has a transaction's id, its station and connector, its wire id and session_id."""
    return DoubtfulCharge(
        row["id"], row["wire_transaction_id"], row["station_id"], row["connector_id"], row["session_id"]
    )
