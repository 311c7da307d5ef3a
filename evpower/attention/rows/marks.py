"""Rows of `attention_marks`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn

READ = """
SELECT key, m.mine_of, m.mine_at, m.snoozed_by, m.snoozed_until, n.note, n.noted_by
FROM evpower.attention_marks m FULL JOIN evpower.attention_notes n USING (key)
"""
NOTE = """
INSERT INTO evpower.attention_notes (key, note, noted_by, noted_at) VALUES (%(key)s, %(note)s, %(actor)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET note = excluded.note, noted_by = excluded.noted_by, noted_at = excluded.noted_at
"""
DELETE_NOTES = "DELETE FROM evpower.attention_notes WHERE noted_at < %(before)s"
MINE = """
INSERT INTO evpower.attention_marks (key, mine_of, mine_at) VALUES (%(key)s, %(actor)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET mine_of = excluded.mine_of, mine_at = excluded.mine_at
"""
SNOOZE = """
INSERT INTO evpower.attention_marks (key, snoozed_by, snoozed_until) VALUES (%(key)s, %(actor)s, %(until)s)
ON CONFLICT (key) DO UPDATE SET snoozed_by = excluded.snoozed_by, snoozed_until = excluded.snoozed_until
"""
DELETE = """
DELETE FROM evpower.attention_marks
WHERE coalesce(mine_at, '-infinity') < %(before)s AND coalesce(snoozed_until, '-infinity') < %(before)s
"""


def put_off_key(key: str, *, is_urgent: bool) -> str:
    """Where it stands that a row was put off: one that was calm then is shown when it becomes urgent."""
    return f"{key}!" if is_urgent else key


@dataclass(frozen=True)
class Mark:
    """What was made of one row."""

    key: str
    mine_of: str | None = None
    mine_at: datetime | None = None
    snoozed_by: str | None = None
    snoozed_until: datetime | None = None
    note: str | None = None
    noted_by: str | None = None


async def read_marks(conn: Conn) -> dict[str, Mark]:
    """Every mark by its key; there are no more than conditions that lately were."""
    return {row["key"]: Mark(**row) for row in await (await conn.execute(READ)).fetchall()}


async def take(conn: Conn, key: str, actor: str, at: datetime) -> None:
    """The row is this person's."""
    await conn.execute(MINE, {"key": key, "actor": actor, "at": at})


async def snooze(conn: Conn, key: str, actor: str, until: datetime) -> None:
    """The row is not shown among what is to do until then."""
    await conn.execute(SNOOZE, {"key": key, "actor": actor, "until": until})


async def write_note(conn: Conn, key: str, note: str, actor: str, at: datetime) -> None:
    """What is written down about the row; the last one stays."""
    await conn.execute(NOTE, {"key": key, "note": note, "actor": actor, "at": at})


async def delete_notes(conn: Conn, before: datetime) -> None:
    """Forget notes that are older."""
    await conn.execute(DELETE_NOTES, {"before": before})


async def delete_marks(conn: Conn, before: datetime) -> None:
    """Forget marks that are older."""
    await conn.execute(DELETE, {"before": before})
