"""Who a caller is, once a token of theirs was believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["client", "staff"]


@dataclass(frozen=True)
class Identity:
    """A believed token's claims.

    `subject` fits a client id. `ours` is true for a token of our own issuer: it alone says who is staff, in which role,
    and which sign-in (`family`) the token comes from; a foreign staff person's token is that of a client here.
    `anonymous` people of a foreign issuer may read, and may not move money.
    """

    subject: str
    kind: Kind
    expires_at: datetime
    ours: bool = False
    issued_at: datetime | None = None
    phone: str | None = None
    role: str | None = None
    family: str | None = None
    anonymous: bool = False
