"""A database as a person with psql has it: each statement commits by itself, writes too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool


@asynccontextmanager
async def by_hand(pool: Pool) -> AsyncIterator[TrioConnection]:
    """A connection that is not read-only, for what a test lays out and looks at."""
    async with pool.connection() as conn:
        await conn.execute("SET default_transaction_read_only = off")
        try:
            yield conn
        finally:
            # Shielded: the next borrower's connection must refuse writes again. Bounded: a connection that is still
            # busy is not lent again anyway.
            if not conn.closed:
                with trio.move_on_after(5, shield=True):
                    await conn.execute("RESET default_transaction_read_only")
