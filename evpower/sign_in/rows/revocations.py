"""What ended access tokens before their time: sign-ins that ended, and people who were blocked, deleted or disabled."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn

ENDED_SIGN_INS = "SELECT id FROM evpower.sign_ins WHERE ended_at > %(since)s"
# A token of another issuer may name an id that was merged: it ends with the survivor. The latest stays.
REVOKED_PEOPLE = """
SELECT person_id, revoked_at FROM evpower.revoked_people WHERE revoked_at > %(since)s
UNION ALL
SELECT c.id, r.revoked_at FROM evpower.revoked_people r JOIN public.clients c ON c.merged_into = r.person_id
WHERE r.revoked_at > %(since)s
ORDER BY revoked_at
"""
DELETE_REVOKED = "DELETE FROM evpower.revoked_people WHERE revoked_at < %(before)s"


async def ended_sign_ins(conn: Conn, since: datetime) -> set[str]:
    return {row["id"] for row in await (await conn.execute(ENDED_SIGN_INS, {"since": since})).fetchall()}


async def revoked_people(conn: Conn, since: datetime) -> dict[str, datetime]:
    """Since when whose earlier tokens are not believed."""
    rows = await (await conn.execute(REVOKED_PEOPLE, {"since": since})).fetchall()
    return {row["person_id"]: row["revoked_at"] for row in rows}


async def delete_revoked(conn: Conn, before: datetime) -> None:
    await conn.execute(DELETE_REVOKED, {"before": before})
