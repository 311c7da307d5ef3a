"""Rows of `sign_ins` and `refresh_tokens`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.db.connection import Conn
from evpower.identity.identity import Kind

SignOutCause = Literal["logout", "logout_all", "reuse", "revoked"]

INSERT_SIGN_IN = """
INSERT INTO evpower.sign_ins (id, person_id, kind, signed_in_at) VALUES (%(id)s, %(person_id)s, %(kind)s, %(at)s)
"""
#: A successor is computed anew for who lost it: then it is there already.
INSERT_TOKEN = """
INSERT INTO evpower.refresh_tokens (digest, sign_in_id, expires_at)
VALUES (%(digest)s, %(sign_in_id)s, %(expires_at)s) ON CONFLICT (digest) DO NOTHING
"""
FIND_TOKEN = """
SELECT t.digest, t.sign_in_id, t.expires_at, t.replaced_at, s.person_id, s.kind, s.end_cause
FROM evpower.refresh_tokens t JOIN evpower.sign_ins s ON s.id = t.sign_in_id WHERE t.digest = %(digest)s
"""
#: The sign-in is locked, not the token: of two uses at once the second sees what the first has made.
LOCK_SIGN_IN = "SELECT FROM evpower.sign_ins WHERE id = %(sign_in_id)s FOR UPDATE"
SLIDE_TOKEN = "UPDATE evpower.refresh_tokens SET expires_at = %(expires_at)s WHERE digest = %(digest)s"
REPLACE_TOKEN = """
UPDATE evpower.refresh_tokens SET replaced_at = %(at)s WHERE digest = %(digest)s AND replaced_at IS NULL
"""
END_SIGN_IN = """
UPDATE evpower.sign_ins SET ended_at = %(at)s, end_cause = %(cause)s WHERE id = %(id)s AND ended_at IS NULL
RETURNING id
"""
END_SIGN_INS = """
UPDATE evpower.sign_ins SET ended_at = %(at)s, end_cause = %(cause)s WHERE person_id = %(person_id)s
AND ended_at IS NULL RETURNING id
"""
#: Sign-ins that nobody can use again; those that ended are kept as long, to say to a late phone how.
DELETE_SIGN_INS = """
DELETE FROM evpower.sign_ins s
WHERE NOT EXISTS (SELECT FROM evpower.refresh_tokens t WHERE t.sign_in_id = s.id AND t.expires_at > %(before)s)
  AND NOT EXISTS (SELECT FROM evpower.browser_cookies b WHERE b.sign_in_id = s.id AND b.expires_at > %(before)s)
"""


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token that we issued, and the sign-in it belongs to."""

    digest: bytes
    sign_in_id: str
    expires_at: datetime
    replaced_at: datetime | None
    person_id: str
    kind: Kind
    #: None while it goes on.
    end_cause: SignOutCause | None


async def insert_sign_in(conn: Conn, sign_in_id: str, person_id: str, kind: Kind, at: datetime) -> None:
    await conn.execute(INSERT_SIGN_IN, {"id": sign_in_id, "person_id": person_id, "kind": kind, "at": at})


async def insert_token(conn: Conn, digest: bytes, sign_in_id: str, expires_at: datetime) -> None:
    await conn.execute(INSERT_TOKEN, {"digest": digest, "sign_in_id": sign_in_id, "expires_at": expires_at})


async def find_token(conn: Conn, digest: bytes) -> RefreshToken | None:
    row = await (await conn.execute(FIND_TOKEN, {"digest": digest})).fetchone()
    return None if row is None else RefreshToken(**row)


async def lock_sign_in(conn: Conn, sign_in_id: str) -> None:
    """Let no other use of this sign-in's tokens come between."""
    await conn.execute(LOCK_SIGN_IN, {"sign_in_id": sign_in_id})


async def slide_token(conn: Conn, digest: bytes, expires_at: datetime) -> None:
    await conn.execute(SLIDE_TOKEN, {"digest": digest, "expires_at": expires_at})


async def replace_token(conn: Conn, digest: bytes, at: datetime) -> None:
    """It has a successor now; when it got the first one stays."""
    await conn.execute(REPLACE_TOKEN, {"digest": digest, "at": at})


async def end_sign_in(conn: Conn, sign_in_id: str, cause: SignOutCause, at: datetime) -> bool:
    """Whether it had not ended before."""
    parameters = {"id": sign_in_id, "cause": cause, "at": at}
    return await (await conn.execute(END_SIGN_IN, parameters)).fetchone() is not None


async def end_sign_ins(conn: Conn, person_id: str, cause: SignOutCause, at: datetime) -> list[str]:
    """The sign-ins of the person that had not ended."""
    parameters = {"person_id": person_id, "cause": cause, "at": at}
    return [row["id"] for row in await (await conn.execute(END_SIGN_INS, parameters)).fetchall()]


async def delete_sign_ins(conn: Conn, before: datetime) -> None:
    """Forget those whose refresh tokens and cookies have all run out before then."""
    await conn.execute(DELETE_SIGN_INS, {"before": before})
