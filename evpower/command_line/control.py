"""The operator's end of the control socket: HTTP over a Unix socket to the running server (design §8)."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from evpower.errors import EvPowerError
from evpower.settings.config import Config

SYSTEM_SOCKET = Path("/run/evpower/evpower.sock")
CONNECT_S = 5.0
#: Names the operator (`evpower/http/operators/control.py`).
OPERATOR_HEADER = "EvPower-Operator"
#: The same key again does nothing a second time.
KEY_HEADER = "Idempotency-Key"
#: Longer than the server gives itself for an import or a check of the whole ledger.
ANSWER_S = 150.0


#: What has ids that may be begun, by the first part of its path, and how a server says that there is no such thing.
NOT_FOUND = {
    "sessions": ("session_not_found",),
    "stations": ("station_not_found",),
    "clients": ("client_not_found", "validation_error"),
    "payments": ("payment_not_found",),
    "locations": ("location_not_found",),
    "id-tags": ("not_found", "tag_not_found"),
}


class NotReachable(EvPowerError):
    """No server answered; the message names the sockets tried and the command that starts one."""

    code = "server_not_reachable"


class RefusedByServer(EvPowerError):
    """The server refused; `envelope` is its whole answer."""

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


class AmbiguousId(EvPowerError):
    """What was written is the begin of several ids; `candidates` are some of them."""

    code = "ambiguous_id"

    def __init__(self, begins: str, candidates: Sequence[str]) -> None:
        self.candidates = list(candidates)
        super().__init__(begins)


class ControlClient:
    """Asks the first server that listens. Raises NotReachable and Refused.

    An id in a path may be written by its begin: where nothing has that id, the one that begins so is meant. Raises
    AmbiguousId when several do.
    """

    def __init__(self, sockets: Sequence[Path]) -> None:
        self._sockets = sockets

    def get(self, *path: str | int, **query: object) -> Any:
        """What is at `path`, given as its parts below /control; each is quoted. A None leaves its `query` field out."""
        return self._ask("GET", path, query)

    def post(self, *path: str | int, body: object = None) -> Any:
        """`body` is sent as JSON; bytes are sent as they are."""
        return self._ask("POST", path, {}, body)

    def put(self, *path: str | int, body: object, key: str | None = None, **query: object) -> Any:
        """`body` is sent as JSON; with the same `key` again nothing is done twice."""
        return self._ask("PUT", path, query, body, key)

    def patch(self, *path: str | int, body: object) -> Any:
        """`body` is sent as JSON."""
        return self._ask("PATCH", path, {}, body)

    def delete(self, *path: str | int) -> Any:
        return self._ask("DELETE", path, {})

    def upload(self, *path: str | int, content: Iterator[bytes], length: int, **query: object) -> Any:
        """Send a file of `length` bytes; `content` is read once, when a server has answered the dial."""
        with self._answer("POST", _target(path, query), content, {"Content-Length": str(length)}) as response:
            return _data(response)

    def lines(self, *path: str | int, **query: object) -> Iterator[dict[str, Any]]:
        """Objects, one a line, as they come; ends when the server says so, or when the caller closes it."""
        with self._answer("GET", _target(path, query)) as response:
            if response.status != HTTPStatus.OK:
                _data(response)
            for line in response:
                if line.strip():
                    yield json.loads(line)

    def whole_id(self, kind: str, begins: str) -> str:
        """The id that begins so; a client is found by the number of its phone too. The text itself when none does.

        Raises AmbiguousId.
        """
        try:
            found = self.get("ids", kind, begins=begins)
        except RefusedByServer:  # an older server
            return begins
        if len(found) > 1:
            raise AmbiguousId(begins, found)
        return str(found[0]) if found else begins

    def _ask(
        self,
        method: str,
        path: Sequence[str | int],
        query: Mapping[str, object],
        body: object = None,
        key: str | None = None,
    ) -> Any:
        """The `data` of a success, of the path as it is or with its id whole: a refusal has changed nothing."""
        try:
            return self._ask_once(method, _target(path, query), body, key)
        except RefusedByServer as refused:
            kind = str(path[0])
            if len(path) < 2 or str(refused.envelope.get("error")) not in NOT_FOUND.get(kind, ()):
                raise
            whole = self.whole_id(kind, str(path[1]))
            if whole == path[1]:
                raise
        return self._ask_once(method, _target((kind, whole, *path[2:]), query), body, key)

    def _ask_once(self, method: str, target: str, body: object, key: str | None) -> Any:
        headers = {}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        if key is not None:
            headers[KEY_HEADER] = key
        with self._answer(method, target, content, headers) as response:
            return _data(response)

    @contextmanager
    def _answer(
        self,
        method: str,
        target: str,
        content: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        connection = self._connect()
        try:
            connection.request(method, target, content, {OPERATOR_HEADER: _user_name(), **(headers or {})})
            yield connection.getresponse()
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


def _user_name() -> str:
    """The operator's name on this machine, percent-encoded; empty for a user without one."""
    try:
        return quote(getpass.getuser(), safe="")
    except (KeyError, OSError):
        return ""


def _target(path: Sequence[str | int], query: Mapping[str, object] | None = None) -> str:
    target = "/".join(("/control", *(quote(str(part), safe="") for part in path)))
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{target}?{urlencode(given)}" if given else target


def _data(response: HTTPResponse) -> Any:
    try:
        answer = json.loads(response.read())
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NotReachable(f"what answers at the socket is not EvPower (HTTP {response.status})")
    if response.status == HTTPStatus.OK and answer.get("success") is True:
        return answer.get("data")
    raise RefusedByServer(answer)
