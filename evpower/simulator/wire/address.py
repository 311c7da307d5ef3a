"""Where a station connects to, and how: URL, TCP or TLS stream, Basic auth header (OCPP-J 3.1, 6.2)."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

import trio

Dial = Callable[[str], Awaitable[trio.abc.Stream]]


def station_url(url: str, station_id: str) -> str:
    """The station's own URL.

    `url` may hold `{station_id}`, be the station's own already, be a bare `ws://host:port` (then `/ws/ID` is added),
    or end in the folder the identity belongs into.
    """
    quoted = quote(station_id, safe="")
    if "{station_id}" in url:
        return url.replace("{station_id}", quoted)
    path = urlsplit(url).path.rstrip("/")
    if path.endswith(f"/{quoted}"):
        return url
    base = url.rstrip("/")
    return f"{base}/{quoted}" if path else f"{base}/ws/{quoted}"


def host_header(url: str) -> str:
    """The Host header for a URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


def resource(url: str) -> str:
    """Path and query of a URL."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def basic_auth(station_id: str, password: str) -> list[tuple[bytes, bytes]]:
    """The header of OCPP security profile 1; none without a password."""
    if not password:
        return []
    token = base64.b64encode(f"{station_id}:{password}".encode())
    return [(b"Authorization", b"Basic " + token)]


async def dial(url: str) -> trio.abc.Stream:
    """Open TCP (`ws`) or TLS (`wss`) to a URL's host; raises OSError. The caller sets the time-out."""
    parts = urlsplit(url)
    if parts.hostname is None:
        raise OSError(f"no host in {url}")
    if parts.scheme == "wss":
        return await trio.open_ssl_over_tcp_stream(
            parts.hostname, parts.port or 443, ssl_context=ssl.create_default_context(), https_compatible=True
        )
    return await trio.open_tcp_stream(parts.hostname, parts.port or 80)
