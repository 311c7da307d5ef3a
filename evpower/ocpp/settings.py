"""Settings of the station server: the operator's, and limits that need no setting. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from evpower.client_address import LOOPBACK, Network
from evpower.ocpp.wire.transport import SocketLimits


@dataclass(frozen=True)
class OcppSettings:
    """Defaults are the seed's and the standard's."""

    limits: SocketLimits = field(default_factory=SocketLimits)
    #: Whether stations without a password may enter; None: on loopback doors only (design §9.9).
    allow_anonymous: bool | None = None
    #: Who may say, in X-Forwarded-For, whom it serves.
    trusted_proxies: tuple[Network, ...] = LOOPBACK
    #: Sockets at once, and those of them that are no stations yet; one more is answered 503.
    max_connections: int = 10_000
    max_handshakes: int = 4096
    #: Of those, of one address (IPv6: one /64), and of one trusted proxy.
    max_handshakes_per_address: int = 64
    max_handshakes_per_proxy: int = 4096
    command_timeout_s: float = 30
    #: A station silent for longer counts as offline (contract/ocpp-behaviour §2).
    heartbeat_timeout_s: float = 300
    #: A handler that takes longer (a database that hangs) is answered InternalError.
    handler_timeout_s: float = 30
    #: How long a station may stay without StatusNotification before we take it for booted (duty 18).
    settle_delay_s: float = 5
    meter_value_sample_interval_s: int = 30
    #: How often a station of OCPP 2.0.1 that shows costs is sent them; 0: only in answers to what it reports.
    cost_updated_interval_s: int = 0
    #: From the end of the listener to the last station's close, at most.
    drain_timeout_s: float = 5
    #: For the last database writes about a station that left.
    farewell_timeout_s: float = 5
    sweep_interval_s: float = 1
