"""Drivers' charges: start, stop, look (contract/rest-api §3-4). Signatures; the body follows."""

from __future__ import annotations

from evpower.charging.session import (
    IdempotencyClaim,
    SessionView,
    StartedSession,
    StartOrder,
    StationView,
    StoppedSession,
)
from evpower.identifiers import ClientId, SessionId, StationId


class ChargingService:
    async def start_session(self, order: StartOrder, claim: IdempotencyClaim | None = None) -> StartedSession:
        """Reserve, commit, ask the charger; waits at most 5 s for its answer.

        With a claim, the key is stored in the same unit of work as the reservation.
        Raises the `Refusal`s of contract/rest-api §4.1.
        """
        raise NotImplementedError

    async def started_view(self, session_id: SessionId) -> StartedSession:
        """The answer to a start, rebuilt from the session's rows (a replayed key after a crash)."""
        raise NotImplementedError

    async def stop_session(
        self, session_id: SessionId, *, caller: ClientId | None, actor: str, claim: IdempotencyClaim | None = None
    ) -> StoppedSession:
        """Ask the charger to stop, wait at most 5 s for StopTransaction, else settle with the last reading.

        `caller` None means an operator. Raises NoSuchActiveSession, Forbidden (not the owner).
        """
        raise NotImplementedError

    async def owner_of(self, session_id: SessionId) -> ClientId | None:
        """Whose session it is; None when there is no such session."""
        raise NotImplementedError

    async def session(self, session_id: SessionId) -> SessionView:
        """Raises SessionNotFound."""
        raise NotImplementedError

    async def station(self, station_id: StationId) -> StationView:
        """Raises StationNotFound, also for an inactive station."""
        raise NotImplementedError
