"""What the ledger's side of the house knows of a top-up order."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.identifiers import ClientId


@dataclass(frozen=True)
class OrderRef:
    """Which order, whose, and by which names people look for it."""

    id: int
    client_id: ClientId
    provider: str
    invoice_id: str


def top_up_key(provider: str, trans_id: str) -> str:
    """The key of a provider's payment: whatever brings it, and however often, it is credited once (payments §5)."""
    return f"topup:{provider}:{trans_id}"
