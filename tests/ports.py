"""A port for a process that must know it before it starts."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from pathlib import Path

#: Below those that Linux gives to a socket that asks for any: tests beside this one open sockets all the time.
OWN_PORTS = range(10_000, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))


def free_port() -> int:
    """A port of 127.0.0.1 that is free, and stays so: the system assigns none of these by itself."""
    while True:
        port = secrets.choice(OWN_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
