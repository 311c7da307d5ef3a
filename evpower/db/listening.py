"""Notifications of what other processes have committed: one LISTEN connection (design §6).

None arrive while the connection is away; `on_gap` is called whenever there may have been such a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

import psycopg
import trio

from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool

log = logging.getLogger("evpower.db")

RETRY_AFTER_S = 1.0
#: A connection that says nothing for so long is asked whether it is still there, and has as long to answer.
ASK_EVERY_S = 10.0


class Listening:
    """Hands over each notification of channel `evpower`, in the order of the commits."""

    def __init__(self, pool: Pool, on_notification: Callable[[str], None], on_gap: Callable[[], None]) -> None:
        """On a connection like the pool's, and none of them. Neither callback may wait or raise."""
        self._pool = pool
        self._on_notification = on_notification
        self._on_gap = on_gap

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled, on a new connection whenever one ends; ready when the first listens."""
        started = False
        while True:
            with suppress(trio.TooSlowError):
                try:
                    connection = await self._pool.connect(self._pool.conninfo)
                    try:
                        connection.add_notify_handler(lambda notify: self._on_notification(notify.payload))
                        await connection.execute("LISTEN evpower")
                        self._on_gap()
                        if not started:
                            task_status.started()
                            started = True
                        await self._hear(connection)
                    finally:
                        connection.close_now()
                except (psycopg.Error, OSError) as error:
                    log.warning("no news from other processes: %s", error)
            await trio.sleep(RETRY_AFTER_S)

    async def _hear(self, connection: TrioConnection) -> None:
        """Until the connection fails."""
        while True:
            with trio.move_on_after(ASK_EVERY_S) as quiet:
                await connection.hear_news()
            if quiet.cancelled_caught:
                with trio.fail_after(ASK_EVERY_S):
                    await connection.execute("SELECT 1")
