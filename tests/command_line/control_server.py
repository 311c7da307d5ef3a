"""A control socket that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

from click.testing import CliRunner, Result

from evpower.cli import main


class FakeControl:
    """`answers` maps a path to (status, body); `asked` lists (method, path, body)."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, bytes]] = []
        self.operators: list[str | None] = []
        self.keys: list[str | None] = []

    def succeed(self, path: str, data: Any) -> None:
        self.answers[path] = (200, {"success": True, "data": data})


@contextmanager
def serving(socket: Path) -> Iterator[FakeControl]:
    """Serve until the end of the block."""
    control = FakeControl(socket)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            control.keys.append(self.headers.get("Idempotency-Key"))
            control.operators.append(self.headers.get("EvPower-Operator"))
            control.asked.append((self.command, self.path, body))
            status, answer = control.answers.get(self.path, (404, {"success": False, "error": "not_found"}))
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def address_string(self) -> str:
            return "unix"

    with UnixStreamServer(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield control
        finally:
            server.shutdown()
            thread.join()


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, list(arguments), **options)
