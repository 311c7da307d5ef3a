"""The stations' listeners: plain and TLS side by side, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from evpower.ocpp.door.stream import DirectListener, open_listeners
from evpower.ocpp.door.tls import TlsIdentity, TlsListener


@dataclass(frozen=True)
class Door:
    """A listener, and whether stations without credentials may come in by it (design §9.9)."""

    listener: trio.abc.Listener[trio.abc.Stream]
    anonymous: bool
    #: The real host and port; none for listeners that are no sockets.
    address: tuple[str, int] = ("", 0)
    is_tls: bool = False

    @property
    def url(self) -> str:
        """What a station is configured with."""
        host, port = self.address
        shown = f"[{host}]" if ":" in host else host
        return f"{'wss' if self.is_tls else 'ws'}://{shown}:{port}/ws/{{station_id}}"


async def open_doors(
    binds: Sequence[tuple[str, int]],
    tls_binds: Sequence[tuple[str, int]],
    tls: TlsIdentity | None,
    *,
    allow_anonymous: bool | None,
) -> list[Door]:
    """Listen on every (host, port); `allow_anonymous` None means at loopback doors only.

    Raises OSError when one cannot be bound, with none left open, and ValueError for TLS binds without an identity.
    """
    if tls_binds and tls is None:
        raise ValueError("TLS binds need a certificate")
    listeners: list[tuple[DirectListener, TlsIdentity | None]] = []
    try:
        for identity, addresses in ((None, binds), (tls, tls_binds)):
            for host, port in addresses:
                listeners += [(listener, identity) for listener in await open_listeners(host, port)]
    except BaseException:
        for listener, _ in listeners:
            listener.close()
        raise
    return [
        Door(
            listener if identity is None else TlsListener(listener, identity),
            listener.is_loopback if allow_anonymous is None else allow_anonymous,
            listener.address,
            is_tls=identity is not None,
        )
        for listener, identity in listeners
    ]
