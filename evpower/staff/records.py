"""A person of the staff, and who acts at a door for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from evpower.identifiers import StationId
from evpower.staff.rights import Extent, Right, Role, extent

#: `users.id`: the `sub` of a token.
StaffId = NewType("StaffId", str)


@dataclass(frozen=True)
class StaffMember:
    """A row of `users`."""

    id: StaffId
    role: Role
    is_active: bool
    phone: str | None
    email: str | None
    admin_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def actor(self) -> str:
        """What is kept of who did something, in the ledger, audit and rows of commands."""
        return f"operator:{self.id}"


@dataclass(frozen=True)
class StaffRecord(StaffMember):
    """A row of `users` as it is listed: with the locations given to them, and whether a second factor works."""

    locations: tuple[str, ...]
    has_second_factor: bool


@dataclass(frozen=True)
class Own:
    """What is an operator's own: by `locations.user_id` or `admin_id`, or because the location was given to them."""

    locations: frozenset[str]
    stations: frozenset[StationId]


@dataclass(frozen=True)
class Acting:
    """Who acts at a door for operators, and how far their rights go.

    `member` None is no person: the administrator's token, or the control socket. `own` None has no bounds.
    """

    actor: str
    member: StaffMember | None = None
    own: Own | None = None

    def extent(self, right: Right) -> Extent:
        """How far the right goes."""
        return extent(None if self.member is None else self.member.role, right)

    def has_station(self, station_id: str | None) -> bool:
        """Whether a station is among those that may be seen; None is what has no station."""
        return self.own is None or station_id in self.own.stations

    def has_location(self, location_id: str) -> bool:
        """Whether a location is among those that may be seen."""
        return self.own is None or location_id in self.own.locations
