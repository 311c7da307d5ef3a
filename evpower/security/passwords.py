"""How stations' passwords are hashed: one way for every caller."""

from __future__ import annotations

from typing import Protocol


class Passwords(Protocol):
    """How stations' passwords are hashed; both calls may take tens of milliseconds of CPU."""

    def hash(self, password: str) -> str:
        """A new salted hash."""
        ...

    def verify(self, password: str, password_hash: str) -> bool:
        """Whether the hash is of this password."""
        ...
