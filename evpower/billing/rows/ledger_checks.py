"""Rows of `ledger_checks`."""

from __future__ import annotations

from datetime import date, datetime

from psycopg.types.json import Jsonb

from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord
from evpower.db.connection import Conn

ADD_NIGHT = """
INSERT INTO evpower.ledger_checks (night)
SELECT %(night)s::date WHERE NOT EXISTS (SELECT FROM evpower.ledger_checks WHERE night = %(night)s)
ON CONFLICT (night) DO NOTHING
"""
# Of two processes that look at once, one gets the row; the other passes by.
CLAIM = """
UPDATE evpower.ledger_checks c SET began_at = %(now)s, lease_until = %(lease_until)s
FROM (SELECT id FROM evpower.ledger_checks
      WHERE night = %(night)s AND ended_at IS NULL AND (lease_until IS NULL OR lease_until <= %(now)s)
      FOR UPDATE SKIP LOCKED) due
WHERE c.id = due.id RETURNING c.id
"""
END = """
UPDATE evpower.ledger_checks SET ended_at = %(at)s, entries = %(entries)s, problems = %(problems)s
WHERE id = %(id)s AND ended_at IS NULL
"""
ADD_ASKED = """
INSERT INTO evpower.ledger_checks (began_at, ended_at, entries, problems)
VALUES (%(began_at)s, %(at)s, %(entries)s, %(problems)s)
"""
LAST = """
SELECT night, ended_at, entries, problems FROM evpower.ledger_checks
WHERE ended_at IS NOT NULL AND (night IS NOT NULL OR NOT %(nightly_alone)s) ORDER BY ended_at DESC, id DESC LIMIT 1
"""


async def claim_night(conn: Conn, night: date, now: datetime, lease_until: datetime) -> int | None:
    """The id of a night's row that is this process's to do now; None when it is done, or another's."""
    await conn.execute(ADD_NIGHT, {"night": night})
    parameters = {"night": night, "now": now, "lease_until": lease_until}
    row = await (await conn.execute(CLAIM, parameters)).fetchone()
    return None if row is None else int(row["id"])


async def end_check(conn: Conn, check_id: int, check: LedgerCheck, at: datetime) -> None:
    """Write what a night's check found, once."""
    await conn.execute(END, {"id": check_id, **_found(check), "at": at})


async def add_asked(conn: Conn, check: LedgerCheck, began_at: datetime, at: datetime) -> None:
    """Write what a check found that a person asked for."""
    await conn.execute(ADD_ASKED, {**_found(check), "began_at": began_at, "at": at})


async def read_last_check(conn: Conn, *, nightly_alone: bool = False) -> LedgerCheckRecord | None:
    """The check that was finished last; None when there was none."""
    row = await (await conn.execute(LAST, {"nightly_alone": nightly_alone})).fetchone()
    return None if row is None else LedgerCheckRecord(**row)


def _found(check: LedgerCheck) -> dict[str, object]:
    return {
        "entries": check.entries,
        "problems": Jsonb({what: len(rows) for what, rows in check.problems.items()}),
    }
