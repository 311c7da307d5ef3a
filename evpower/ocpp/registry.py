"""The live stations of this process; what the application may ask of them (`LiveStations`, `StationLink`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast
from weakref import WeakValueDictionary

import trio

from evpower.charging.transaction import version_of
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw, Reserve
from evpower.link.errors import ChargerOffline, NotInThisVersion
from evpower.link.ports import CommandResult, Outcome, SocketNow
from evpower.network.spots.evses import EACH_ITS_OWN
from evpower.ocpp import commands
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.dialect import Dialect, Request, Send
from evpower.ocpp.wire.outcome import CallOutcome, Offline

#: Which version of OCPP a station that is not here spoke last; None when that is not known.
LastSpoken = Callable[[StationId], Awaitable[str | None]]

#: How a socket ends whose station has a newer one.
REPLACED = (1000, "replaced by a newer connection")


class StationRegistry:
    """Implements `evpower.link.ports.LiveStations` and `StationLink`."""

    def __init__(self, usual: Dialect, dialects: Sequence[Dialect] = (), last_spoken: LastSpoken | None = None) -> None:
        """A station that is not here is asked in the one of `dialects` that it spoke last, else in `usual`."""
        self._usual = usual
        self._dialects = tuple(dialects)
        self._last_spoken = last_spoken
        self._live: dict[StationId, StationConnection] = {}
        self._presence: WeakValueDictionary[StationId, trio.Lock] = WeakValueDictionary()

    # ------------------------------------------------------------------------------------------- the station server's

    def add(self, connection: StationConnection) -> None:
        """Make it the station's connection; the older connection of the same station is closed (duty 4)."""
        twin = self._live.get(connection.station_id)
        self._live[connection.station_id] = connection
        if twin is not None:
            twin.leave(*REPLACED)

    def remove(self, connection: StationConnection) -> None:
        """Forget it, unless a twin has taken its place."""
        if self._live.get(connection.station_id) is connection:
            del self._live[connection.station_id]

    def written(self, station_id: StationId) -> StationConnection | None:
        """The station's socket, if its coming has been written."""
        connection = self._live.get(station_id)
        return connection if connection is not None and connection.presence_written else None

    def dismiss_all(self, code: int, reason: str) -> None:
        """Close every station's connection, with this close code."""
        for connection in tuple(self._live.values()):
            connection.leave(code, reason)

    def presence(self, station_id: StationId) -> trio.Lock:
        """Held while a station's coming or going is written, so that an old socket's end never follows a new one."""
        lock = self._presence.get(station_id)
        if lock is None:
            lock = self._presence[station_id] = trio.Lock()
        return lock

    def connection(self, station_id: StationId) -> StationConnection | None:
        return self._live.get(station_id)

    # ------------------------------------------------------------------------------------------------ LiveStations

    def is_connected(self, station_id: StationId) -> bool:
        return station_id in self._live

    def last_seen_at(self, station_id: StationId) -> datetime | None:
        connection = self._live.get(station_id)
        return None if connection is None else connection.last_seen_at

    def spoken_now(self) -> Counter[str]:
        """How many stations of this process speak which version of OCPP."""
        return Counter(connection.dialect.version for connection in self._live.values())

    def seen(self) -> Mapping[StationId, datetime]:
        return {station_id: connection.last_seen_at for station_id, connection in self._live.items()}

    def socket_now(self, station_id: StationId) -> SocketNow | None:
        """How the station's socket is; None when it is not in this process."""
        connection = self._live.get(station_id)
        if connection is None:
            return None
        return SocketNow(
            connection.registration,
            connection.spoken.is_set(),
            connection.ready.is_set(),
            connection.last_seen_at,
            dict(connection.oddities.counts),
            {kind.value: times for kind, times in connection.oddities.by_kind.items()},
        )

    async def remote_start(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None = None,
        limit: LimitDraw | None = None,
    ) -> CommandResult:
        """A station still booting counts as offline: `ready_for_commands` takes up what is pending (duty 18)."""
        connection = self._live.get(station_id)
        if connection is None:
            return CommandResult(Outcome.OFFLINE)
        if connection.registration != "Accepted":
            return CommandResult(Outcome.REJECTED, f"the charger's boot is {connection.registration}")
        if not connection.ready.is_set():
            return CommandResult(Outcome.OFFLINE, "still booting")
        return await connection.dialect.remote_start(connection, connector_id, id_tag, remote_start_id, limit)

    async def remote_stop(self, station_id: StationId, transaction_id: WireTransactionId) -> CommandResult:
        """Waits until a station that is still booting is ready; the caller's time-out bounds the wait."""
        connection = self._live.get(station_id)
        if connection is None:
            return CommandResult(Outcome.OFFLINE)
        if connection.registration != "Accepted":
            return CommandResult(Outcome.REJECTED, f"the charger's boot is {connection.registration}")
        await connection.ready.wait()
        if (of := version_of(transaction_id)) != connection.dialect.version:  # it has changed its version meanwhile
            return CommandResult(Outcome.REJECTED, f"the transaction is one of OCPP {of}")
        return await connection.dialect.remote_stop(connection, transaction_id)

    # ---------------------------------------------------------------------------------------------------- StationLink

    async def ask(self, station_id: StationId, command: Command[A]) -> A:
        """See `StationLink.ask`."""
        dialect = await self._dialect_of(station_id)
        live = self._live.get(station_id)
        send = Send(partial(self._send, station_id, dialect), EACH_ITS_OWN if live is None else live.evses)
        return await dialect.perform(send, self._by_its_clock(station_id, command))

    def _by_its_clock(self, station_id: StationId, command: Command[A]) -> Command[A]:
        """What a station ends by itself, it ends by its own clock."""
        connection = self._live.get(station_id)
        if connection is None or not isinstance(command, Reserve):
            return command
        ends_at = connection.clock_offset.by_its_clock(command.expires_at)
        return cast("Command[A]", replace(command, expires_at=ends_at))

    async def read_profile(
        self, station_id: StationId, connector_id: ConnectorId, written: Mapping[str, Any]
    ) -> ChargingProfile:
        """See `StationLink.read_profile`."""
        return (await self._dialect_of(station_id)).read_profile(connector_id, written)

    async def command(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """An operator's own command (design §8 "Raw station command"); see `StationLink.command`."""
        request, dialect = Request(action, payload), await self._dialect_of(station_id)
        if action not in dialect.schemas.commands and any(action in each.schemas.commands for each in self._dialects):
            raise NotInThisVersion(dialect.version)
        dialect.refuse_secrets(request)
        return await self._send(station_id, dialect, request)

    async def _send(self, station_id: StationId, dialect: Dialect, request: Request) -> dict[str, Any]:
        """A wrong payload is reported even when the station is away.

        One that has come back with another version meanwhile counts as away: it would not understand the request.
        """
        dialect.schemas.check_command(request.action, request.payload)
        connection = self._live.get(station_id)
        if connection is None or connection.dialect is not dialect:
            raise ChargerOffline
        return await commands.command(connection, request)

    async def _dialect_of(self, station_id: StationId) -> Dialect:
        connection = self._live.get(station_id)
        if connection is not None:
            return connection.dialect
        spoken = None if self._last_spoken is None else await self._last_spoken(station_id)
        return next((each for each in self._dialects if each.version == spoken), self._usual)

    async def raw(self, station_id: StationId, action: str, payload: bytes) -> CallOutcome:
        """One CALL with nothing checked, neither the payload nor the station's boot."""
        connection = self._live.get(station_id)
        return Offline() if connection is None else await connection.call(action, payload)
