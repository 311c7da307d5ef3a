"""The settings of the process: where its state, its database, its cache and its log are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evpower.settings.addresses import DatabaseUrl, RedisUrl
from evpower.settings.values import Choice, Number, Text, Whole, setting

#: The kernel's limit on the path of a Unix socket (sun_path, less its final zero).
SOCKET_PATH_BYTES_MAX = 107

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: Every logger there is, ours and those of libraries that are worth naming; a name alone stands for those below it.
LOGGERS = (
    "OCPP",
    "OCPPHandler",
    "evpower",
    "evpower.accounts",
    "evpower.attention",
    "evpower.availability",
    "evpower.belief",
    "evpower.charging",
    "evpower.db",
    "evpower.demo",
    "evpower.events",
    "evpower.favorites",
    "evpower.feed",
    "evpower.fleet",
    "evpower.forecast",
    "evpower.health",
    "evpower.history",
    "evpower.http",
    "evpower.idle_fees",
    "evpower.journal",
    "evpower.limits",
    "evpower.live",
    "evpower.navigation",
    "evpower.pages",
    "evpower.payments",
    "evpower.power",
    "evpower.presence",
    "evpower.processes",
    "evpower.provisioning",
    "evpower.push",
    "evpower.recovery",
    "evpower.redis",
    "evpower.reservations",
    "evpower.settlement",
    "evpower.simulator.providers",
    "evpower.staff",
    "evpower.webhooks",
    "httpcore2",
    "httpx2",
    "hypercorn",
    "payment",
    "security",
    "trio",
    "websockets",
)


@dataclass(frozen=True)
class LevelsByLogger:
    """`LOGGER=LEVEL` each, or none; in the environment separated by commas."""

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list):
            raise ValueError('must be a list such as ["evpower.push=DEBUG"]')
        return tuple(self._one(text) for text in texts)

    def read_text(self, text: str) -> tuple[tuple[str, str], ...]:
        return self.read([part.strip() for part in text.split(",")] if text else [])

    def _one(self, text: object) -> tuple[str, str]:
        name, _, level = text.partition("=") if isinstance(text, str) else ("", "", "")
        if name not in LOGGERS:
            raise ValueError(f"no logger is called {name!r}; there are {', '.join(LOGGERS)}")
        if level not in LOG_LEVELS:
            raise ValueError(f"a logger's level must be one of {', '.join(LOG_LEVELS)}")
        return name, level


@dataclass(frozen=True)
class ServerSettings:
    """The process."""

    state_dir: str = setting("./var", Text(may_be_empty=False))
    control_socket: str = setting("", Text())
    drain_timeout_s: float = setting(20, Number(0, 600))


@dataclass(frozen=True)
class DatabaseSettings:
    """PostgreSQL; without a URL a private one is started in the state directory."""

    url: str = setting("", DatabaseUrl(), secret=True)
    pool_size: int = setting(12, Whole(2, 200))


@dataclass(frozen=True)
class RedisSettings:
    """What several processes share for speed; nothing depends on it."""

    url: str = setting("", RedisUrl(), secret=True)


@dataclass(frozen=True)
class LogSettings:
    """Where the log goes, beside standard output."""

    level: str = setting("INFO", Choice(LOG_LEVELS))
    levels: tuple[tuple[str, str], ...] = setting((), LevelsByLogger())
    format: str = setting("text", Choice(("text", "json")))
    file: str = setting("", Text())


def contradictions(control_socket: Path) -> list[str]:
    """A path that the kernel does not take."""
    if len(str(control_socket).encode()) <= SOCKET_PATH_BYTES_MAX:
        return []
    return [
        f"server.control_socket: {control_socket} is longer than the {SOCKET_PATH_BYTES_MAX} bytes"
        " a Unix socket's path may have; set a shorter one"
    ]
