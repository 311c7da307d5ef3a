"""What a bill can be checked by: the ledger's postings of a charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ChargePosting:
    """One side of an entry of a charge."""

    kind: str
    key: str
    account: str
    amount_tyiyn: int
    created_at: datetime
