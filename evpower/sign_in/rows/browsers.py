"""Rows of `browser_cookies` and `sign_in_links`."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn

INSERT_COOKIE = """
INSERT INTO evpower.browser_cookies (digest, sign_in_id, expires_at)
VALUES (%(digest)s, %(sign_in_id)s, %(expires_at)s)
"""
FIND_COOKIE = """
SELECT s.id, s.person_id FROM evpower.browser_cookies c JOIN evpower.sign_ins s ON s.id = c.sign_in_id
WHERE c.digest = %(digest)s AND c.expires_at > %(now)s AND s.ended_at IS NULL AND s.kind = 'staff'
"""
INSERT_LINK = """
INSERT INTO evpower.sign_in_links (digest, user_id, made_by, made_at, expires_at)
SELECT %(digest)s, u.id, %(actor)s, %(at)s, %(expires_at)s FROM public.users u WHERE u.id = %(user_id)s AND u.is_active
RETURNING user_id
"""
USE_LINK = """
UPDATE evpower.sign_in_links SET used_at = %(at)s
WHERE digest = %(digest)s AND used_at IS NULL AND expires_at > %(at)s RETURNING user_id
"""
DELETE_LINKS = "DELETE FROM evpower.sign_in_links WHERE expires_at <= %(before)s"


async def insert_cookie(conn: Conn, digest: bytes, sign_in_id: str, expires_at: datetime) -> None:
    await conn.execute(INSERT_COOKIE, {"digest": digest, "sign_in_id": sign_in_id, "expires_at": expires_at})


async def find_cookie(conn: Conn, digest: bytes, now: datetime) -> tuple[str, str] | None:
    """The sign-in and the person of a cookie that is still good."""
    row = await (await conn.execute(FIND_COOKIE, {"digest": digest, "now": now})).fetchone()
    return None if row is None else (row["id"], row["person_id"])


async def insert_link(
    conn: Conn, digest: bytes, user_id: str, *, actor: str, at: datetime, expires_at: datetime
) -> bool:
    """Whether there is such a person, who is not switched off."""
    parameters = {"digest": digest, "user_id": user_id, "actor": actor, "at": at, "expires_at": expires_at}
    return await (await conn.execute(INSERT_LINK, parameters)).fetchone() is not None


async def use_link(conn: Conn, digest: bytes, at: datetime) -> str | None:
    """Whose link it was; None for one that was used, has run out, or is none."""
    row = await (await conn.execute(USE_LINK, {"digest": digest, "at": at})).fetchone()
    return None if row is None else str(row["user_id"])


async def delete_links(conn: Conn, before: datetime) -> None:
    """Forget links that have run out."""
    await conn.execute(DELETE_LINKS, {"before": before})
