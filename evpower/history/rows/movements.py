"""A client's statement by page, with the top-ups that were not paid between its lines."""

from __future__ import annotations

from typing import Any

from evpower.db.connection import Conn
from evpower.history.records import HistoryFilter, HistoryPage, ListPlace, Movement, PageWish
from evpower.history.rows.charges import PREPARE, page_parameters
from evpower.identifiers import ClientId

TOPUP = "topup:"
#: What became of a top-up that credited nothing, as the app calls its row.
UNPAID = {"canceled": "balance_topup_canceled", "processing": "balance_topup_pending"}

LINES = """
FROM public.payment_transactions x
WHERE x.client_id = %(client_id)s AND (%(type)s::text IS NULL OR x.type = %(type)s)
  AND (%(status)s::text IS NULL OR %(status)s = 'completed')
  AND (%(since)s::timestamptz IS NULL OR x.created_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR x.created_at < %(before)s)
"""
UNPAID_TOPUPS = """
FROM public.balance_topups x
WHERE x.client_id = %(client_id)s AND x.status IN ('canceled', 'processing')
  AND (%(type)s::text IS NULL OR (x.status = 'canceled' AND %(type)s = 'balance_topup_canceled')
       OR (x.status = 'processing' AND %(type)s = 'balance_topup_pending'))
  AND (%(status)s::text IS NULL OR x.status = %(status)s)
  AND (%(since)s::timestamptz IS NULL OR x.created_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR x.created_at < %(before)s)
"""
# Of two of one moment the statement's line is the newer one. Either side is cut before they are merged.
_LIST = """
SELECT m.is_line, m.number, coalesce(l.type, CASE t.status WHEN 'canceled' THEN 'balance_topup_canceled'
           ELSE 'balance_topup_pending' END) AS type,
       coalesce(l.amount, t.requested_amount) AS amount, t.requested_amount, l.balance_before, l.balance_after,
       coalesce(l.description, t.description) AS description, l.charging_session_id AS session_id, m.created_at,
       CASE WHEN m.is_line THEN coalesce(t.completed_at, m.created_at) END AS completed_at,
       CASE WHEN m.is_line THEN 'completed' ELSE t.status END AS status, o.method AS payment_method, t.invoice_id
FROM (SELECT * FROM (
          (SELECT true AS is_line, x.id AS number, x.created_at, x.balance_topup_id AS topup_id {lines} {lines_after}
           ORDER BY x.created_at DESC, x.id DESC LIMIT %(limit)s + %(offset)s)
          UNION ALL
          (SELECT false, x.id, x.created_at, x.id {topups} {topups_after}
           ORDER BY x.created_at DESC, x.id DESC LIMIT %(limit)s + %(offset)s)) merged
      ORDER BY created_at DESC, is_line DESC, number DESC LIMIT %(limit)s OFFSET %(offset)s) m
LEFT JOIN public.payment_transactions l ON m.is_line AND l.id = m.number
LEFT JOIN public.balance_topups t ON t.id = m.topup_id
LEFT JOIN evpower.top_up_orders o ON o.topup_id = t.id
ORDER BY m.created_at DESC, m.is_line DESC, m.number DESC
"""
LIST = _LIST.format(lines=LINES, topups=UNPAID_TOPUPS, lines_after="", topups_after="")
_AFTER = "AND (x.created_at, x.id) < (%(after_at)s::timestamptz, %({bound})s::bigint)"
LIST_AFTER = _LIST.format(
    lines=LINES,
    topups=UNPAID_TOPUPS,
    lines_after=_AFTER.format(bound="after_line"),
    topups_after=_AFTER.format(bound="after_topup"),
)
COUNT = f"SELECT (SELECT count(*) {LINES}) + (SELECT count(*) {UNPAID_TOPUPS}) AS total"
#: After every id.
_ALL = 2**63 - 1


async def list_movements(
    conn: Conn, client_id: ClientId, wanted: HistoryFilter, page: PageWish
) -> HistoryPage[Movement]:
    """A page of a client's movements of money."""
    parameters = page_parameters(client_id, wanted, page)
    if page.after is not None:
        is_topup = page.after.row_id.startswith(TOPUP)
        number = int(page.after.row_id.removeprefix(TOPUP))
        # Lines of a moment come before its top-ups: after a line come all of them, after a top-up no line.
        bounds = {"after_line": 0, "after_topup": number} if is_topup else {"after_line": number, "after_topup": _ALL}
        parameters = {**parameters, **bounds}
    statement = LIST if page.after is None else LIST_AFTER
    found = await conn.execute(statement, parameters, prepare=PREPARE)
    rows = [_movement(**row) for row in await found.fetchall()]
    total = await (await conn.execute(COUNT, parameters, prepare=PREPARE)).fetchone()
    last = rows[page.limit - 1] if len(rows) > page.limit else None
    place = None if last is None else ListPlace(last.created_at, last.row_id)
    return HistoryPage(rows[: page.limit], total["total"] if total else 0, place)


def _movement(*, is_line: bool, number: int, **row: Any) -> Movement:
    return Movement(row_id=str(number) if is_line else f"{TOPUP}{number}", **row)
