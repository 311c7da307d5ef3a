"""The operator's end of the control socket: HTTP over a Unix socket to the running server (design §8)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

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


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("evpower")
        self.path = path

    def connect(self) -> None:
        """Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_S)
        try:
            self.sock.connect(str(self.path))
        except OSError:
            self.close()
            raise
        self.sock.settimeout(ANSWER_S)


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
        return self._ask("POST", "/control/import", content, headers)

    def command(self, station_id: str, action: str, payload: bytes) -> Any:
        """Send one OCPP command; the payload of the charger's answer."""
        path = f"/control/stations/{quote(station_id, safe='')}/commands/{quote(action, safe='')}"
        return self._ask("POST", path, iter((payload,)), _json_headers(payload))

    def set_password(self, station_id: str, password: str, *, push: bool, form: str) -> Any:
        """Set a station's password; `push` tells the charger, `form` how (plain or hex)."""
        content = json.dumps({"password": password, "push": push, "form": form}).encode()
        path = f"/control/stations/{quote(station_id, safe='')}/password"
        return self._ask("PUT", path, iter((content,)), _json_headers(content))

    def security_events(self, station_id: str) -> Any:
        return self._ask("GET", f"/control/stations/{quote(station_id, safe='')}/security-events")

    def tags(self) -> Any:
        return self._ask("GET", "/control/id-tags")

    def put_tag(self, id_tag: str, card: Mapping[str, Any]) -> Any:
        """Make the card so; what `card` leaves out is empty."""
        body = json.dumps(card).encode()
        return self._ask("PUT", f"/control/id-tags/{quote(id_tag, safe='')}", iter((body,)), _json_headers(body))

    def delete_tag(self, id_tag: str) -> Any:
        return self._ask("DELETE", f"/control/id-tags/{quote(id_tag, safe='')}")

    def parked(self, *, resolved_too: bool) -> Any:
        return self._ask("GET", "/control/parked" + ("?all=1" if resolved_too else ""))

    def missing_energy(self) -> Any:
        return self._ask("GET", "/control/parked/missing-energy")

    def resolve_parked(self, parked_id: int, decision: Mapping[str, Any]) -> Any:
        body = json.dumps(decision).encode()
        return self._ask("POST", f"/control/parked/{parked_id}/resolve", iter((body,)), _json_headers(body))

    def operate(self, station_id: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """Have a charger do something that is followed to its end."""
        content = json.dumps(arguments).encode()
        path = f"/control/stations/{quote(station_id, safe='')}/operations/{quote(name, safe='')}"
        return self._ask("POST", path, iter((content,)), _json_headers(content))

    def configuration(self, station_id: str) -> Any:
        """The last known configuration of a charger."""
        return self._ask("GET", f"/control/stations/{quote(station_id, safe='')}/configuration")

    def ledger(self) -> Any:
        return self._ask("GET", "/control/ledger")

    def trace(self, station_id: str, *, since: str, limit: int, follow: bool) -> Iterator[dict[str, Any]]:
        """A charger's frames, as they come; ends when the server says so, or when the caller closes it."""
        query = urlencode({"since": since, "limit": limit, "follow": int(follow)})
        connection = self._connect()
        try:
            connection.request("GET", f"/control/stations/{quote(station_id, safe='')}/trace?{query}")
            response = connection.getresponse()
            if response.status != HTTPStatus.OK:
                _data(response)
            for line in response:
                if line.strip():
                    yield json.loads(line)
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise NotReachable(f"the server at {connection.path} did not answer: {reason}") from None
        finally:
            connection.close()

    def _ask(
        self, method: str, path: str, content: Iterator[bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The `data` of a success."""
        connection = self._connect()
        try:
            connection.request(method, path, content, headers or {})
            return _data(connection.getresponse())
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise NotReachable(f"the server at {connection.path} did not answer: {reason}") from None
        finally:
            connection.close()

    def _connect(self) -> UnixConnection:
        failures = []
        for path in self._sockets:
            connection = UnixConnection(path)
            try:
                connection.connect()
            except OSError as error:
                failures.append(f"{path} ({error.strerror or error})")
            else:
                return connection
        raise NotReachable(f"no server at {' or '.join(failures)}; start one with: evpower serve")


def _json_headers(content: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", "Content-Length": str(len(content))}


def _data(response: HTTPResponse) -> Any:
    try:
        answer = json.loads(response.read())
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NotReachable(f"what answers at the socket is not EvPower (HTTP {response.status})")
    if response.status == HTTPStatus.OK and answer.get("success") is True:
        return answer.get("data")
    raise Refused(answer)
