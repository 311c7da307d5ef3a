"""From an accepted stream to an admitted station: the upgrade request, its credentials, or a refusal and its reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import trio
from websockets.http11 import Request
from websockets.server import ServerProtocol

from evpower.client_address import LOOPBACK, Network, is_within
from evpower.identifiers import StationId
from evpower.network.station import Admission
from evpower.ocpp.dialect import Dialect, usual
from evpower.ocpp.door.admission import (
    PASSWORD_AND_TLS,
    Credentials,
    Verdict,
    choose_subprotocol,
    credentials_of,
    identity_of,
    is_below,
    judge,
    offered_subprotocols,
    path_of,
    profile_of,
)
from evpower.ocpp.door.failed_logins import FailedLogins, TooManyTries, address_of
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.tls import ShownCertificate, certificate_of
from evpower.ocpp.lobby import Lobby, Stranger
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.ocpp.wire.transport import SocketClosed, StationSocket
from evpower.reports.station_reports import StationReports
from evpower.worker import contain

log = logging.getLogger("OCPP")

CHALLENGE = (("WWW-Authenticate", 'Basic realm="ocpp"'),)


@dataclass(frozen=True)
class Entrant:
    """Who came in, and the version of OCPP it speaks."""

    who: Admission | Stranger
    dialect: Dialect
    #: The security profile it was admitted on.
    profile: int = 0
    #: Where it comes from; empty for a stream that has no address.
    address: str = ""


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
    #: Whether a station without credentials may come from elsewhere too (`ocpp.allow_anonymous = true`).
    anonymous_from_outside: bool = False

    async def receive(self, socket: StationSocket, stream: trio.abc.Stream, *, anonymous: bool) -> Entrant:
        """The handshake on `socket`, which reads `stream`; the caller bounds it.

        Raises SocketClosed after sending the peer the reason for the refusal.
        """
        with self._counted(Refusal.NO_HANDSHAKE):
            handshake, request = await socket.read_request()
        forwarded_for = request.headers.get_all("X-Forwarded-For")
        address = address_of(stream, forwarded_for, self.trusted_proxies)
        self.traffic.seen.note(address_of(stream), forwarded_for, address, self.trusted_proxies)
        who, profile = await self._admit(socket, stream, handshake, request, address, anonymous=anonymous)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        chosen = choose_subprotocol(offered, self.dialects)
        with self._counted(Refusal.NO_HANDSHAKE):
            await socket.accept(handshake, request, None if chosen is None else chosen[0])
        name = who.identity if isinstance(who, Stranger) else who.station_id
        if chosen is not None:
            return Entrant(who, chosen[1], profile, address)
        if not offered:
            log.info("station=%s: offered no subprotocol", name)
            return Entrant(who, usual(self.dialects), profile, address)
        self._refused(socket, Refusal.NO_SUBPROTOCOL)
        message = "refused: station=%s, address=%s: no common subprotocol, offered %s"
        log.info(message, name, address or "-", ", ".join(offered))
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
        address: str,
        *,
        anonymous: bool,
    ) -> tuple[Admission | Stranger, int]:
        anonymous = anonymous and (self.anonymous_from_outside or _is_inside(address))
        identity = identity_of(request.path)
        try:
            admission = None if identity is None else await self.reports.admit(identity)
            stranger = None
            if identity is not None and admission is None and anonymous:
                stranger = await self._stranger(Stranger(identity, address), certificate_of(stream))
        except Exception as error:
            self._refused(socket, Refusal.DATABASE)
            message = "refused with 503: station=%s, address=%s: cannot look it up: %s"
            log.error(message, identity or "", address or "-", error)
            await socket.reject(handshake, 503, "try again later\n")
        if stranger is not None:
            return stranger, 0
        if identity is None or admission is None:
            self._refused(socket, Refusal.UNKNOWN_STATION)
            await self.failed_logins.failed(address, identity or path_of(request.path), "unknown station")
            await socket.reject(handshake, 404, "unknown station\n")
        authorization = ", ".join(request.headers.get_all("Authorization"))
        certificate = certificate_of(stream)
        names = None if certificate is None else certificate.names
        credentials = credentials_of(request.path, authorization, identity, admission.station_id, names)
        line = _Line(address, certificate, encrypted=self._is_encrypted(stream, request), anonymous=anonymous)
        try:
            verdict = await self._judge(socket, admission, credentials, line)
        except TooManyTries:
            self._refused(socket, Refusal.CREDENTIALS)
            await socket.reject(handshake, 503, "try again later\n")
        profile = profile_of(verdict, credentials, encrypted=line.encrypted)
        if verdict is Verdict.REFUSED:
            await socket.reject(handshake, 401, "unauthorized\n", CHALLENGE)
        if verdict is Verdict.ADMITTED_BY_PENDING and admission.pending_hash is not None:
            await self.reports.password_shown(StationId(admission.station_id), admission.pending_hash)
        if profile >= PASSWORD_AND_TLS and profile > admission.profile_seen:
            await self.reports.profile_shown(StationId(admission.station_id), profile)
        return admission, profile

    async def _stranger(self, stranger: Stranger, certificate: ShownCertificate | None) -> Stranger | None:
        """The stranger, when it may wait for the operator; a certificate that names somebody else is no help."""
        if self.lobby is None or (certificate is not None and stranger.identity not in certificate.names):
            return None
        return stranger if await self.lobby.may_enter(stranger) else None

    async def _judge(
        self, socket: StationSocket, admission: Admission, credentials: Credentials, line: _Line
    ) -> Verdict:
        """The verdict, in the address's turn; a refusal comes after the wait it costs."""
        password, known = credentials.password, admission.password_hash
        remembered = password is not None and known is not None and self.passwords.remembers(password, known)
        tried = ("", "") if remembered else (line.address, admission.station_id)
        async with self.failed_logins.turn(*tried):
            verdict = await judge(admission, credentials, checker=self.passwords, anonymous=line.anonymous)
            reason = credentials.kind
            if verdict is not Verdict.REFUSED:
                reason = await self._worn_out(
                    admission, line, profile_of(verdict, credentials, encrypted=line.encrypted)
                )
            if verdict is Verdict.REFUSED or reason:
                verdict = Verdict.REFUSED
                self._refused(socket, Refusal.CREDENTIALS)
                with contain(log, "that a login was refused could not be written: %s", admission.station_id):
                    await self.reports.login_refused(StationId(admission.station_id), line.address, reason)
                await self.failed_logins.failed(line.address, admission.station_id, reason)
        return verdict

    async def _worn_out(self, admission: Admission, line: _Line, profile: int) -> str:
        """Why credentials that are right open nothing any more; empty when they do."""
        if is_below(profile, admission.profile_seen):
            return f"security profile {profile}, after {admission.profile_seen}"
        certificate, station_id = line.certificate, StationId(admission.station_id)
        if certificate is None or not admission.some_ended:
            return ""
        ended = await self.reports.certificate_ended(station_id, certificate.serial_number, certificate.not_before)
        return "a certificate that was ended" if ended else ""

    def _is_encrypted(self, stream: trio.abc.Stream, request: Request) -> bool:
        """Whether TLS protects the line from the station: to us, or to a proxy of ours that says so."""
        if isinstance(stream, trio.SSLStream):
            return True
        said = request.headers.get_all("X-Forwarded-Proto")[-1:]
        return said in (["https"], ["wss"]) and is_within(address_of(stream), self.trusted_proxies)


@dataclass(frozen=True)
class _Line:
    """How a socket comes to us."""

    address: str
    certificate: ShownCertificate | None
    encrypted: bool
    anonymous: bool


def _is_inside(address: str) -> bool:
    """Whether nobody but this machine can be behind it; a stream without an address is no socket."""
    return not address or is_within(address, LOOPBACK)
