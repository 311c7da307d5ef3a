"""Notifications to systemd (`Type=notify`): ready, stopping, and the watchdog's ping from inside the event loop.

Without NOTIFY_SOCKET in the environment every call does nothing. See sd_notify(3).
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

import trio

from evpower.digits import INT64_MAX, whole_number

log = logging.getLogger("evpower")


class Notifier:
    """One process's line to its service manager."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environ) if self._address else None

    def ready(self) -> None:
        """Every listener listens."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The doors are closing."""
        self._send("STOPPING=1")

    async def keep_watchdog(self) -> None:
        """Ping at half of systemd's patience until cancelled: a loop that hangs stops pinging and is restarted."""
        if self._watchdog_s is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await trio.sleep(self._watchdog_s / 2)

    def _send(self, state: str) -> None:
        if self._address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            try:
                line.sendto(state.encode(), self._address)
            except OSError as error:
                log.warning("systemd was not told %s: %s", state, error)


def _address(path: str) -> str | None:
    """A path, or an abstract name (`@` means the leading zero byte)."""
    if path.startswith("@"):
        return "\0" + path[1:]
    return path if path.startswith("/") else None


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """systemd's patience in seconds, when it is meant for this process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = whole_number(environ.get("WATCHDOG_USEC", ""), INT64_MAX)
    return microseconds / 1e6 if microseconds else None
