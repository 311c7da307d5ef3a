"""How an OCPP 1.6 station's status becomes an ending of ours, and times as OCPP writes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from evpower.link.commands import Ending, Reply

ACCEPTED = frozenset({"Accepted"})
#: A charge is running, or the station has to boot first.
LATER = frozenset({"Scheduled", "RebootRequired"})


def reply(answer: Mapping[str, Any], done: Collection[str] = ACCEPTED) -> Reply:
    """The answer of a command; one that has no status (GetDiagnostics, UpdateFirmware) is always an acceptance."""
    status = str(answer.get("status", "Accepted"))
    if status in done:
        return Reply(Ending.DONE, status, answer)
    return Reply(Ending.LATER if status in LATER else Ending.REFUSED, status, answer)


def wire_time(at: datetime) -> str:
    """A moment as OCPP writes it, in its own zone."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def wire_times(**moments: datetime | None) -> dict[str, str]:
    """Those that are given."""
    return {name: wire_time(at) for name, at in moments.items() if at is not None}
