"""From an accepted stream to an admitted charger: the upgrade request, its credentials, or a refusal and its reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import trio
from websockets.http11 import Request
from websockets.server import ServerProtocol

from evpower.charging.charge_point import Admission
from evpower.charging.reports import ChargerReports
from evpower.ocpp.admission import choose_subprotocol, identity_of, may_enter, offered_subprotocols
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

    async def receive(self, socket: ChargerSocket, stream: trio.abc.Stream, *, anonymous: bool) -> Admission:
        """The handshake on `socket`, which reads `stream`; the caller bounds it.

        Raises SocketClosed after telling the peer why it may not enter.
        """
        handshake, request = await socket.read_request()
        admission = await self._admit(socket, handshake, request, certificate_names(stream), anonymous=anonymous)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        subprotocol = choose_subprotocol(offered)
        await socket.accept(handshake, request, subprotocol)
        if subprotocol is None:
            log.info("station=%s: offered %s", admission.station_id, shown(", ".join(offered)) or "no subprotocol")
            if offered:
                await socket.aclose(1002, "no common subprotocol")
                raise SocketClosed(1002, "no common subprotocol")
        return admission

    async def _admit(
        self,
        socket: ChargerSocket,
        handshake: ServerProtocol,
        request: Request,
        names: frozenset[str] | None,
        *,
        anonymous: bool,
    ) -> Admission:
        identity = identity_of(request.path)
        try:
            admission = None if identity is None else await self.reports.admit(identity)
        except Exception:
            log.exception("station=%s: cannot look it up", shown(identity or ""))
            await socket.reject(handshake, 503, "try again later\n")
        if identity is None or admission is None:
            log.warning("unknown station refused: %s", shown(identity or request.path.partition("?")[0]))
            await socket.reject(handshake, 404, "unknown station\n")
        authorization = ", ".join(request.headers.get_all("Authorization"))
        if not await may_enter(
            admission,
            identity,
            request.path,
            authorization,
            checker=self.passwords,
            certificate_names=names,
            anonymous=anonymous,
        ):
            log.warning("station=%s: refused: no or wrong credentials", admission.station_id)
            await socket.reject(handshake, 401, "unauthorized\n", CHALLENGE)
        return admission
