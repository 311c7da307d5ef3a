"""Rows of `push_outbox` and `push_targets` as the deliverer works on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from evpower.db.connection import Conn
from evpower.push.delivery import Target
from evpower.push.events import KINDS, EventName, Facts
from evpower.push.recipient import TARGETS_MOST, OwnerType

# Claimed by moving it ahead: if the process dies, it becomes due again.
CLAIM = """
UPDATE evpower.push_outbox o SET due_at = %(until)s, attempts = attempts + 1
WHERE id IN (SELECT id FROM evpower.push_outbox WHERE state = 'queued' AND due_at <= %(at)s
             ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING id, owner_type, owner_id, event, payload, expires_at, attempts, reached
"""
# What was claimed before and is still under way counts as sent.
COUNT_BEFORE = """
SELECT count(*) AS number FROM evpower.push_outbox o
WHERE o.owner_id = %(owner_id)s AND o.owner_type = %(owner_type)s AND o.event <> ALL(%(exempt)s)
  AND ((o.state = 'sent' AND o.ended_at > %(since)s) OR (o.state = 'queued' AND o.attempts > 0 AND o.id < %(id)s))
"""
READ_TARGETS = """
SELECT id, kind, address, locale, p256dh, auth FROM evpower.push_targets
WHERE owner_id = %(owner_id)s AND owner_type = %(owner_type)s AND ended_at IS NULL AND id <> ALL(%(reached)s)
      AND kind = ANY(%(kinds)s)
ORDER BY id LIMIT %(most)s
"""
# Only as the device was when it was tried: it may be another person's by now, or have been registered anew.
REACHED = """
UPDATE evpower.push_targets SET last_ok_at = %(at)s, failures = 0
WHERE id = ANY(%(ids)s) AND owner_id = %(owner_id)s AND owner_type = %(owner_type)s
"""
FAILED = """
UPDATE evpower.push_targets SET failures = failures + 1
WHERE id = ANY(%(ids)s) AND owner_id = %(owner_id)s AND owner_type = %(owner_type)s
"""
END = """
UPDATE evpower.push_targets SET ended_at = %(at)s, end_reason = %(reason)s
WHERE id = %(id)s AND registered_at <= %(since)s AND ended_at IS NULL
"""
CONCLUDE = """
UPDATE evpower.push_outbox SET state = %(state)s, end_reason = %(reason)s, ended_at = %(at)s, reached = %(reached)s
WHERE id = %(id)s AND state = 'queued'
"""
REPEAT = "UPDATE evpower.push_outbox SET due_at = %(due_at)s, reached = %(reached)s WHERE id = %(id)s"
FORGET_OUTBOX = "DELETE FROM evpower.push_outbox WHERE ended_at < %(before)s"
FORGET_TARGETS = "DELETE FROM evpower.push_targets WHERE ended_at < %(before)s"

EndState = Literal["sent", "expired", "dead"]
EXEMPT = [name for name, kind in KINDS.items() if kind.is_exempt]


@dataclass(frozen=True)
class ClaimedPush:
    """One message to one person, ours to deliver until its lease ends; `reached` are the devices that have it."""

    id: int
    owner_type: OwnerType
    owner_id: str
    event: EventName
    payload: Facts
    expires_at: datetime
    attempts: int
    reached: Sequence[int] = field(default_factory=list)


async def claim(conn: Conn, at: datetime, until: datetime, most: int) -> list[ClaimedPush]:
    """Messages that are due, in their order."""
    rows = await (await conn.execute(CLAIM, {"at": at, "until": until, "most": most})).fetchall()
    return sorted((ClaimedPush(**row) for row in rows), key=lambda row: row.id)


async def count_before(conn: Conn, row: ClaimedPush, since: datetime) -> int:
    """How many messages the person has got since then that have a limit, those under way included."""
    parameters = {**_owner(row), "exempt": EXEMPT, "since": since, "id": row.id}
    found = await (await conn.execute(COUNT_BEFORE, parameters)).fetchone()
    assert found is not None
    return int(found["number"])


async def read_targets(conn: Conn, row: ClaimedPush, kinds: Collection[str]) -> list[Target]:
    """The person's devices of these kinds that do not have the message yet."""
    parameters = {**_owner(row), "reached": list(row.reached), "kinds": list(kinds), "most": TARGETS_MOST}
    rows = await (await conn.execute(READ_TARGETS, parameters)).fetchall()
    return [
        Target(
            each["id"],
            each["kind"],
            each["address"],
            each["locale"],
            None if each["p256dh"] is None else bytes(each["p256dh"]),
            None if each["auth"] is None else bytes(each["auth"]),
        )
        for each in rows
    ]


def _owner(row: ClaimedPush) -> dict[str, object]:
    return {"owner_id": row.owner_id, "owner_type": row.owner_type}


async def note_reached(conn: Conn, row: ClaimedPush, ids: Collection[int], at: datetime) -> None:
    if ids:
        await conn.execute(REACHED, {**_owner(row), "ids": list(ids), "at": at})


async def note_failed(conn: Conn, row: ClaimedPush, ids: Collection[int]) -> None:
    if ids:
        await conn.execute(FAILED, {**_owner(row), "ids": list(ids)})


async def end_target(conn: Conn, target_id: int, reason: str, at: datetime, since: datetime) -> None:
    """It takes no messages any more, unless it was registered anew since then."""
    await conn.execute(END, {"id": target_id, "reason": reason, "at": at, "since": since})


async def conclude(
    conn: Conn, row: ClaimedPush, state: EndState, reason: str | None, reached: Collection[int], at: datetime
) -> None:
    """Nothing more is done about this message."""
    parameters = {"id": row.id, "state": state, "reason": reason, "reached": list(reached), "at": at}
    await conn.execute(CONCLUDE, parameters)


async def put_off(conn: Conn, row: ClaimedPush, due_at: datetime, reached: Collection[int]) -> None:
    """Try again then, for the devices that do not have it."""
    await conn.execute(REPEAT, {"id": row.id, "due_at": due_at, "reached": list(reached)})


async def forget(conn: Conn, now: datetime, keep: timedelta) -> None:
    """Drop what ended so long ago, messages and devices."""
    for statement in (FORGET_OUTBOX, FORGET_TARGETS):
        await conn.execute(statement, {"before": now - keep})
