"""Answers of the doors of a profile (contract/rest-api §7.5)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from evpower.http.wire.described import Success

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", extra_json_schema={"format": "date"})]


class ClientProfileBody(TypedDict):
    """A client; what it has not said is left out. `balance` is free money, in som."""

    success: Success
    user_type: Literal["client"]
    client_id: str
    balance: float
    status: Literal["active", "blocked", "inactive"]
    name: NotRequired[str]
    email: NotRequired[str]
    phone: NotRequired[str]
    birthday: NotRequired[Day]


class StaffProfileBody(TypedDict):
    """A member of the staff, with how many stations and locations are their own."""

    success: Success
    user_type: Literal["admin"]
    client_id: str
    role: Literal["operator", "admin", "superadmin"]
    is_active: bool
    stations_count: int
    locations_count: int
    email: NotRequired[str]
    phone: NotRequired[str]
    admin_id: NotRequired[str]
