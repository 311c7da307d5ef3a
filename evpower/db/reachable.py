"""Is the configured database there at all? The pool itself would wait for it for ever, which is right only later on."""

from __future__ import annotations

import psycopg
import trio

from evpower.db.connection import TrioConnection
from evpower.errors import DatabaseUnreachable

#: A database that takes longer to be dialled is not there.
DIAL_S = 15.0


async def dial(url: str) -> None:
    """Connect once and hang up. Raises DatabaseUnreachable, whose one line says why."""
    try:
        with trio.fail_after(DIAL_S):
            connection = await TrioConnection.open(url)
    except psycopg.Error as error:
        raise DatabaseUnreachable(f"the database does not answer: {' '.join(str(error).split())}") from None
    except trio.TooSlowError:
        raise DatabaseUnreachable(f"the database does not answer within {DIAL_S:g} s") from None
    await connection.close()
