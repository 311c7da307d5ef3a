"""What a driver's Idempotency-Key was used for (billing-rules §8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evpower.identifiers import ClientId, SessionId

#: A request that finds its key taken by its twin waits at most so long for the twin's answer.
TWIN_WAIT_S = 5
#: No request runs longer (`ANSWER_WITHIN_S` of the doors): an answer that is not stored by then was lost.
RUNS_AT_MOST_S = 10


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
    #: How many seconds the first request's answer is worth waiting for; 0 when there is one, or none will come.
    wait_s: float = 0

    @property
    def effect(self) -> Any:
        """The id of what its request made or ended: a session or a top-up; None when it was refused."""
        return self.session_id or self.order_id
