"""Answers of an OCPP 2.0.1 station that a report follows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from evpower.link.device_commands import Reported
from evpower.ocpp.shared.answers import ACCEPTED, reply


def reported(answer: dict[str, Any], done: Collection[str] = ACCEPTED) -> Reported:
    """The answer of a command, and the parts of the report that came after it."""
    parts = tuple(answer.pop("parts", ()))
    return Reported(reply(answer, done), parts)
