"""Staff as administrators read it (contract/rest-api §7.1, §7.7); null is a value that is not set."""

from __future__ import annotations

from evpower.http.wire.values import Body
from evpower.staff.records import StaffRecord


def staff_body(person: StaffRecord) -> Body:
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
