"""Keeping and showing attempts. An attempt is kept after its answer is known, in a unit of work of its own, so that a
refusal's rollback does not lose it; a start neither fails nor waits for long because it cannot be kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import trio

from evpower.attempts.rows import attempts
from evpower.attempts.rows.attempts import StartAttempt, StartDoor
from evpower.clock import Clock
from evpower.correlation import correlation_id
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import Refusal
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId
from evpower.narrowing import Narrowing
from evpower.worker import contain

__all__ = ["Attempts", "OrderedStart", "StartAttempt", "StartDoor", "Started", "forget_attempts"]

log = logging.getLogger("evpower.charging")

KEPT_FOR = timedelta(days=30)
#: A start is not held up by a database that does not take its attempt.
KEEPS_WITHIN_S = 2.0
ACCEPTED = "accepted"
FAILED = "failed"


@dataclass
class Started:
    """What comes of an attempt that goes on."""

    session_id: SessionId | None = None
    answer: str = ACCEPTED
    sentence: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class OrderedStart:
    """A start that an operator's own command asks a station for; None: it leaves that open, or says it badly."""

    connector_id: ConnectorId | None
    id_tag: IdTag | None
    #: OCPP 2.0.1 names this and no connector.
    evse_id: int | None = None


class Attempts:
    """The record of starts."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        #: Attempts since the start of this process, by door and answer: codes of refusals, cards' verdicts.
        self.answers: Counter[tuple[StartDoor, str]] = Counter()

    @asynccontextmanager
    async def kept(
        self, door: StartDoor, station_id: StationId, connector_id: ConnectorId | None, client_id: ClientId | None
    ) -> AsyncIterator[Started]:
        """Keep the start that is tried within: what it sets, the code of the refusal it raises, or `failed`."""
        started, attempted_at = Started(), self._clock.now()
        try:
            yield started
        except Refusal as refusal:
            started.answer, started.sentence = refusal.code, refusal.message
            started.reason = refusal.details.get("reason")
            raise
        except BaseException:
            started.answer = FAILED
            raise
        finally:
            attempt = StartAttempt(
                attempted_at,
                client_id,
                station_id,
                connector_id,
                door,
                started.answer,
                correlation_id.get(),
                started.session_id,
                started.sentence,
                started.reason,
            )
            # Also for a caller who was given up at: shielded, and short.
            with trio.move_on_after(KEEPS_WITHIN_S, shield=True), contain(log, "a start attempt could not be kept"):
                async with unit_of_work(self._pool) as uow:
                    await attempts.insert_attempt(uow.conn, attempt)
            self._answered(attempt)

    async def keep_card(self, uow: UnitOfWork, attempt: StartAttempt) -> None:
        """A card's attempt, in the unit of work that stores its transaction: no refusal takes that one back."""
        await attempts.insert_attempt(uow.conn, attempt)
        uow.after_commit(lambda: self._answered(attempt))

    async def listed(self, wanted: Narrowing) -> list[StartAttempt]:
        """Attempts, the newest first."""
        async with reading(self._pool) as conn:
            return (await attempts.list_attempts(conn, wanted))[0]

    async def page(
        self, wanted: Narrowing, *, before: datetime | None, after_id: int | None
    ) -> tuple[list[StartAttempt], int | None]:
        """The same until a time, from a place on; and the place where it goes on."""
        async with reading(self._pool) as conn:
            return await attempts.list_attempts(conn, wanted, before=before, after_id=after_id)

    def _answered(self, attempt: StartAttempt) -> None:
        """Count it, and write the line operators grep for."""
        self.answers[attempt.door, attempt.answer] += 1
        log.info(
            "start attempt: client=%s, station=%s, connector=%s, door=%s, answer=%s, session=%s, correlation_id=%s",
            attempt.client_id,
            attempt.station_id,
            attempt.connector_id,
            attempt.door,
            attempt.answer,
            attempt.session_id,
            attempt.correlation_id,
        )


async def forget_attempts(pool: Pool, now: datetime) -> None:
    """Drop what is older than a month."""
    async with unit_of_work(pool) as uow:
        await attempts.delete_attempts(uow.conn, now - KEPT_FOR)
