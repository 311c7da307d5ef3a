"""Who signs in: a client, or a member of staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.identity.identity import Kind


@dataclass(frozen=True)
class Person:
    """A person's row as it is now; what a kind of people does not have is None."""

    id: str
    kind: Kind
    phone: str | None
    created_at: datetime
    #: Of a client: `active`, `blocked`, or `inactive` while a deletion waits.
    status: str | None = None
    name: str | None = None
    balance_tyiyn: int | None = None
    #: Whether somebody vouches for `phone`: only then a token bears it.
    has_verified_phone: bool = True
    #: Of staff.
    role: str | None = None
    email: str | None = None
    is_active: bool = True
