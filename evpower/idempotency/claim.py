"""What a driver's Idempotency-Key was used for (billing-rules §8)."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.identifiers import ClientId


@dataclass(frozen=True)
class IdempotencyClaim:
    """A driver's Idempotency-Key with what it was used for (billing-rules §8); the hash is of the parsed body."""

    client_id: ClientId
    key: str
    method: str
    path: str
    body_hash: str
