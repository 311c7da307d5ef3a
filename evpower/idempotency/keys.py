"""Keys as the phones' door uses them, and the claim a service makes in the unit of work of its effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.idempotency.claim import IdempotencyClaim, StoredAnswer
from evpower.idempotency.rows.keys import claim_key, find_key, forget_older_than, store_answer
from evpower.identifiers import ClientId

__all__ = ["KeyRows", "claim_key", "forget_keys", "keep_claim"]


class KeyRows:
    """The table as the phones' door uses it, each call in a unit of work of its own (`http.idempotency.KeyStore`)."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def find(self, client_id: ClientId, key: str) -> StoredAnswer | None:
        """What is known of a key; None when it was never used."""
        async with reading(self._pool) as conn:
            return await find_key(conn, client_id, key, self._clock.now())

    async def store_answer(self, claim: IdempotencyClaim, answer: Mapping[str, Any], status: int) -> None:
        """Keep the first answer to a key."""
        async with unit_of_work(self._pool) as uow:
            await store_answer(uow.conn, claim, answer, status, self._clock.now())


async def keep_claim(uow: UnitOfWork, claim: IdempotencyClaim | None, at: datetime) -> None:
    """The key of a request, if it has one, in the unit of work of its effect. Raises IdempotencyMismatch."""
    if claim is not None:
        await claim_key(uow.conn, claim, None, at)


async def forget_keys(pool: Pool, before: datetime) -> None:
    """Delete keys made before a moment."""
    async with unit_of_work(pool) as uow:
        await forget_older_than(uow.conn, before)
