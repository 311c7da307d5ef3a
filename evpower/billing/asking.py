"""Waiting for a provider, never longer than said; no database transaction is open meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import trio

from evpower.errors import ProviderTimeout

T = TypeVar("T")

#: Inside a phone's request: the phone itself gives up after 10 s (payments §6).
CLIENT_WAITS_S = 8.0


async def answered_within(seconds: float, call: Awaitable[T]) -> T:
    """What the provider answers. Raises ProviderTimeout when it takes longer: the outcome is unknown then."""
    with trio.move_on_after(seconds):
        return await call
    raise ProviderTimeout
