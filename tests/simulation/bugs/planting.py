"""How a bug is put in the place of a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Puts the bug in; nothing takes it out again.
Plant = Callable[[], None]


def put(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace `owner.name` by what `make` makes of it."""
    setattr(owner, name, make(getattr(owner, name)))
