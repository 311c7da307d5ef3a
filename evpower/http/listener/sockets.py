"""Listening sockets from bind texts: `host:port`, `[v6]:port` (port 0 takes a free one), `unix:/path`."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trio

from evpower.digits import whole_number
from evpower.settings.addresses import PORT_MAX

UNIX_PREFIX = "unix:"
#: Owner and group, as the control socket needs (design §8); the file's mode is its access control.
UNIX_SOCKET_UMASK = 0o117
BACKLOG = 1024


@contextmanager
def listening(binds: Sequence[str]) -> Iterator[list[trio.SocketListener]]:
    """Listeners on all the binds, or on none; their Unix socket files go with them. OSError names the bind."""
    with ExitStack() as closing:
        yield [closing.enter_context(_listener(bind)) for bind in binds]


def real_bind(listener: trio.SocketListener) -> str:
    """Where it really listens: `http://127.0.0.1:40123`, `unix:/run/evpower/evpower.sock`."""
    name = listener.socket.getsockname()
    if listener.socket.family == socket.AF_UNIX:
        return f"{UNIX_PREFIX}{name}"
    host, port = name[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _listener(bind: str) -> Iterator[trio.SocketListener]:
    path = Path(bind.removeprefix(UNIX_PREFIX)) if bind.startswith(UNIX_PREFIX) else None
    try:
        listener_socket = _tcp_socket(bind) if path is None else _unix_socket(path)
    except (OSError, ValueError) as error:
        raise OSError(f"cannot listen on {bind}: {error}") from error
    inode = None if path is None else path.stat().st_ino
    with listener_socket:
        listener_socket.setblocking(False)
        try:
            yield trio.SocketListener(trio.socket.from_stdlib_socket(listener_socket))
        finally:
            if path is not None:
                _remove_own(path, inode)


def _tcp_socket(bind: str) -> socket.socket:
    host, separator, digits = bind.rpartition(":")
    port = whole_number(digits, PORT_MAX)
    if not separator or port is None:
        raise ValueError("expected host:port")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _unix_socket(path: Path) -> socket.socket:
    """A fresh socket file of mode 0660; the file of a dead server is replaced, that of a living one is not."""
    _remove_stale(path)
    unix_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode must hold from the first moment; there is no await in between, so nothing else of ours is affected.
    umask = os.umask(UNIX_SOCKET_UMASK)
    try:
        unix_socket.bind(str(path))
        unix_socket.listen(BACKLOG)
    except OSError:
        unix_socket.close()
        raise
    finally:
        os.umask(umask)
    return unix_socket


def _remove_stale(path: Path) -> None:
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError("a file that is no socket is in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise FileExistsError("another server is listening there")


def _remove_own(path: Path, inode: int | None) -> None:
    """Leave a file that a later server has put in our file's place."""
    if path.exists() and path.stat().st_ino == inode:
        path.unlink(missing_ok=True)
