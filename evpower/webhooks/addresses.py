"""Where a webhook may go: a name that leads to public addresses alone.

Without that, whoever may add an endpoint could have the server send requests into its own network. The address that was
looked at is the one that is connected to: a name that leads elsewhere a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

import trio

#: The addresses of a name at a port; raises OSError.
Lookup: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
URL_CHARS_MAX = 2000
#: Translates to the IPv4 address in its last four bytes (RFC 6052).
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotPublic(Exception):
    """A name that leads to no address, or to one that is not public; the message says which."""


async def look_up(host: str, port: int) -> list[str]:
    """What the system's resolver says. Raises OSError."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def is_public(address: str) -> bool:
    """Whether an address is anybody's to reach: not private, loopback, link-local, reserved or multicast, in whatever
    form of IPv6 it is wrapped."""
    try:
        ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return ip.is_global and not ip.is_multicast


def _unwrapped(ip: IpAddress) -> IpAddress:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if inner is None and ip in NAT64:
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return inner or ip


def host_of(url: str) -> tuple[str, int] | None:
    """Host and port of an address that may be an endpoint's: https, a host, nothing of a user, no fragment; else
    None."""
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        return None
    has_user = parts.username is not None or parts.password is not None
    return None if parts.scheme != "https" or not host or has_user or parts.fragment else (host, port)


async def public_address(host: str, port: int, look_up: Lookup, is_public: Callable[[str], bool] = is_public) -> str:
    """The first address of a host whose addresses are all public. Raises NotPublic."""
    try:
        addresses = await look_up(host, port)
    except OSError:
        addresses = []
    if not addresses:
        raise NotPublic("the name leads to no address")
    for address in addresses:
        if not is_public(address):
            raise NotPublic(f"{address} is not public")
    return addresses[0]
