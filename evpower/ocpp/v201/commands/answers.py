"""How an OCPP 2.0.1 station's status becomes an ending of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from evpower.link.commands import Ending, Reply
from evpower.link.device_commands import Reported

ACCEPTED = frozenset({"Accepted"})
#: A charge is running, or the station has to boot first.
LATER = frozenset({"Scheduled", "RebootRequired"})


def reply(answer: Mapping[str, Any], done: Collection[str] = ACCEPTED) -> Reply:
    """The answer of a command."""
    return of_status(str(answer.get("status", "Accepted")), answer, done)


def of_status(status: str, answer: Mapping[str, Any], done: Collection[str] = ACCEPTED) -> Reply:
    """The same, of a status that is somewhere inside of it."""
    if status in done:
        return Reply(Ending.DONE, status, answer)
    return Reply(Ending.LATER if status in LATER else Ending.REFUSED, status, answer)


def reported(answer: dict[str, Any], done: Collection[str] = ACCEPTED) -> Reported:
    """The answer of a command, and the parts of the report that came after it."""
    parts = tuple(answer.pop("parts", ()))
    return Reported(reply(answer, done), parts)
