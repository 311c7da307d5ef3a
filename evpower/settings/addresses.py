"""What a setting may hold: addresses, of listeners, of servers, of web pages, of networks (as `values.py`)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from evpower.client_address import Network
from evpower.digits import whole_number

PORT_MAX = 65_535


@dataclass(frozen=True)
class Bind:
    """Where a listener listens; port 0 means any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Binds:
    """Addresses `host:port`, at least one unless `may_be_empty`; in the environment separated by commas."""

    may_be_empty: bool = False
    allowed: ClassVar[str] = (
        'must be "host:port" or a list of them, such as "127.0.0.1:8080" or "[::1]:8080" (port 0: any free one)'
    )

    def read(self, value: object) -> tuple[Bind, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not (texts or self.may_be_empty):
            raise ValueError(self.allowed)
        binds = tuple(self._one(text) for text in texts)
        if len({bind for bind in binds if bind.port}) < sum(bind.port != 0 for bind in binds):
            raise ValueError("names the same address twice")
        return binds

    def read_text(self, text: str) -> tuple[Bind, ...]:
        return self.read([part.strip() for part in text.split(",")] if text else [])

    def _one(self, text: object) -> Bind:
        host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(self.allowed)
        if not (colon and host and host.isprintable() and " " not in host and port.isascii() and port.isdigit()):
            raise ValueError(self.allowed)
        number = whole_number(port, PORT_MAX)
        if number is None:
            raise ValueError(f"has a port above {PORT_MAX}")
        return Bind(host, number)


@dataclass(frozen=True)
class Url:
    """An address of one of `schemes`, or nothing; with `plain_only_here`, http:// only to this machine."""

    schemes: tuple[str, ...]
    needs_host: bool = False
    plain_only_here: bool = False

    def read(self, value: object) -> str:
        allowed = f"must be empty or begin with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"
        if value == "":
            return ""
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise ValueError(allowed)
        try:
            parts = urlsplit(value)
        except ValueError:
            raise ValueError(allowed) from None
        if parts.scheme not in self.schemes or "://" not in value:
            raise ValueError(allowed)
        if self.needs_host and not parts.hostname:
            raise ValueError("must name a host")
        if self.plain_only_here and parts.scheme == "http" and not Bind(parts.hostname or "", 0).is_loopback:
            raise ValueError("must begin with https:// unless its host is this machine")
        return value

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class DatabaseUrl:
    """Where PostgreSQL is, as libpq reads it, or nothing; of several servers the one that takes writes."""

    def read(self, value: object) -> str:
        url = Url(("postgresql", "postgres")).read(value)
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        wanted = query.get("target_session_attrs")
        hosts = (parts.netloc.rpartition("@")[2], query.get("host", ""), query.get("hostaddr", ""))
        several = any("," in each for each in hosts)
        # A standby would be connected to like any other server, and refuses every write. Our sessions are read-only
        # but where a unit of work begins, so libpq would find no server that is "read-write".
        if wanted not in {None, "primary"} or (several and wanted is None):
            raise ValueError("must say target_session_attrs=primary when it names several servers, and nothing else")
        return url

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class RedisUrl:
    """Where Redis is, as redis-py reads it, or nothing."""

    allowed: ClassVar[str] = (
        "must be empty or like redis://:password@host:6379/0 (rediss:// is TLS, unix:///path?db=0 a socket),"
        " with % escapes in names and passwords"
    )

    def read(self, value: object) -> str:
        if value == "":
            return ""
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise ValueError(self.allowed)
        # Not above: a command that only reads settings need not load it.
        from redis.connection import Connection, parse_url

        try:
            settings = parse_url(value)
            settings.pop("connection_class", Connection)(**settings)  # connects to nothing yet
        except (ValueError, TypeError):
            raise ValueError(self.allowed) from None
        return value

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class Origins:
    """Web pages as browsers name them, `https://app.example`, or none; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of origins, such as "https://app.example"'

    def read(self, value: object) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list):
            raise ValueError(self.allowed)
        return tuple(self._one(text) for text in texts)

    def read_text(self, text: str) -> tuple[str, ...]:
        return self.read([part.strip() for part in text.split(",")] if text else [])

    def _one(self, text: object) -> str:
        try:
            parts = urlsplit(text) if isinstance(text, str) else None
        except ValueError:
            parts = None
        if parts is None or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(self.allowed)
        return parts.geturl()


@dataclass(frozen=True)
class Hosts:
    """Names of hosts, at least one; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of names of hosts, such as "fcm.googleapis.com"'

    def read(self, value: object) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(self._is_one(text) for text in texts):
            raise ValueError(self.allowed)
        return tuple(texts)

    def read_text(self, text: str) -> tuple[str, ...]:
        return self.read([part.strip() for part in text.split(",")])

    def _is_one(self, text: object) -> bool:
        # A name, lower-case: an address of a machine is none, for every address would end in one of its parts.
        pattern = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?"
        return isinstance(text, str) and re.fullmatch(pattern, text) is not None


@dataclass(frozen=True)
class Networks:
    """IP addresses and networks, or none; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of addresses or networks, such as "10.0.0.5" or "10.0.0.0/8"'

    def read(self, value: object) -> tuple[Network, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list):
            raise ValueError(self.allowed)
        return tuple(self._one(text) for text in texts)

    def read_text(self, text: str) -> tuple[Network, ...]:
        return self.read([part.strip() for part in text.split(",")] if text else [])

    def _one(self, text: object) -> Network:
        try:
            # Numbers too would be taken for addresses.
            return ipaddress.ip_network(text if isinstance(text, str) else "")
        except ValueError:
            raise ValueError(self.allowed) from None
