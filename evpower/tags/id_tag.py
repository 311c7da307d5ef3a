"""The verdict on a card or tag (OCPP 1.6 §7.2 IdTagInfo)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.identifiers import IdTag

VerdictStatus = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]


@dataclass(frozen=True)
class IdTagVerdict:
    """What we answer about a tag, and for whom."""

    status: VerdictStatus
    parent_id_tag: IdTag | None = None
    expiry_date: datetime | None = None
