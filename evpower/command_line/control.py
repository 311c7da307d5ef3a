"""The operator's end of the control socket: HTTP over a Unix socket to the running server (design §8)."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from evpower.config import Config
from evpower.errors import EvPowerError

SYSTEM_SOCKET = Path("/run/evpower/evpower.sock")
CONNECT_S = 5.0
#: Longer than the server gives itself for an import or a check of the whole ledger.
ANSWER_S = 150.0


class NotReachable(EvPowerError):
    """No server answered; the message names the sockets tried and the command that starts one."""

    code = "server_not_reachable"


class Refused(EvPowerError):
    """The server said no; `envelope` is its whole answer."""

    code = "refused"

    def __init__(self, envelope: dict[str, Any]) -> None:
        self.envelope = envelope
        super().__init__(str(envelope.get("message") or envelope.get("error") or "the server refused"))


def sockets_to_try(config: Config, named: Path | None, system_socket: Path) -> list[Path]:
    """A socket somebody named is the only one: a command must not reach another server than was meant."""
    if named is not None:
        return [named]
    if config.server.control_socket:
        return [config.control_socket]
    return [config.control_socket, system_socket]


class ControlClient:
    """Asks the first server that listens. Raises NotReachable and Refused."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self._sockets = sockets

    def status(self) -> Any:
        return self._ask("GET", "/control/status")

    def stations(self) -> Any:
        return self._ask("GET", "/control/stations")

    def sessions(self, *, all_sessions: bool) -> Any:
        return self._ask("GET", "/control/sessions" + ("?all=1" if all_sessions else ""))

    def stop_session(self, session_id: str) -> Any:
        return self._ask("POST", f"/control/sessions/{quote(session_id, safe='')}/stop")

    def import_fleet(self, content: Iterator[bytes], length: int) -> Any:
        """Send a fleet file; `content` is read once, when a server has answered the dial."""
        headers = {"Content-Type": "application/toml", "Content-Length": str(length)}
        return self._ask("POST", "/control/import", content=content, headers=headers)

    def ledger(self) -> Any:
        return self._ask("GET", "/control/ledger")

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        """The `data` of a success."""
        socket_path = self._first_that_listens()
        transport = httpx2.HTTPTransport(uds=str(socket_path))
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        try:
            with httpx2.Client(transport=transport, base_url="http://evpower", timeout=timeout) as client:
                return _data(client.request(method, path, **request))
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise NotReachable(f"the server at {socket_path} did not answer: {reason}") from None

    def _first_that_listens(self) -> Path:
        failures = []
        for socket_path in self._sockets:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(CONNECT_S)
                try:
                    probe.connect(str(socket_path))
                except OSError as error:
                    failures.append(f"{socket_path} ({error.strerror or error})")
                else:
                    return socket_path
        raise NotReachable(f"no server at {' or '.join(failures)}; start one with: evpower serve")


def _data(response: httpx2.Response) -> Any:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NotReachable(f"what answers at the socket is not EvPower (HTTP {response.status_code})")
    if response.is_success and answer.get("success") is True:
        return answer.get("data")
    raise Refused(answer)
