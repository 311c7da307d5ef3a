"""Which tokens are refused although they are right and have not run out (roadmap/identity §2).

Rows say so, and every process keeps those of the last hour in memory: older tokens have ended by themselves. A token
issued after the fact is believed: a blocked client may sign in anew, to see that and to stop a charge (rest-api §1.8).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NoReturn

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identity.identity import Identity
from evpower.sign_in.rows import revocations as rows
from evpower.sign_in.tokens import ACCESS_LIFETIME
from evpower.worker import Wake, contain, repeat

logger = logging.getLogger("security")

#: Notifications wake us; this is for those that were lost.
LOOK_EVERY_S = 60.0
#: An access token's life, with what a verifier allows and two clocks may differ.
KEPT_FOR = ACCESS_LIFETIME + timedelta(minutes=5)
FAILURE = "what ended tokens could not be read: those of the last minute are believed until it can"


class Revocations:
    """This process's picture of them."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._wake = Wake()
        self._sign_ins: frozenset[str] = frozenset()
        self._people: dict[str, datetime] = {}
        #: Those that ended while the rows were being read.
        self._meanwhile: set[str] = set()

    def refused(self, identity: Identity) -> bool:
        """Whether the bearer is not let in. A token of ours ends with its sign-in, as all of a person's do at once."""
        if identity.ours:
            return identity.family in self._sign_ins
        revoked_at = self._people.get(identity.subject)
        return revoked_at is not None and (identity.issued_at is None or identity.issued_at < revoked_at)

    def end(self, sign_in_ids: Collection[str]) -> None:
        """Refuse them in this process from now on: the others hear of it."""
        self._meanwhile |= set(sign_in_ids)
        self._sign_ins |= frozenset(sign_in_ids)

    def wake(self) -> None:
        """Look now: something has ended."""
        self._wake.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Follow the rows until cancelled; ready after the first look."""
        with contain(logger, "%s", FAILURE):
            await self.look()
        task_status.started()
        await repeat(self.look, LOOK_EVERY_S, self._wake, log=logger, failure=FAILURE)

    async def look(self) -> None:
        """Read them."""
        since, self._meanwhile = self._clock.now() - KEPT_FOR, set()
        async with reading(self._pool) as conn:
            sign_ins, people = await rows.ended_sign_ins(conn, since), await rows.revoked_people(conn, since)
        self._sign_ins, self._people = frozenset(sign_ins) | self._meanwhile, people
