"""Attempts to start a charge as operators read them."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from evpower.attempts.service import StartAttempt


class AttemptBody(TypedDict):
    """An attempt to start a charge, and its answer."""

    attempted_at: datetime
    client_id: str | None
    station_id: str
    connector_id: int | None
    door: str
    answer: str
    correlation_id: str | None
    session_id: str | None


class StartAttemptBody(AttemptBody):
    """The same with what the driver read when it was refused, and the cause behind the code."""

    sentence: str | None
    reason: str | None


class AttemptPageBody(TypedDict):
    """A page of attempts; with `next_cursor` it goes on."""

    attempts: list[StartAttemptBody]
    next_cursor: str | None


def attempt_body(attempt: StartAttempt) -> AttemptBody:
    """An attempt to start a charge, and its answer."""
    return {
        "attempted_at": attempt.attempted_at,
        "client_id": attempt.client_id,
        "station_id": attempt.station_id,
        "connector_id": attempt.connector_id,
        "door": attempt.door,
        "answer": attempt.answer,
        "correlation_id": attempt.correlation_id,
        "session_id": attempt.session_id,
    }


def start_attempt_body(attempt: StartAttempt) -> StartAttemptBody:
    """The same with what the driver read."""
    return {**attempt_body(attempt), "sentence": attempt.sentence, "reason": attempt.reason}
