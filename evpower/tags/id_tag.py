"""The verdict on a card or tag (OCPP 1.6 §7.2 IdTagInfo)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.clock import Ids
from evpower.identifiers import IdTag

#: OCPP 1.6 allows 20 characters in an id tag; a longer phone number gets a generated tag instead.
ID_TAG_LENGTH = 20
VerdictStatus = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]


@dataclass(frozen=True)
class IdTagVerdict:
    """What we answer about a tag, and for whom."""

    status: VerdictStatus
    parent_id_tag: IdTag | None = None
    expiry_date: datetime | None = None
    #: The driver's language (RFC 5646), when his app has named it.
    language: str | None = None


def app_tag(verified_phone: str | None, ids: Ids) -> IdTag:
    """The tag of a client's start: the phone number in E.164, else one of our own (contract/ocpp-behaviour §5.1).

    A tag is its first client's, so an unverified number is none: its owner would be refused by it one day.
    """
    if verified_phone and len(verified_phone) <= ID_TAG_LENGTH:
        return IdTag(verified_phone)
    return IdTag(ids.new_id_tag())
