"""From an accepted stream to an admitted charger: the upgrade request, its credentials, or a refusal and its reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import trio
from websockets.http11 import Request
from websockets.server import ServerProtocol

from evpower.charging.charge_point import Admission
from evpower.charging.reports import ChargerReports
from evpower.identifiers import StationId
from evpower.ocpp.admission import (
    Credentials,
    Verdict,
    choose_subprotocol,
    credentials_of,
    identity_of,
    judge,
    offered_subprotocols,
)
from evpower.ocpp.failed_logins import FailedLogins, address_of
from evpower.ocpp.oddities import shown
from evpower.ocpp.passwords import PasswordChecker
from evpower.ocpp.tls import certificate_names
from evpower.ocpp.transport import ChargerSocket, SocketClosed

log = logging.getLogger("OCPP")

CHALLENGE = (("WWW-Authenticate", 'Basic realm="ocpp"'),)


@dataclass(frozen=True)
class Reception:
    """Where every socket is asked who it is."""

    reports: ChargerReports
    passwords: PasswordChecker
    failed_logins: FailedLogins

    async def receive(self, socket: ChargerSocket, stream: trio.abc.Stream, *, anonymous: bool) -> Admission:
        """The handshake on `socket`, which reads `stream`; the caller bounds it.

        Raises SocketClosed after telling the peer why it may not enter.
        """
        handshake, request = await socket.read_request()
        admission = await self._admit(socket, stream, handshake, request, anonymous=anonymous)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        subprotocol = choose_subprotocol(offered)
        await socket.accept(handshake, request, subprotocol)
        if subprotocol is None and not offered:
            log.info("station=%s: offered no subprotocol", admission.station_id)
        elif subprotocol is None:
            socket.explained = True
            address, words = address_of(stream, ""), shown(", ".join(offered))
            reason = "refused: station=%s, address=%s: no common subprotocol, offered %s"
            log.info(reason, admission.station_id, address or "-", words)
            await socket.aclose(1002, "no common subprotocol")
            raise SocketClosed(1002, "no common subprotocol")
        return admission

    async def _admit(
        self,
        socket: ChargerSocket,
        stream: trio.abc.Stream,
        handshake: ServerProtocol,
        request: Request,
        *,
        anonymous: bool,
    ) -> Admission:
        address = address_of(stream, request.headers.get("X-Forwarded-For", ""))
        identity = identity_of(request.path)
        try:
            admission = None if identity is None else await self.reports.admit(identity)
        except Exception as error:
            socket.explained = True
            reason = "refused with 503: station=%s, address=%s: cannot look it up: %s"
            log.error(reason, shown(identity or ""), address or "-", error)
            await socket.reject(handshake, 503, "try again later\n")
        if identity is None or admission is None:
            socket.explained = True
            await self.failed_logins.failed(address, identity or request.path.partition("?")[0], "unknown station")
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

    async def _judge(
        self, socket: ChargerSocket, admission: Admission, credentials: Credentials, address: str, *, anonymous: bool
    ) -> Verdict:
        """The verdict, in the address's turn; a refusal comes after the wait it costs."""
        password, known = credentials.password, admission.password_hash
        remembered = password is not None and known is not None and self.passwords.remembers(password, known)
        async with self.failed_logins.turn("" if remembered else address):
            verdict = await judge(admission, credentials, checker=self.passwords, anonymous=anonymous)
            if verdict is Verdict.REFUSED:
                socket.explained = True
                await self.failed_logins.failed(address, admission.station_id, credentials.kind)
        return verdict
