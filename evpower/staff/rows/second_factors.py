"""Rows of second factors, and of the tokens one was shown for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.staff.records import StaffId

ENROL = """
INSERT INTO evpower.staff_totp AS t (user_id, secret, enrolled_at)
VALUES (%(id)s, %(secret)s, %(at)s)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, enrolled_at = excluded.enrolled_at,
    confirmed_at = NULL, last_step = 0, failures = 0, locked_until = NULL
"""
LOCK = """
SELECT secret, confirmed_at IS NOT NULL AS is_confirmed, last_step, failures, locked_until
FROM evpower.staff_totp WHERE user_id = %(id)s FOR UPDATE
"""
PASSED = """
UPDATE evpower.staff_totp SET last_step = %(step)s, failures = 0, locked_until = NULL,
                              confirmed_at = coalesce(confirmed_at, %(at)s)
WHERE user_id = %(id)s
"""
FAILED = """
UPDATE evpower.staff_totp SET failures = %(failures)s, locked_until = %(locked_until)s WHERE user_id = %(id)s
"""

FORGET_ELEVATIONS = "DELETE FROM evpower.staff_elevations WHERE user_id = %(id)s OR expires_at <= %(at)s"
FORGET_OLD = "DELETE FROM evpower.staff_elevations WHERE expires_at <= %(at)s"
ELEVATE = """
INSERT INTO evpower.staff_elevations (token_hash, user_id, expires_at)
VALUES (%(token_hash)s, %(id)s, %(until)s)
ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at
"""
IS_ELEVATED = """
SELECT EXISTS (SELECT FROM evpower.staff_elevations
               WHERE token_hash = %(token_hash)s AND user_id = %(id)s AND expires_at > %(at)s) AS yes
"""


@dataclass(frozen=True)
class StoredFactor:
    """A second factor; `last_step` is of the last code that was good."""

    secret: bytes
    is_confirmed: bool
    last_step: int
    failures: int
    locked_until: datetime | None


async def enrol(conn: Conn, staff_id: StaffId, secret: bytes, at: datetime) -> None:
    """A new secret, not yet confirmed, in place of any; what the old one opened is shut."""
    await conn.execute(ENROL, {"id": staff_id, "secret": secret, "at": at})
    await conn.execute(FORGET_ELEVATIONS, {"id": staff_id, "at": at})


async def lock(conn: Conn, staff_id: StaffId) -> StoredFactor | None:
    """A person's factor, its row taken for this unit of work: no code is checked twice at once."""
    row = await (await conn.execute(LOCK, {"id": staff_id})).fetchone()
    return None if row is None else StoredFactor(**row)


async def passed(conn: Conn, staff_id: StaffId, step: int, at: datetime) -> None:
    """A code of this step was good."""
    await conn.execute(PASSED, {"id": staff_id, "step": step, "at": at})


async def failed(conn: Conn, staff_id: StaffId, failures: int, locked_until: datetime | None) -> None:
    """A code was wrong, so many in a row."""
    await conn.execute(FAILED, {"id": staff_id, "failures": failures, "locked_until": locked_until})


async def elevate(conn: Conn, staff_id: StaffId, token_hash: bytes, until: datetime, at: datetime) -> None:
    """The token may write until then."""
    await conn.execute(FORGET_OLD, {"at": at})
    await conn.execute(ELEVATE, {"id": staff_id, "token_hash": token_hash, "until": until})


async def is_elevated(conn: Conn, staff_id: StaffId, token_hash: bytes, at: datetime) -> bool:
    """Whether the token may write now."""
    row = await (await conn.execute(IS_ELEVATED, {"id": staff_id, "token_hash": token_hash, "at": at})).fetchone()
    return row is not None and bool(row["yes"])
