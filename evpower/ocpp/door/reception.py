"""From an accepted stream to an admitted station: the upgrade request, its credentials, or a refusal and its reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import trio
from websockets.http11 import Request
from websockets.server import ServerProtocol

from evpower.client_address import LOOPBACK, Network
from evpower.identifiers import StationId
from evpower.network.station import Admission
from evpower.ocpp.dialect import Dialect, usual
from evpower.ocpp.door.admission import (
    Credentials,
    Verdict,
    choose_subprotocol,
    credentials_of,
    identity_of,
    judge,
    offered_subprotocols,
    path_of,
)
from evpower.ocpp.door.failed_logins import FailedLogins, address_of
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.tls import certificate_names
from evpower.ocpp.lobby import Lobby, Stranger
from evpower.ocpp.watch.oddities import shown
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.ocpp.wire.transport import SocketClosed, StationSocket
from evpower.reports.station_reports import StationReports

log = logging.getLogger("OCPP")

CHALLENGE = (("WWW-Authenticate", 'Basic realm="ocpp"'),)


@dataclass(frozen=True)
class Entrant:
    """Who came in, and the version of OCPP it speaks."""

    who: Admission | Stranger
    dialect: Dialect


@dataclass(frozen=True)
class Reception:
    """Where every socket is asked who it is."""

    reports: StationReports
    passwords: PasswordChecker
    failed_logins: FailedLogins
    traffic: Traffic
    #: What is spoken here, best first.
    dialects: Sequence[Dialect]
    #: Where strangers may wait; None: nowhere.
    lobby: Lobby | None = None
    trusted_proxies: tuple[Network, ...] = LOOPBACK

    async def receive(self, socket: StationSocket, stream: trio.abc.Stream, *, anonymous: bool) -> Entrant:
        """The handshake on `socket`, which reads `stream`; the caller bounds it.

        Raises SocketClosed after sending the peer the reason for the refusal.
        """
        with self._counted(Refusal.NO_HANDSHAKE):
            handshake, request = await socket.read_request()
        who = await self._admit(socket, stream, handshake, request, anonymous=anonymous)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        chosen = choose_subprotocol(offered, self.dialects)
        with self._counted(Refusal.NO_HANDSHAKE):
            await socket.accept(handshake, request, None if chosen is None else chosen[0])
        name = who.identity if isinstance(who, Stranger) else who.station_id
        if chosen is not None:
            return Entrant(who, chosen[1])
        if not offered:
            log.info("station=%s: offered no subprotocol", name)
            return Entrant(who, usual(self.dialects))
        self._refused(socket, Refusal.NO_SUBPROTOCOL)
        address, names = address_of(stream), shown(", ".join(offered))
        reason = "refused: station=%s, address=%s: no common subprotocol, offered %s"
        log.info(reason, name, address or "-", names)
        await socket.aclose(1002, "no common subprotocol")
        raise SocketClosed(1002, "no common subprotocol")

    @contextmanager
    def _counted(self, refusal: Refusal) -> Iterator[None]:
        try:
            yield
        except SocketClosed:
            self.traffic.refusals[refusal] += 1
            raise

    def _refused(self, socket: StationSocket, refusal: Refusal) -> None:
        """It is counted, and the log says why."""
        socket.explained = True
        self.traffic.refusals[refusal] += 1

    async def _admit(
        self,
        socket: StationSocket,
        stream: trio.abc.Stream,
        handshake: ServerProtocol,
        request: Request,
        *,
        anonymous: bool,
    ) -> Admission | Stranger:
        address = address_of(stream, request.headers.get_all("X-Forwarded-For"), self.trusted_proxies)
        identity = identity_of(request.path)
        try:
            admission = None if identity is None else await self.reports.admit(identity)
            stranger = None
            if identity is not None and admission is None and anonymous:
                stranger = await self._stranger(Stranger(identity, address), certificate_names(stream))
        except Exception as error:
            self._refused(socket, Refusal.DATABASE)
            reason = "refused with 503: station=%s, address=%s: cannot look it up: %s"
            log.error(reason, shown(identity or ""), address or "-", error)
            await socket.reject(handshake, 503, "try again later\n")
        if stranger is not None:
            return stranger
        if identity is None or admission is None:
            self._refused(socket, Refusal.UNKNOWN_STATION)
            await self.failed_logins.failed(address, identity or path_of(request.path), "unknown station")
            await socket.reject(handshake, 404, "unknown station\n")
        authorization = ", ".join(request.headers.get_all("Authorization"))
        credentials = credentials_of(
            request.path, authorization, identity, admission.station_id, certificate_names(stream)
        )
        verdict = await self._judge(socket, admission, credentials, address, anonymous=anonymous)
        if verdict is Verdict.REFUSED:
            await socket.reject(handshake, 401, "unauthorized\n", CHALLENGE)
        if verdict is Verdict.ADMITTED_BY_PENDING and admission.pending_hash is not None:
            await self.reports.password_shown(StationId(admission.station_id), admission.pending_hash)
        return admission

    async def _stranger(self, stranger: Stranger, certificate_names: frozenset[str] | None) -> Stranger | None:
        """The stranger, when it may wait for the operator; a certificate that names somebody else is no help."""
        if self.lobby is None or (certificate_names is not None and stranger.identity not in certificate_names):
            return None
        return stranger if await self.lobby.may_enter(stranger) else None

    async def _judge(
        self, socket: StationSocket, admission: Admission, credentials: Credentials, address: str, *, anonymous: bool
    ) -> Verdict:
        """The verdict, in the address's turn; a refusal comes after the wait it costs."""
        password, known = credentials.password, admission.password_hash
        remembered = password is not None and known is not None and self.passwords.remembers(password, known)
        async with self.failed_logins.turn("" if remembered else address):
            verdict = await judge(admission, credentials, checker=self.passwords, anonymous=anonymous)
            if verdict is Verdict.REFUSED:
                self._refused(socket, Refusal.CREDENTIALS)
                await self.failed_logins.failed(address, admission.station_id, credentials.kind)
        return verdict
