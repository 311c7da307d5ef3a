"""How a CALL of ours ended: four ends, four types (duty 39)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answered:
    """CALLRESULT; `payload` is its JSON text."""

    payload: bytes


@dataclass(frozen=True)
class CallFailed:
    """CALLERROR, as the station sent it; `details` is JSON text."""

    code: str
    description: str
    details: bytes


@dataclass(frozen=True)
class NoAnswer:
    """Nothing came within the time-out; the station may still act on the CALL."""


@dataclass(frozen=True)
class Offline:
    """Not connected, or the socket ended before the answer."""


CallOutcome = Answered | CallFailed | NoAnswer | Offline
