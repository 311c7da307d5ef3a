"""Whose address a connection is counted and logged under, whether or not proxies stand between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

#: Strangers may write the header too: no more of them are remembered.
UNBELIEVED_MAX = 20
#: One connection's address is looked at several times, and most bring many connections.
ADDRESSES_KEPT = 4096
#: Proxies on this machine.
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def client_address(peer: str, forwarded_for: Iterable[str], proxies: Collection[Network]) -> str:
    """The socket's peer; when that is one of `proxies`, the last address in X-Forwarded-For, and so on.

    Each proxy appends the address it serves, so the entries that an untrusted peer sent itself are not believed.
    `forwarded_for` has every such header, in order. A peer that is no IP address (a Unix socket's) is left as it is.
    """
    address = _plain(peer)
    if address is None:
        return peer
    for hop in reversed([hop for header in forwarded_for for hop in header.split(",")]):
        named = _plain(hop.strip()) if is_within(str(address), proxies) else None
        if named is None:
            break
        address = named
    return str(address)


def neighbourhood(address: str) -> str:
    """What is counted as one: an address, or the /64 of one of IPv6, which is given to one customer whole."""
    plain = _plain(address)
    if isinstance(plain, IPv6Address):
        return str(ip_network((plain, 64), strict=False))
    return address if plain is None else str(plain)


@dataclass(frozen=True)
class PerAddress:
    """How many of something one address may have at once, and how many a trusted proxy, which brings many."""

    most: int
    most_of_a_proxy: int
    proxies: Collection[Network] = LOOPBACK
    _open: Counter[str] = field(default_factory=Counter)

    def is_full(self, peer: str) -> bool:
        """Whether this peer has all it may have; what has no address (a Unix socket) may have any number."""
        most = self.most_of_a_proxy if is_within(peer, self.proxies) else self.most
        return bool(peer) and self._open[neighbourhood(peer)] >= most

    @contextmanager
    def one(self, peer: str) -> Iterator[None]:
        """One more of it, for the block."""
        counted = neighbourhood(peer)
        self._open[counted] += 1
        try:
            yield
        finally:
            self._open[counted] -= 1
            if not self._open[counted]:
                del self._open[counted]


class SeenAddresses:
    """By which addresses requests came since the start: whether proxies name those they serve."""

    def __init__(self) -> None:
        #: Requests whose caller a trusted proxy named.
        self.named = 0
        #: Requests that named nobody but themselves.
        self.direct = 0
        #: Who named others and is no trusted proxy, by address (IPv6: by /64).
        self.unbelieved: Counter[str] = Counter()
        self.last_named = ""

    def note(self, peer: str, forwarded_for: Sequence[str], address: str, proxies: Collection[Network]) -> None:
        """One request: its socket's peer, its headers, and the address it is counted under."""
        if _plain(peer) is None:
            return  # of a Unix socket
        if not forwarded_for:
            self.direct += 1
        elif is_within(peer, proxies):
            self.named += 1
            self.last_named = address
        else:
            place = neighbourhood(peer)
            if place in self.unbelieved or len(self.unbelieved) < UNBELIEVED_MAX:
                self.unbelieved[place] += 1


def is_within(address: str, networks: Collection[Network]) -> bool:
    """Whether it is an address of one of the networks."""
    plain = _plain(address)
    return plain is not None and any(plain in network for network in networks)


@lru_cache(ADDRESSES_KEPT)
def _plain(text: str) -> IPv4Address | IPv6Address | None:
    """The address; one of IPv4 that came over a socket of IPv6 is of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
