"""The settings of the process: where its state, its database, its cache and its log are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evpower.settings.addresses import RedisUrl, Url
from evpower.settings.values import Choice, Number, Text, Whole, setting

#: The kernel's limit on the path of a Unix socket (sun_path, less its final zero).
SOCKET_PATH_BYTES_MAX = 107


@dataclass(frozen=True)
class ServerSettings:
    """The process."""

    state_dir: str = setting("./var", Text(may_be_empty=False))
    control_socket: str = setting("", Text())
    drain_timeout_s: float = setting(20, Number(0, 600))


@dataclass(frozen=True)
class DatabaseSettings:
    """PostgreSQL; without a URL a private one is started in the state directory."""

    url: str = setting("", Url(("postgresql", "postgres")), secret=True)
    pool_size: int = setting(12, Whole(2, 200))


@dataclass(frozen=True)
class RedisSettings:
    """What several processes share for speed; nothing depends on it."""

    url: str = setting("", RedisUrl(), secret=True)


@dataclass(frozen=True)
class LogSettings:
    """Where the log goes, beside standard output."""

    level: str = setting("INFO", Choice(("DEBUG", "INFO", "WARNING", "ERROR")))
    file: str = setting("", Text())


def contradictions(control_socket: Path) -> list[str]:
    """A path that the kernel does not take."""
    if len(str(control_socket).encode()) <= SOCKET_PATH_BYTES_MAX:
        return []
    return [
        f"server.control_socket: {control_socket} is longer than the {SOCKET_PATH_BYTES_MAX} bytes"
        " a Unix socket's path may have; set a shorter one"
    ]
