"""The account that a request of its client writes to."""

from __future__ import annotations

from datetime import datetime

from evpower.billing.clients import ensure_client, lock_client
from evpower.billing.errors import ClientDeleted
from evpower.db.unit_of_work import UnitOfWork
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identifiers import ClientId

#: Whose account is not about to end.
MAY_ADD = ("active", "blocked")


async def lock_owner(uow: UnitOfWork, client_id: ClientId, claim: IdempotencyClaim | None, at: datetime) -> ClientId:
    """The client's row, made if there is none yet, and locked: an erasure or a merge comes before or after.

    Raises ClientDeleted, IdempotencyMismatch.
    """
    await ensure_client(uow.conn, client_id, at)
    client = await lock_client(uow.conn, client_id)
    if client.status not in MAY_ADD:
        raise ClientDeleted
    await keep_claim(uow, claim, at)
    return client.id
