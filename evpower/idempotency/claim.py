"""What a driver's Idempotency-Key was used for (billing-rules §8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evpower.identifiers import ClientId, SessionId


@dataclass(frozen=True)
class IdempotencyClaim:
    """A driver's Idempotency-Key with what it was used for (billing-rules §8); the hash is of the parsed body."""

    client_id: ClientId
    key: str
    method: str
    path: str
    body_hash: str


@dataclass(frozen=True)
class StoredAnswer:
    """A key that was used before. `status_code` None: its first request is still running, or died after its effect."""

    claim: IdempotencyClaim
    session_id: SessionId | None
    status_code: int | None
    response: dict[str, Any] | None
    order_id: str | None = None

    @property
    def effect(self) -> Any:
        """The id of what its request made or ended: a session or a top-up; None when it was refused."""
        return self.session_id or self.order_id
