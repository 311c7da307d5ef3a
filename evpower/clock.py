"""Time and identifiers as parameters, so that a simulation can replay a seed (design §5).

The application takes a `Clock` and `Ids`; nothing below `app.py` reads the wall clock or makes a random id itself.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

#: That many bytes.
RandomBytes: TypeAlias = Callable[[int], bytes]


class Clock(Protocol):
    """Where the application reads the time of day."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class Ids(Protocol):
    """Where new identifiers come from."""

    def new(self) -> str:
        """A new session id (UUID text)."""
        ...

    def new_id_tag(self) -> str:
        """An OCPP id tag of 16 characters for a start without a phone number (contract/ocpp-behaviour §5.1)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIds:
    """Identifiers that cannot be guessed."""

    def new(self) -> str:
        return str(uuid.uuid4())

    def new_id_tag(self) -> str:
        return "EV" + secrets.token_hex(7).upper()


def random_bytes(size: int) -> bytes:
    """Bytes that cannot be guessed."""
    return secrets.token_bytes(size)
