"""What the application is given in tests: a clock that is set, ids that count, a charger that does as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import trio

from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw
from evpower.link.errors import ChargerOffline
from evpower.link.ports import CommandResult, Outcome
from evpower.ocpp.dialect import Dialect, Request, Send
from evpower.ocpp.v16.dialect import OCPP_16

NOON = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class SetClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start
        self._jumped = timedelta(0)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets it: no time goes by."""
        self.time += timedelta(seconds=seconds)
        self._jumped += timedelta(seconds=seconds)

    def steady_s(self) -> float:
        """The time that went by, jumps left out."""
        return (self.time - self._jumped).timestamp()


class CountingIds:
    """session-1, session-2 …"""

    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"session-{self.made}"

    def new_id_tag(self) -> str:
        self.made += 1
        return f"EV{self.made:014d}"


class FakeLink:
    """A network of chargers that answer every command with `outcome`, and remember what they were asked."""

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock
        self.outcome = Outcome.ACCEPTED
        #: Of which version its stations are for an operator's commands.
        self.dialect: Dialect = OCPP_16
        self.connected: set[StationId] = set()
        self.started: list[tuple[StationId, ConnectorId, IdTag]] = []
        #: Under which numbers.
        self.start_ids: list[int | None] = []
        #: What they began with.
        self.start_limits: list[LimitDraw | None] = []
        self.stopped: list[tuple[StationId, WireTransactionId]] = []
        #: Every command of an operator, and what the charger answers to each action (or the error in its place).
        self.commanded: list[tuple[str, dict[str, Any]]] = []
        self.replies: dict[str, dict[str, Any] | Exception] = {}
        #: Set at the first stop that arrives.
        self.stop_asked = trio.Event()

    def is_connected(self, station_id: StationId) -> bool:
        return station_id in self.connected

    def last_seen_at(self, station_id: StationId) -> datetime | None:
        return self._clock.now() if station_id in self.connected else None

    def seen(self) -> Mapping[StationId, datetime]:
        return {station_id: self._clock.now() for station_id in self.connected}

    async def remote_start(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None = None,
        limit: LimitDraw | None = None,
    ) -> CommandResult:
        if station_id not in self.connected:
            return CommandResult(Outcome.OFFLINE)
        self.started.append((station_id, connector_id, id_tag))
        self.start_ids.append(remote_start_id)
        self.start_limits.append(limit)
        return CommandResult(self.outcome)

    async def remote_stop(self, station_id: StationId, transaction_id: WireTransactionId) -> CommandResult:
        if station_id not in self.connected:
            return CommandResult(Outcome.OFFLINE)
        self.stopped.append((station_id, transaction_id))
        self.stop_asked.set()
        return CommandResult(self.outcome)

    async def ask(self, station_id: StationId, command: Command[A]) -> A:
        """By the words of OCPP 1.6, so that a test sees what a charger would."""

        async def send(request: Request) -> dict[str, Any]:
            return await self._answer(station_id, request)

        return await self.dialect.perform(Send(send), command)

    async def read_profile(
        self, station_id: StationId, connector_id: ConnectorId, written: Mapping[str, Any]
    ) -> ChargingProfile:
        return OCPP_16.read_profile(connector_id, written)

    async def command(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        request = Request(action, payload)
        OCPP_16.refuse_secrets(request)
        return await self._answer(station_id, request)

    async def _answer(self, station_id: StationId, request: Request) -> dict[str, Any]:
        if station_id not in self.connected:
            raise ChargerOffline
        self.commanded.append((request.action, dict(request.payload)))
        reply = self.replies.get(request.action, {"status": "Accepted"})
        if isinstance(reply, Exception):
            raise reply
        return reply
