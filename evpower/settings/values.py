"""What a setting may hold: each kind reads a TOML value or an environment text, or says what is allowed.

`read` and `read_text` return the value, or raise ValueError with a sentence that names what is allowed and never the
value itself, which may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from evpower.client_address import Network
from evpower.digits import whole_number

PORT_MAX = 65_535


class Kind(Protocol):
    """A kind of setting."""

    def read(self, value: object) -> Any:
        """The setting from a TOML value."""
        ...

    def read_text(self, text: str) -> Any:
        """The setting from an environment variable."""
        ...


def setting(default: Any, kind: Kind, *, secret: bool = False) -> Any:
    """A field of a section; a secret one is not in the section's repr."""
    return field(default=default, metadata={"kind": kind}, repr=not secret)


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
class Whole:
    """A whole number in a closed range."""

    low: int
    high: int

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be a whole number from {self.low} to {self.high}")
        return value

    def read_text(self, text: str) -> int:
        try:
            return self.read(int(text))
        except ValueError:
            raise ValueError(f"must be a whole number from {self.low} to {self.high}") from None


@dataclass(frozen=True)
class OneOf:
    """One whole number of a list."""

    numbers: tuple[int, ...]

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value not in self.numbers:
            raise ValueError(f"must be {' or '.join(str(number) for number in self.numbers)}")
        return value

    def read_text(self, text: str) -> int:
        return self.read(whole_number(text, max(self.numbers)))


@dataclass(frozen=True)
class Number:
    """A number in a closed range."""

    low: float
    high: float

    def read(self, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(self._allowed())
        return value

    def read_text(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        return self.read(number)

    def _allowed(self) -> str:
        return f"must be a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Rate:
    """Som per unit as an exact decimal, written in quotes so that no binary float comes between."""

    high: Decimal

    def read(self, value: object) -> Decimal:
        allowed = f'must be a decimal number in quotes from 0 to {self.high}, such as "13.5"'
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(allowed)
        try:
            rate = Decimal(value)
        except InvalidOperation:
            raise ValueError(allowed) from None
        if not rate.is_finite() or not 0 <= rate <= self.high:
            raise ValueError(allowed)
        return rate

    def read_text(self, text: str) -> Decimal:
        return self.read(text)


@dataclass(frozen=True)
class Text:
    """A line of text."""

    may_be_empty: bool = True

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be text in quotes")
        if not value and not self.may_be_empty:
            raise ValueError("must not be empty")
        if not value.isprintable():
            raise ValueError("must be one line of printable text")
        return value

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class Choice:
    """One value of a fixed list; `why_not` gives the reason why a known value is not available."""

    values: tuple[str, ...]
    why_not: tuple[tuple[str, str], ...] = ()

    def read(self, value: object) -> str:
        if isinstance(value, str):
            if value in self.values:
                return value
            for unavailable, reason in self.why_not:
                if value == unavailable:
                    raise ValueError(reason)
        raise ValueError(f"must be {self._listed()}")

    def read_text(self, text: str) -> str:
        return self.read(text)

    def _listed(self) -> str:
        return " or ".join(f'"{value}"' for value in self.values)


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    def read_text(self, text: str) -> bool:
        meanings = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in meanings:
            raise ValueError("must be true or false")
        return meanings[text.lower()]


@dataclass(frozen=True)
class OptionalFlag:
    """true, false, or not set at all."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false (leave it out to decide by the bind)")
        return value

    def read_text(self, text: str) -> bool | None:
        meanings = {"true": True, "1": True, "false": False, "0": False, "": None}
        if text.lower() not in meanings:
            raise ValueError("must be true or false (leave it out to decide by the bind)")
        return meanings[text.lower()]


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


@dataclass(frozen=True)
class PhonePrefixes:
    """How telephone numbers of a country begin, `+996`, at least one; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of beginnings of telephone numbers, such as "+996"'

    def read(self, value: object) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(self._is_one(text) for text in texts):
            raise ValueError(self.allowed)
        return tuple(texts)

    def read_text(self, text: str) -> tuple[str, ...]:
        return self.read([part.strip() for part in text.split(",")])

    def _is_one(self, text: object) -> bool:
        return isinstance(text, str) and re.fullmatch(r"\+[1-9][0-9]{0,13}", text) is not None


@dataclass(frozen=True)
class TimeZone:
    """A name of the time zone database."""

    def read(self, value: object) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (LookupError, ValueError, OSError):
            raise ValueError('must be a time zone this system knows, such as "Asia/Bishkek"') from None

    def read_text(self, text: str) -> ZoneInfo:
        return self.read(text)
