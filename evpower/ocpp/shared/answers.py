"""How a station's status becomes an ending of ours: every version of OCPP says it alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from evpower.link.commands import Ending, Reply

ACCEPTED = frozenset({"Accepted"})
#: A charge is running, or the station has to boot first.
LATER = frozenset({"Scheduled", "RebootRequired"})


def reply(answer: Mapping[str, Any], done: Collection[str] = ACCEPTED) -> Reply:
    """The answer of a command; one that has no status (1.6: GetDiagnostics, UpdateFirmware) is an acceptance."""
    return of_status(str(answer.get("status", "Accepted")), answer, done)


def of_status(status: str, answer: Mapping[str, Any], done: Collection[str] = ACCEPTED) -> Reply:
    """The same, of a status that is somewhere inside of it."""
    if status in done:
        return Reply(Ending.DONE, status, answer)
    return Reply(Ending.LATER if status in LATER else Ending.REFUSED, status, answer)
