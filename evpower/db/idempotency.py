"""Idempotency keys (billing-rules §8). Signatures; the body follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evpower.charging.session import IdempotencyClaim
from evpower.identifiers import SessionId


@dataclass(frozen=True)
class StoredAnswer:
    """A key that was used before. `status_code` None: its first request is still running, or died after its effect."""

    claim: IdempotencyClaim
    session_id: SessionId | None
    status_code: int | None
    response: dict[str, Any] | None
