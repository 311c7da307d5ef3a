"""Rows of `start_attempts`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.narrowing import Narrowing

#: By the app, by a card at the station, or by an operator's command.
StartDoor = Literal["phone", "card", "command"]

INSERT_ATTEMPT = """
INSERT INTO evpower.start_attempts
    (attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id, sentence, reason)
VALUES (%(attempted_at)s, %(client_id)s, %(station_id)s, %(connector_id)s, %(door)s, %(answer)s, %(correlation_id)s,
        %(session_id)s, %(sentence)s, %(reason)s)
"""

LIST_ATTEMPTS = """
SELECT id, attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id, sentence, reason
FROM evpower.start_attempts
WHERE (%(client_id)s::text IS NULL OR client_id IN (
        %(client_id)s, (SELECT merged_into FROM public.clients WHERE id = %(client_id)s)))
  AND (%(station_id)s::text IS NULL OR station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
  AND (%(since)s::timestamptz IS NULL OR attempted_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR attempted_at < %(before)s)
  AND (%(after_id)s::bigint IS NULL OR id < %(after_id)s)
ORDER BY id DESC LIMIT %(limit)s
"""

DELETE_ATTEMPTS = "DELETE FROM evpower.start_attempts WHERE attempted_at < %(before)s"


@dataclass(frozen=True)
class StartAttempt:
    """One attempt and its answer: `accepted`, a card's verdict, a refusal's code, or `failed`."""

    attempted_at: datetime
    #: None for a card that is nobody's.
    client_id: ClientId | None
    station_id: StationId
    connector_id: ConnectorId | None
    door: StartDoor
    answer: str
    correlation_id: str | None
    session_id: SessionId | None
    #: What the driver read when it was refused, and the cause behind the code.
    sentence: str | None = None
    reason: str | None = None


async def insert_attempt(conn: Conn, attempt: StartAttempt) -> None:
    """Keep one attempt; it names whatever was asked for, known or not."""
    await conn.later(INSERT_ATTEMPT, asdict(attempt))


async def list_attempts(
    conn: Conn, wanted: Narrowing, *, before: datetime | None = None, after_id: int | None = None
) -> tuple[list[StartAttempt], int | None]:
    """The newest first; and the id after which the list goes on, None at its end."""
    parameters = {**wanted.parameters, "before": before, "after_id": after_id, "limit": wanted.limit + 1}
    rows = await (await conn.execute(LIST_ATTEMPTS, parameters)).fetchall()
    next_id = int(rows[wanted.limit - 1]["id"]) if len(rows) > wanted.limit else None
    return [StartAttempt(**_without_id(row)) for row in rows[: wanted.limit]], next_id


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


async def delete_attempts(conn: Conn, before: datetime) -> int:
    """Delete older ones; how many there were."""
    return (await conn.execute(DELETE_ATTEMPTS, {"before": before})).rowcount
