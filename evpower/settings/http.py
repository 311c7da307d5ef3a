"""The settings of the door for people: its listener, who may come, and how much."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.client_address import LOOPBACK, Network, is_within
from evpower.settings.addresses import Bind, Binds, Networks, Origins, Url
from evpower.settings.values import Flag, IsoDay, Text, Whole, setting

#: As many as 128 bits have in hexadecimal.
ADMIN_TOKEN_CHARS_MIN = 32


@dataclass(frozen=True)
class HttpSettings:
    """The listener for phones."""

    bind: tuple[Bind, ...] = setting((Bind("127.0.0.1", 8080),), Binds())
    request_limit_bytes: int = setting(64 * 1024, Whole(1024, 64 * 1024))
    public_url: str = setting("", Url(("https", "http"), needs_host=True))
    # The owner's app, installed on Android and on iOS, is a page of these origins.
    allowed_origins: tuple[str, ...] = setting(("https://localhost", "capacitor://localhost"), Origins())
    trusted_proxies: tuple[Network, ...] = setting(LOOPBACK, Networks())
    connections_per_address: int = setting(256, Whole(1, 1_000_000))
    connections_per_proxy: int = setting(10_000, Whole(1, 1_000_000))
    sockets_per_address: int = setting(20, Whole(1, 1_000_000))
    sockets_per_client: int = setting(10, Whole(1, 1_000_000))
    rate_limit_exempt: tuple[Network, ...] = setting((), Networks())
    admin_token: str = setting("", Text(), secret=True)
    admin_allow: tuple[Network, ...] = setting((), Networks())
    openapi: bool = setting(False, Flag())
    legacy_sunset: str = setting("", IsoDay())


def contradictions(http: HttpSettings) -> list[str]:
    """What the kinds allow and is too weak all the same."""
    if 0 < len(http.admin_token) < ADMIN_TOKEN_CHARS_MIN:
        return [
            f"http.admin_token: must have at least {ADMIN_TOKEN_CHARS_MIN} characters, such as: openssl rand -hex 16"
        ]
    return []


def dangers(http: HttpSettings) -> list[str]:
    """What does no harm on one's own machine, and may not be once others reach the server (safe by default 9)."""
    if not _trusts_everybody(http):
        return []
    return ["http.trusted_proxies: has everybody in it: whoever connects could pass for any address, and no limit held"]


def doubts(http: HttpSettings) -> list[str]:
    """What works and may surprise."""
    doubts = []
    behind_a_proxy = http.public_url and not all(bind.is_loopback for bind in http.bind)
    if behind_a_proxy and http.trusted_proxies == LOOPBACK:
        doubts.append(
            "http.trusted_proxies names this machine alone: a proxy on another one must be named in it, otherwise all"
            " who come through it share its address and its limits"
        )
    if _trusts_everybody(http):
        doubts.append(
            "http.trusted_proxies has everybody in it: whoever connects can pass for any address, and no limit holds"
        )
    if http.admin_allow and not is_within("127.0.0.1", http.admin_allow):
        doubts.append(
            "http.admin_allow leaves this machine out: a Prometheus beside the server gets no /metrics; add 127.0.0.1"
            " if there is one"
        )
    return doubts


def _trusts_everybody(http: HttpSettings) -> bool:
    return any(network.prefixlen == 0 for network in http.trusted_proxies)
