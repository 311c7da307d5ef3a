"""Rows of `start_attempts`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId

#: By the app, by a card at the station, or by an operator's command.
StartDoor = Literal["phone", "card", "command"]
#: More rows are unreadable on a terminal.
MOST_ROWS = 500

INSERT_ATTEMPT = """
INSERT INTO evpower.start_attempts
    (attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id)
VALUES (%(attempted_at)s, %(client_id)s, %(station_id)s, %(connector_id)s, %(door)s, %(answer)s, %(correlation_id)s,
        %(session_id)s)
"""

LIST_ATTEMPTS = """
SELECT attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id
FROM evpower.start_attempts
WHERE (%(client_id)s::text IS NULL OR client_id IN (
        %(client_id)s, (SELECT merged_into FROM public.clients WHERE id = %(client_id)s)))
  AND (%(station_id)s::text IS NULL OR station_id = %(station_id)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
  AND (%(since)s::timestamptz IS NULL OR attempted_at >= %(since)s)
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


async def insert_attempt(conn: Conn, attempt: StartAttempt) -> None:
    """Keep one attempt; it names whatever was asked for, known or not."""
    await conn.execute(INSERT_ATTEMPT, asdict(attempt))


async def list_attempts(
    conn: Conn,
    *,
    client_id: ClientId | None,
    station_id: StationId | None,
    since: datetime | None,
    of_stations: Collection[StationId] | None = None,
) -> list[StartAttempt]:
    """Attempts of a client, at a station, since a time, at these stations alone; newest first, at most `MOST_ROWS`."""
    parameters = {
        "client_id": client_id,
        "station_id": station_id,
        "since": since,
        "of_stations": None if of_stations is None else list(of_stations),
        "limit": MOST_ROWS,
    }
    return [StartAttempt(**row) for row in await (await conn.execute(LIST_ATTEMPTS, parameters)).fetchall()]


async def delete_attempts(conn: Conn, before: datetime) -> int:
    """Delete older ones; how many there were."""
    return (await conn.execute(DELETE_ATTEMPTS, {"before": before})).rowcount
