"""What an administrator writes of a group; kW and A as they were given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from evpower.power.site import GroupId, OutletId


@dataclass(frozen=True)
class MemberOrder:
    """A connector of the group."""

    outlet: OutletId
    phases: int
    l1_is: int
    min_a: Decimal
    max_a: Decimal
    dc: bool
    priority: int


@dataclass(frozen=True)
class HoursOrder:
    """A limit by the clock."""

    days: Sequence[int]
    since: time
    until: time
    limit_kw: Decimal


@dataclass(frozen=True)
class GroupOrder:
    """A whole group; a change writes all of it."""

    location_id: str
    name: str
    parent_id: GroupId | None
    phases: int
    limit_a: Decimal | None
    limit_kw: Decimal | None
    reserve_kw: Decimal
    failsafe_a: Decimal
    active: bool
    members: Sequence[MemberOrder]


@dataclass(frozen=True)
class OutsideLimit:
    """From a grid operator, solar, a building's meter; the smaller of it and the own one counts until then."""

    limit_a: Decimal | None
    limit_kw: Decimal | None
    valid_until: datetime


@dataclass(frozen=True)
class GroupRecord:
    """A group as it is configured."""

    id: GroupId
    order: GroupOrder
    outside: OutsideLimit | None
    schedule: Sequence[HoursOrder]
    #: What is allowed and yet asks for a look: `nameplates_exceed_limit`, `failsafe_leaves_no_charge`.
    warnings: Sequence[str] = ()

    @property
    def seen_as(self) -> str:
        """Names it as it is configured: what was made of another one is out of date."""
        return hashlib.sha256(repr((self.order, list(self.schedule))).encode()).hexdigest()[:16]
