"""Rows of `sign_in_codes`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import PhoneNumber
from evpower.sign_in.codes import CodeLimit, CountedCodes

#: One send after another, in every process: the limits count what others have committed.
ONE_SEND_AT_A_TIME = "SELECT pg_advisory_xact_lock(7310024)"

NTH_NEWEST_OF_PHONE = """
SELECT created_at FROM evpower.sign_in_codes WHERE phone = %(phone)s AND not_sent_at IS NULL
ORDER BY created_at DESC OFFSET %(most)s - 1 LIMIT 1
"""
NTH_NEWEST_OF_ADDRESS = """
SELECT created_at FROM evpower.sign_in_codes WHERE address = %(address)s
ORDER BY created_at DESC OFFSET %(most)s - 1 LIMIT 1
"""
NTH_NEWEST = "SELECT created_at FROM evpower.sign_in_codes ORDER BY created_at DESC OFFSET %(most)s - 1 LIMIT 1"
#: A code that was certainly not sent counts against who asked and against the budget, not against the phone.
NTH_NEWEST_OF: dict[CountedCodes, str] = {
    "phone": NTH_NEWEST_OF_PHONE,
    "address": NTH_NEWEST_OF_ADDRESS,
    "all": NTH_NEWEST,
}

INSERT_CODE = """
INSERT INTO evpower.sign_in_codes (phone, address, nonce, digest, created_at, expires_at)
VALUES (%(phone)s, %(address)s, %(nonce)s, %(digest)s, %(created_at)s, %(expires_at)s) RETURNING id
"""

MARK_NOT_SENT = "UPDATE evpower.sign_in_codes SET not_sent_at = %(at)s WHERE id = %(id)s"

#: The newest one alone opens; locked, so that of two who bring it at once one finds it used.
LOCK_CODE = """
SELECT id, nonce, digest, expires_at, wrong_attempts, used_at FROM evpower.sign_in_codes
WHERE id = (SELECT max(id) FROM evpower.sign_in_codes WHERE phone = %(phone)s AND not_sent_at IS NULL)
FOR UPDATE
"""

COUNT_WRONG_ATTEMPT = "UPDATE evpower.sign_in_codes SET wrong_attempts = wrong_attempts + 1 WHERE id = %(id)s"
USE_CODE = "UPDATE evpower.sign_in_codes SET used_at = %(at)s WHERE id = %(id)s"
DELETE_CODES = "DELETE FROM evpower.sign_in_codes WHERE created_at < %(before)s"


@dataclass(frozen=True)
class StoredCode:
    """A locked code; its digits are not known to us any more."""

    id: int
    nonce: bytes
    digest: bytes
    expires_at: datetime
    wrong_attempts: int
    used_at: datetime | None


async def send_alone(conn: Conn) -> None:
    """Hold every other send up until this unit of work ends."""
    await conn.execute(ONE_SEND_AT_A_TIME)


async def nth_newest_at(conn: Conn, limit: CodeLimit, phone: PhoneNumber, address: str) -> datetime | None:
    """When the `limit.most`-th newest of the codes that the limit counts was made; None: there are fewer."""
    parameters = {"most": limit.most, "phone": phone, "address": address}
    row = await (await conn.execute(NTH_NEWEST_OF[limit.counted], parameters)).fetchone()
    return None if row is None else row["created_at"]


@dataclass(frozen=True)
class NewCode:
    """A code to be sent."""

    phone: PhoneNumber
    address: str
    nonce: bytes
    digest: bytes
    created_at: datetime
    expires_at: datetime


async def insert_code(conn: Conn, code: NewCode) -> int:
    """The new code's key."""
    row = await (await conn.execute(INSERT_CODE, asdict(code))).fetchone()
    assert row is not None
    return int(row["id"])


async def mark_not_sent(conn: Conn, code_id: int, at: datetime) -> None:
    """Its SMS did not leave."""
    await conn.execute(MARK_NOT_SENT, {"id": code_id, "at": at})


async def lock_code(conn: Conn, phone: PhoneNumber) -> StoredCode | None:
    """The phone's newest code."""
    row = await (await conn.execute(LOCK_CODE, {"phone": phone})).fetchone()
    return None if row is None else StoredCode(**row)


async def count_wrong_attempt(conn: Conn, code_id: int) -> None:
    await conn.execute(COUNT_WRONG_ATTEMPT, {"id": code_id})


async def use_code(conn: Conn, code_id: int, at: datetime) -> None:
    await conn.execute(USE_CODE, {"id": code_id, "at": at})


async def delete_codes(conn: Conn, before: datetime) -> None:
    """Forget what no limit counts any more."""
    await conn.execute(DELETE_CODES, {"before": before})
