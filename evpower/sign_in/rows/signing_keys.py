"""Rows of `signing_keys`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime

from evpower.db.connection import Conn

#: One process after another makes a key: the second finds the first one's.
ONE_MAKER_AT_A_TIME = "SELECT pg_advisory_xact_lock(7310025)"
TELL = "SELECT evpower.tell('sign-in -')"

READ_KEYS = """
SELECT kid, public_jwk, private_sealed, sealed_under, signs_from, signs_until, believed_until
FROM evpower.signing_keys WHERE believed_until > %(now)s ORDER BY signs_from, kid
"""

INSERT_KEY = """
INSERT INTO evpower.signing_keys
    (kid, public_jwk, private_sealed, sealed_under, signs_from, signs_until, believed_until)
VALUES (%(kid)s, %(public_jwk)s, %(private_sealed)s, %(sealed_under)s, %(signs_from)s, %(signs_until)s,
        %(believed_until)s)
"""

#: Of whatever secret: a rotation is for the whole installation.
RETIRE_KEYS = """
UPDATE evpower.signing_keys
SET signs_until = least(signs_until, %(signs_until)s), believed_until = least(believed_until, %(believed_until)s)
WHERE kid <> %(kid)s
"""

DELETE_KEYS = "DELETE FROM evpower.signing_keys WHERE believed_until < %(now)s"


@dataclass(frozen=True)
class StoredKey:
    """A key pair, and when it is good for what."""

    kid: str
    public_jwk: str
    private_sealed: bytes = field(repr=False)
    #: Which secret opens the private half.
    sealed_under: str
    signs_from: datetime
    signs_until: datetime
    believed_until: datetime


async def make_alone(conn: Conn) -> None:
    """Hold every other maker of keys up until this unit of work ends."""
    await conn.execute(ONE_MAKER_AT_A_TIME)


async def read_keys(conn: Conn, now: datetime) -> list[StoredKey]:
    """Every key whose tokens are still believed, the one that signs first in front."""
    return [StoredKey(**row) for row in await (await conn.execute(READ_KEYS, {"now": now})).fetchall()]


async def insert_key(conn: Conn, key: StoredKey) -> None:
    """One more; every process reads it after the commit."""
    await conn.execute(INSERT_KEY, asdict(key))
    await conn.execute(TELL)


async def retire_others(conn: Conn, kid: str, signs_until: datetime, believed_until: datetime) -> None:
    """Let no other key sign, or be believed, for longer."""
    await conn.execute(RETIRE_KEYS, {"kid": kid, "signs_until": signs_until, "believed_until": believed_until})


async def delete_keys(conn: Conn, now: datetime) -> None:
    """Forget what nothing is checked with any more."""
    await conn.execute(DELETE_KEYS, {"now": now})
