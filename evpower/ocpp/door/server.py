"""The stations' door: accept, admit, one nursery per station, and a drain that says goodbye to each.

`serve_station` is the only place where a station's fault stops: whatever goes wrong inside costs that socket alone.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import trio

from evpower.client_address import PerAddress
from evpower.clock import Clock, Ids
from evpower.identifiers import StationId
from evpower.network.station import Admission
from evpower.ocpp.after_boot import configure_after_boot
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.dialect import Dialect
from evpower.ocpp.door.admission import CERTIFICATE
from evpower.ocpp.door.capacity import Capacity
from evpower.ocpp.door.doors import Door, open_doors
from evpower.ocpp.door.drain import GOING_AWAY, Drain
from evpower.ocpp.door.failed_logins import FailedLogins, address_of
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.reception import Entrant, Reception
from evpower.ocpp.door.sweeper import Sweeper
from evpower.ocpp.door.tls import TlsIdentity
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.lobby import Lobby, Stranger
from evpower.ocpp.newcomer import Newcomer
from evpower.ocpp.registry import REPLACED, StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.frame_log import FrameLog, NoFrameLog
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.ocpp.wire.transport import SocketClosed, StationSocket
from evpower.reports.station_reports import StationReports
from evpower.worker import contain, repeat

__all__ = ["Door", "StationServer", "serve_stations"]

log = logging.getLogger("OCPP")

ANONYMOUS_EVERYWHERE = (
    "ocpp.allow_anonymous = true: a peer that knows the id of a station without a password is that station to us,"
    " its charges and bills included"
)
INTERNAL_ERROR = (1011, "internal error")
CERTIFICATE_ENDED = (1008, "the certificate was ended")
#: How soon an operator's word reaches open sockets, of every process.
END_CERTIFIED_EVERY_S = 5.0


@dataclass(frozen=True)
class StationServer:
    """What serving stations needs."""

    reports: StationReports
    registry: StationRegistry
    clock: Clock
    ids: Ids
    passwords: PasswordChecker
    settings: OcppSettings
    #: What is spoken here, best first.
    dialects: Sequence[Dialect]
    traffic: Traffic
    frame_log: FrameLog = field(default_factory=NoFrameLog)
    failed_logins: FailedLogins = field(default_factory=FailedLogins)
    habits: StationHabits = field(default_factory=StationHabits)
    #: Where strangers wait (setting `ocpp.accept_unknown`); None: they are refused.
    lobby: Lobby | None = None

    async def serve(
        self, doors: Sequence[Door], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until cancelled, then drain: no new stations, CALLs in progress are answered, sockets end in 1001."""
        drain = Drain(self._dismiss_all, timeout_s=self.settings.drain_timeout_s)
        async with trio.open_nursery() as watch:
            watch.start_soon(drain.begin_when_cancelled, name="ocpp drain")
            with drain.chargers_may_run:
                async with trio.open_nursery() as rings:
                    sweeper = Sweeper(interval_s=self.settings.sweep_interval_s)
                    flushers: trio.Nursery = await rings.start(sweeper.run, name="ocpp sweeper")
                    async with trio.open_nursery() as stations:
                        reception = Reception(
                            self.reports,
                            self.passwords,
                            self.failed_logins,
                            self.traffic,
                            self.dialects,
                            self.lobby,
                            self.settings.trusted_proxies,
                            anonymous_from_outside=self.settings.allow_anonymous is True,
                        )
                        rings.start_soon(self._repeat_ending, name="ocpp ended certificates")
                        capacity = Capacity(
                            max_connections=self.settings.max_connections,
                            max_handshakes=self.settings.max_handshakes,
                            per_address=PerAddress(
                                self.settings.max_handshakes_per_address,
                                self.settings.max_handshakes_per_proxy,
                                self.settings.trusted_proxies,
                            ),
                        )
                        station_door = _StationDoor(self, reception, sweeper, flushers, drain, capacity)
                        with drain.accepting:
                            task_status.started()
                            await station_door.accept(doors, stations)
                    rings.cancel_scope.cancel()
            watch.cancel_scope.cancel()

    async def _repeat_ending(self) -> None:
        failure = "ended certificates could not be looked for and will be again"
        await repeat(self.end_certified, END_CERTIFIED_EVERY_S, log=log, failure=failure)

    async def end_certified(self) -> None:
        """Close the sockets of stations whose certificates ended since they came, by an operator at any process."""
        certified = {
            each: connection.connected_at
            for each in self.registry.seen()
            if (connection := self.registry.connection(each)) is not None and connection.profile == CERTIFICATE
        }
        if not certified:
            return
        for station_id in await self.reports.certificates_ended_since(certified):
            if (connection := self.registry.connection(station_id)) is not None:
                connection.leave(*CERTIFICATE_ENDED)

    def _dismiss_all(self, code: int, reason: str) -> None:
        self.registry.dismiss_all(code, reason)
        if self.lobby is not None:
            self.lobby.dismiss_all(code, reason)


async def serve_stations(
    server: StationServer,
    binds: Sequence[tuple[str, int]],
    *,
    tls_binds: Sequence[tuple[str, int]] = (),
    tls: TlsIdentity | None = None,
    task_status: trio.TaskStatus[list[Door]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Listen on every (host, port), the TLS ones with `tls`, and serve until cancelled. Port 0 takes a free one.

    Reports the open doors with their real addresses. Raises OSError when a bind is not possible.
    """
    doors = await open_doors(binds, tls_binds, tls, allow_anonymous=server.settings.allow_anonymous)
    if server.settings.allow_anonymous:
        log.error(ANONYMOUS_EVERYWHERE)
    for door in doors:
        log.info("chargers: listening at %s, credentials=%s", door.url, "optional" if door.anonymous else "required")
    async with trio.open_nursery() as nursery:
        await nursery.start(server.serve, doors)
        task_status.started(doors)


@dataclass(frozen=True)
class _StationDoor:
    """The server while it is open."""

    server: StationServer
    reception: Reception
    sweeper: Sweeper
    flushers: trio.Nursery
    drain: Drain
    capacity: Capacity

    async def accept(self, doors: Sequence[Door], stations: trio.Nursery) -> None:
        async with trio.open_nursery() as listeners:
            for door in doors:
                serve_one = functools.partial(self.serve_station, anonymous=door.anonymous)
                accept = functools.partial(trio.serve_listeners, handler_nursery=stations)
                listeners.start_soon(accept, serve_one, [door.listener], name="ocpp accept")

    async def serve_station(self, stream: trio.abc.Stream, *, anonymous: bool) -> None:
        """One station, from the upgrade request to the close; nothing it causes leaves here."""
        if (reason := self.capacity.full(address_of(stream))) is not None:
            self.server.traffic.refusals[Refusal.NO_ROOM] += 1
            await self.capacity.turn_away(stream, reason)
            return
        with self.capacity.connection():
            await self._serve_socket(stream, anonymous=anonymous)

    async def _serve_socket(self, stream: trio.abc.Stream, *, anonymous: bool) -> None:
        limits = self.server.settings.limits
        socket = StationSocket(stream, limits=limits, flushers=self.flushers)
        goodbye, entrant = INTERNAL_ERROR, None
        self.sweeper.watch(socket)
        try:
            with (
                self.capacity.handshake(address_of(stream)),
                self.drain.handshake(),
                trio.move_on_after(limits.open_timeout_s) as patience,
            ):
                entrant = await self.reception.receive(socket, stream, anonymous=anonymous)
            if entrant is not None:
                goodbye = await self._serve_entrant(socket, entrant)
            elif patience.cancelled_caught:
                self.server.traffic.refusals[Refusal.NO_HANDSHAKE] += 1
                _explain(socket, stream, f"no handshake within {limits.open_timeout_s:g} s")
        except* SocketClosed as group:
            _explain(socket, stream, str(group.exceptions[0]))
        except* Exception:
            log.exception("a charger's connection failed")
        finally:
            self.sweeper.forget(socket)
            # Shielded: a cancelled station (drain, twin) is still owed its close code; two frames, bounded.
            with trio.move_on_after(limits.close_timeout_s, shield=True):
                await socket.aclose(*goodbye)
        if goodbye == REPLACED and socket.answered_close and entrant is not None:
            await self._note_twin(entrant)

    async def _note_twin(self, entrant: Entrant) -> None:
        """The socket that was replaced answered our Close: it was alive (a line that was cut would not)."""
        if isinstance(entrant.who, Admission):
            with contain(log, "that a socket was replaced alive could not be written: %s", entrant.who.station_id):
                await self.server.reports.replaced_alive(StationId(entrant.who.station_id))

    async def _serve_entrant(self, socket: StationSocket, entrant: Entrant) -> tuple[int, str]:
        """The conversation; returns the close code and reason to end it with."""
        if isinstance(entrant.who, Stranger):
            return await self._host(socket, entrant.who, entrant.dialect)
        return await self._talk(socket, entrant.who, entrant)

    async def _talk(self, socket: StationSocket, admission: Admission, entrant: Entrant) -> tuple[int, str]:
        """The conversation with a station."""
        server, dialect = self.server, entrant.dialect
        connection = self._connection(
            socket, dialect, admission.station_id, server.frame_log, entrant.address, entrant.profile
        )
        station = ConnectedStation(
            admission,
            connection,
            reports=server.reports,
            clock=server.clock,
            settings=server.settings,
            habits=server.habits,
        )
        async with self._present(connection):
            await connection.run(
                functools.partial(dialect.answer, station), functools.partial(configure_after_boot, station)
            )
        if connection.first_asked_at is not None and connection.close_with != GOING_AWAY:
            after_s = trio.current_time() - connection.first_asked_at
            server.habits.hang_ups.ended(station.station_id, after_s)
        return connection.close_with

    async def _host(self, socket: StationSocket, stranger: Stranger, dialect: Dialect) -> tuple[int, str]:
        """The conversation with a stranger, which may become a station on the way; nothing of it is kept before."""
        server, lobby = self.server, self.server.lobby
        assert lobby is not None
        connection = self._connection(socket, dialect, stranger.identity, NoFrameLog(), stranger.address)
        async with AsyncExitStack() as stay:
            guest = stay.enter_context(lobby.staying(stranger, connection))

            async def move_in() -> None:
                await stay.enter_async_context(self._present(connection))
                connection.frame_log = server.frame_log
                lobby.leave(guest)

            newcomer = Newcomer(
                guest,
                lobby,
                move_in,
                reports=server.reports,
                clock=server.clock,
                settings=server.settings,
                habits=server.habits,
            )
            if self.drain.has_begun:
                connection.leave(*GOING_AWAY)
            await connection.run(functools.partial(dialect.answer, newcomer), newcomer.follow_up)
        return connection.close_with

    def _connection(
        self,
        socket: StationSocket,
        dialect: Dialect,
        station_id: str,
        frame_log: FrameLog,
        address: str,
        profile: int = 0,
    ) -> StationConnection:
        server = self.server
        return StationConnection(
            StationId(station_id),
            socket,
            dialect,
            clock=server.clock,
            ids=server.ids,
            command_timeout_s=server.settings.command_timeout_s,
            silent_after_s=server.settings.heartbeat_timeout_s,
            on_return=functools.partial(server.reports.returned, StationId(station_id)),
            traffic=server.traffic,
            frame_log=frame_log,
            address=address,
            profile=profile,
        )

    @asynccontextmanager
    async def _present(self, connection: StationConnection) -> AsyncIterator[None]:
        """It is the station's connection, and the station is online, until the end of the block."""
        server, station_id = self.server, connection.station_id
        server.registry.add(connection)
        try:
            if self.drain.has_begun:
                connection.leave(*GOING_AWAY)
            async with server.registry.presence(station_id):
                await server.reports.connected(station_id, connection.address, connection.dialect.version)
                connection.presence_written = True
            log.info("station=%s: connected", station_id)
            yield
        finally:
            server.registry.remove(connection)
            # Shielded: presence must be written although the station or the server is going; one short write.
            with trio.move_on_after(server.settings.farewell_timeout_s, shield=True):
                await self._farewell(connection)

    async def _farewell(self, connection: StationConnection) -> None:
        registry, station_id = self.server.registry, connection.station_id
        async with registry.presence(station_id):
            if not registry.is_connected(station_id):  # a twin keeps the station online (duty 4)
                log.info("station=%s: disconnected", station_id)
                await self.server.reports.disconnected(station_id, connection.last_seen_at, connection.close_code)


def _explain(socket: StationSocket, stream: trio.abc.Stream, reason: str) -> None:
    """Say why a socket ended before it was a station's, unless that is in the log already."""
    if not socket.explained:
        log.info("refused: address=%s: %s", address_of(stream) or "-", reason)
