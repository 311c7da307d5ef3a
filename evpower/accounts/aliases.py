"""Whose a client id is: the one place to ask (contract/roadmap/identity §2).

Merges are few, so every process has all aliases in memory. One that was made a moment ago elsewhere is learned by
NOTIFY; until then whoever locks the old row gets the survivor's, and no money comes to the old one (migration 0033).
"""

from __future__ import annotations

import logging

import trio

from evpower.accounts.rows.merges import read_aliases
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import ClientId
from evpower.worker import Wake, repeat

log = logging.getLogger("evpower.accounts")

READ_EVERY_S = 300.0


class Aliases:
    """Ids that were merged into others."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._of: dict[ClientId, ClientId] = {}
        self._wake = Wake()

    def resolve(self, client_id: ClientId) -> ClientId:
        """The client that acts under this id."""
        return self._of.get(client_id, client_id)

    def changed(self) -> None:
        """A merge was committed elsewhere: read them again, soon."""
        self._wake.set()

    async def read(self) -> None:
        """Learn all of them."""
        async with reading(self._pool) as conn:
            self._of = await read_aliases(conn)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Known before anything is served; read again when something changed, until cancelled."""
        await self.read()
        task_status.started()
        await repeat(
            self.read, READ_EVERY_S, self._wake, log=log, failure="reading aliases failed and will be repeated"
        )
