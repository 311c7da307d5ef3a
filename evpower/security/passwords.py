"""How stations' passwords are hashed: one way for every caller."""

from __future__ import annotations

from typing import Protocol

#: OCPP 1.6 security white paper: a password is 16 to 40 characters, of which hexadecimal digits are up to 20 bytes.
CHARS_MIN, CHARS_MAX, CHARS_MAX_HEX = 16, 40, 20


def is_long_enough(password: str, chars_max: int = CHARS_MAX) -> bool:
    """Whether it has as many characters as a station's password must."""
    return CHARS_MIN <= len(password) <= chars_max


def is_printable(password: str) -> bool:
    """Whether every station can be given it: printable ASCII."""
    return password.isascii() and password.isprintable()


class Passwords(Protocol):
    """How stations' passwords are hashed; both calls may take tens of milliseconds of CPU."""

    def hash(self, password: str) -> str:
        """A new salted hash."""
        ...

    def verify(self, password: str, password_hash: str) -> bool:
        """Whether the hash is of this password."""
        ...
