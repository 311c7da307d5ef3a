"""An account whose end was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.identifiers import ClientId


@dataclass(frozen=True)
class Deletion:
    """Name, phone and e-mail are known until the account is erased; its balance can be paid out before and after.

    `paid_out_tyiyn` is what was, ever.
    """

    client_id: ClientId
    status: str
    name: str | None
    phone: str | None
    email: str | None
    balance_tyiyn: int
    debt_tyiyn: int
    paid_out_tyiyn: int
    requested_at: datetime
    restorable_until: datetime
    erased_at: datetime | None
