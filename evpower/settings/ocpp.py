"""The settings of the door for chargers, and of what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.settings.addresses import Bind, Binds, Origins, Url
from evpower.settings.values import Choice, Flag, Number, OptionalFlag, Text, Whole, setting


@dataclass(frozen=True)
class OcppSettings:
    """The listener for stations, and what we ask of them."""

    bind: tuple[Bind, ...] = setting((Bind("127.0.0.1", 9000),), Binds(may_be_empty=True))
    tls_bind: tuple[Bind, ...] = setting((), Binds(may_be_empty=True))
    tls_certificate: str = setting("", Text())
    tls_key: str = setting("", Text())
    tls_client_ca: str = setting("", Text())
    station_ca_certificate: str = setting("", Text())
    station_ca_key: str = setting("", Text())
    station_certificate_days: int = setting(365, Whole(1, 3650))
    allow_anonymous: bool | None = setting(None, OptionalFlag())
    accept_unknown: str = setting("refuse", Choice(("refuse", "pending")))
    heartbeat_interval_s: int = setting(60, Whole(1, 86_400))
    heartbeat_timeout_s: float = setting(300, Number(1, 604_800))
    command_timeout_s: float = setting(30, Number(0.1, 600))
    max_frame_bytes: int = setting(1_048_576, Whole(1024, 16 * 1024 * 1024))
    max_backlog_bytes: int = setting(1_048_576, Whole(65_536, 64 * 1024 * 1024))
    max_connections: int = setting(10_000, Whole(1, 1_000_000))
    max_handshakes: int = setting(4096, Whole(1, 1_000_000))
    max_handshakes_per_address: int = setting(64, Whole(1, 1_000_000))
    max_handshakes_per_proxy: int = setting(4096, Whole(1, 1_000_000))
    ping_interval_s: float = setting(60, Number(1, 3600))
    ping_timeout_s: float = setting(20, Number(0.1, 3600))
    send_timeout_s: float = setting(20, Number(0.1, 600))
    open_timeout_s: float = setting(10, Number(0.1, 600))
    sample_interval_s: int = setting(30, Whole(1, 3600))
    cost_updated_interval_s: int = setting(0, Whole(0, 3600))
    ocsp_responders: tuple[str, ...] = setting((), Origins())
    contract_provider_url: str = setting("", Url(("https", "http"), needs_host=True, plain_only_here=True))
    meter_value_retention_days: int = setting(400, Whole(1, 36_500))
    frame_retention_days: int = setting(14, Whole(1, 36_500))
    record_frames: bool = setting(True, Flag())


def contradictions(ocpp: OcppSettings) -> list[str]:
    """What each value allows and all together do not."""
    problems = []
    if ocpp.heartbeat_timeout_s <= ocpp.heartbeat_interval_s:
        problems.append("ocpp.heartbeat_timeout_s: must be above ocpp.heartbeat_interval_s")
    if ocpp.ping_interval_s + ocpp.ping_timeout_s >= ocpp.heartbeat_timeout_s:
        problems.append(
            "ocpp.ping_interval_s: together with ocpp.ping_timeout_s must be below ocpp.heartbeat_timeout_s"
        )
    if not (ocpp.bind or ocpp.tls_bind):
        problems.append("ocpp.bind: must not be empty while ocpp.tls_bind is")
    if ocpp.tls_bind and not (ocpp.tls_certificate and ocpp.tls_key):
        problems.append("ocpp.tls_bind: needs ocpp.tls_certificate and ocpp.tls_key")
    if bool(ocpp.station_ca_certificate) != bool(ocpp.station_ca_key):
        problems.append("ocpp.station_ca_certificate, ocpp.station_ca_key: either both or neither")
    return problems


def doubts(ocpp: OcppSettings, *, anonymous_stations: bool) -> list[str]:
    """What works and may surprise; whether stations without a password may connect depends on all binds."""
    doubts = []
    if ocpp.allow_anonymous is None and not anonymous_stations:
        doubts.append(
            "ocpp.bind or ocpp.tls_bind is not loopback, or http.public_url is set: stations without a password or"
            " certificate will be refused;"
            " give them passwords, or set ocpp.allow_anonymous = true"
        )
    if ocpp.accept_unknown == "pending" and not anonymous_stations:
        doubts.append(
            "ocpp.accept_unknown has no effect: no bind lets stations in without a password or certificate, so"
            " strangers are refused"
        )
    if ocpp.tls_certificate and not ocpp.tls_bind:
        doubts.append("ocpp.tls_certificate is not used, because ocpp.tls_bind is empty")
    return doubts
