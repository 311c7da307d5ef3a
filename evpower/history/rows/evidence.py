"""What the ledger moved for a charge."""

from __future__ import annotations

from evpower.db.connection import Conn
from evpower.history.evidence import ChargePosting
from evpower.identifiers import SessionId

POSTINGS = """
SELECT e.kind, e.key, p.account, p.amount_tyiyn, e.created_at
FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
WHERE e.session_id = %(id)s ORDER BY p.id
"""


async def read_postings(conn: Conn, session_id: SessionId) -> list[ChargePosting]:
    """Every posting of a charge, in order."""
    return [ChargePosting(**row) for row in await (await conn.execute(POSTINGS, {"id": session_id})).fetchall()]
