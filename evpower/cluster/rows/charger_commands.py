"""Rows of commands for stations whose socket is in another process (design §7).

The process that asks inserts a row; the process that has the station takes it once and writes how it ended. Each step
wakes the other side by NOTIFY; both also look at the rows every second, so that a lost NOTIFY costs a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import AsyncConnection

from evpower.identifiers import ProcessId, StationId

#: What this version asks; a row may hold another version's.
Kind = Literal["remote_start", "remote_stop", "ask", "raw"]

ASK = """
WITH asked AS (
    INSERT INTO evpower.charger_commands (id, station_id, asked_by, process_id, kind, payload, created_at, deadline)
    VALUES (%(id)s, %(station_id)s, %(asked_by)s, %(process_id)s, %(kind)s, %(payload)s, %(now)s, %(deadline)s)
    RETURNING process_id)
SELECT pg_notify('evpower', %(asked_by)s || ' asked ' || process_id) FROM asked
"""

# What is asked may be a password on its way to a station, so its row forgets it.
TAKE = """
UPDATE evpower.charger_commands c SET taken_at = %(now)s, payload = ''
FROM (SELECT id, payload FROM evpower.charger_commands
      WHERE process_id = %(process_id)s AND taken_at IS NULL AND deadline > %(now)s
      ORDER BY created_at, id FOR UPDATE SKIP LOCKED) waiting
WHERE c.id = waiting.id
RETURNING c.id, c.station_id, c.kind, waiting.payload, c.deadline
"""

ANSWER = """
WITH answered AS (
    UPDATE evpower.charger_commands SET result = %(result)s
    WHERE id = %(id)s AND taken_at IS NOT NULL AND result IS NULL
    RETURNING id, asked_by, process_id)
SELECT pg_notify('evpower', process_id || ' answered ' || asked_by || ' ' || id) FROM answered
"""

READ_RESULT = "SELECT taken_at IS NOT NULL AS taken, result FROM evpower.charger_commands WHERE id = %(id)s"

# As long as it was not taken it can be taken back, and was never executed.
WITHDRAW = "DELETE FROM evpower.charger_commands WHERE id = %(id)s AND taken_at IS NULL RETURNING id"

FORGET = "DELETE FROM evpower.charger_commands WHERE deadline < %(before)s"


@dataclass(frozen=True)
class Asked:
    """A command as its executor takes it; `payload` is JSON, `kind` one of `Kind` or a later version's."""

    id: str
    station_id: StationId
    kind: str
    payload: str
    deadline: datetime


async def ask(
    conn: AsyncConnection[Any], command: Asked, *, asked_by: ProcessId, process_id: ProcessId, now: datetime
) -> None:
    """Write a command for `process_id`, and wake it."""
    await conn.execute(ASK, {**vars(command), "asked_by": asked_by, "process_id": process_id, "now": now})


async def take(conn: AsyncConnection[Any], process_id: ProcessId, now: datetime) -> list[Asked]:
    """The commands that wait for this process, each of them once; those past their deadline never."""
    rows = await (await conn.execute(TAKE, {"process_id": process_id, "now": now})).fetchall()
    return sorted((Asked(**row) for row in rows), key=lambda asked: (asked.deadline, asked.id))


async def answer(conn: AsyncConnection[Any], command_id: str, result: str) -> None:
    """Write how a command that was taken ended, and wake the process that asked."""
    await conn.execute(ANSWER, {"id": command_id, "result": result})


async def read_result(conn: AsyncConnection[Any], command_id: str) -> tuple[bool, str | None]:
    """Whether a command was taken, and how it ended."""
    row = await (await conn.execute(READ_RESULT, {"id": command_id})).fetchone()
    return (False, None) if row is None else (row["taken"], row["result"])


async def withdraw(conn: AsyncConnection[Any], command_id: str) -> bool:
    """Take a command back; False when its executor was faster."""
    return await (await conn.execute(WITHDRAW, {"id": command_id})).fetchone() is not None


async def forget_commands(conn: AsyncConnection[Any], before: datetime) -> None:
    """Delete commands whose deadline was before this."""
    await conn.execute(FORGET, {"before": before})
