"""The one row of `evpower.cursor_keys`."""

from __future__ import annotations

from evpower.db.connection import Conn

# The same for every process: of two that are first, one finds the other's.
MAKE = "INSERT INTO evpower.cursor_keys (key) VALUES (%(key)s) ON CONFLICT (one) DO NOTHING"
READ = "SELECT key FROM evpower.cursor_keys"


async def make_cursor_key(conn: Conn, key: bytes) -> bytes:
    """Under which cursors are signed: `key` when there is none yet."""
    row = await (await conn.execute(READ)).fetchone()
    if row is None:
        await conn.execute(MAKE, {"key": key})
        (row,) = await (await conn.execute(READ)).fetchall()
    return bytes(row["key"])
