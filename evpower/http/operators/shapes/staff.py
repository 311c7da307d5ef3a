"""Staff as administrators read it (contract/rest-api §7.1, §7.7); null is a value that is not set."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, Required, TypedDict

from evpower.staff.records import StaffRecord
from evpower.staff.rights import Role


class StaffChangeBody(TypedDict, total=False):
    """What changes of a person; null empties."""

    role: Role
    phone: str | None
    email: str | None
    is_active: bool


class NewStaffBody(TypedDict):
    """A new person: a phone, or the id that their tokens bear."""

    id: NotRequired[str]
    role: NotRequired[Role]
    phone: NotRequired[str | None]
    email: NotRequired[str | None]


class StaffBody(TypedDict):
    """One person; `locations` are those given to them, not those that are theirs by the location's own row."""

    id: str
    phone: str | None
    email: str | None
    role: Role
    is_active: bool
    admin_id: str | None
    created_at: datetime
    updated_at: datetime
    locations: tuple[str, ...]
    has_second_factor: bool


class PeopleBody(TypedDict, total=False):
    """A page of people, under the name of what was asked for."""

    users: list[StaffBody]
    operators: list[StaffBody]
    total: Required[int]
    page: Required[int]
    per_page: Required[int]


def staff_body(person: StaffRecord) -> StaffBody:
    """One person; `locations` are those given to them, not those that are theirs by the location's own row."""
    return {
        "id": person.id,
        "phone": person.phone,
        "email": person.email,
        "role": person.role,
        "is_active": person.is_active,
        "admin_id": person.admin_id,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "locations": person.locations,
        "has_second_factor": person.has_second_factor,
    }
