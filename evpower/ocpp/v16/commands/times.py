"""Times as we write them to a station of OCPP 1.6."""

from __future__ import annotations

from datetime import datetime


def wire_time(at: datetime) -> str:
    """A moment as OCPP writes it, in its own zone."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def wire_times(**moments: datetime | None) -> dict[str, str]:
    """Those that are given."""
    return {name: wire_time(at) for name, at in moments.items() if at is not None}
