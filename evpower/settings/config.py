"""The settings: one TOML file and the environment, checked as a whole before anything starts.

Nothing else in EvPower reads the file or the environment. `config/evpower.toml` documents every setting.
The environment wins: `section.key` is EVPOWER_SECTION_KEY, and the names operators know (`SHORT_NAMES`) work too.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evpower.client_address import LOOPBACK, Network, is_within
from evpower.errors import ConfigError
from evpower.money import TYIYN_PER_SOM
from evpower.settings.auth import AdminSettings, AuthSettings
from evpower.settings.auth import contradictions as auth_contradictions
from evpower.settings.auth import dangers as auth_dangers
from evpower.settings.auth import doubts as auth_doubts
from evpower.settings.payments import ObankSettings, OdengiSettings, PaymentsSettings
from evpower.settings.payments import contradictions as payment_contradictions
from evpower.settings.payments import dangers as payment_dangers
from evpower.settings.payments import doubts as payment_doubts
from evpower.settings.phones import FavoritesSettings, HistorySettings
from evpower.settings.push import PushSettings
from evpower.settings.push import contradictions as push_contradictions
from evpower.settings.sign_in import SignInSettings, SmsSettings
from evpower.settings.sign_in import contradictions as sign_in_contradictions
from evpower.settings.sign_in import dangers as sign_in_dangers
from evpower.settings.sign_in import doubts as sign_in_doubts
from evpower.settings.values import (
    Bind,
    Binds,
    Choice,
    Flag,
    Networks,
    Number,
    OptionalFlag,
    Origins,
    Rate,
    RedisUrl,
    Text,
    TimeZone,
    Url,
    Whole,
)
from evpower.settings.values import setting as _setting

SHORT_NAMES = {
    "EVPOWER_STATE_DIR": "server.state_dir",
    "EVPOWER_CONTROL_SOCKET": "server.control_socket",
    "EVPOWER_ADMIN_TOKEN": "http.admin_token",
}
#: Known names that are no setting: the file itself.
OTHER_NAMES = ("EVPOWER_CONFIG",)
#: The kernel's limit on the path of a Unix socket (sun_path, less its final zero).
SOCKET_PATH_BYTES_MAX = 107
#: As many as 128 bits have in hexadecimal.
ADMIN_TOKEN_CHARS_MIN = 32


@dataclass(frozen=True)
class ServerSettings:
    """The process."""

    state_dir: str = _setting("./var", Text(may_be_empty=False))
    control_socket: str = _setting("", Text())
    drain_timeout_s: float = _setting(20, Number(0, 600))


@dataclass(frozen=True)
class DatabaseSettings:
    """PostgreSQL; without a URL a private one is started in the state directory."""

    url: str = _setting("", Url(("postgresql", "postgres")), secret=True)
    pool_size: int = _setting(12, Whole(2, 200))


@dataclass(frozen=True)
class RedisSettings:
    """What several processes share for speed; nothing depends on it."""

    url: str = _setting("", RedisUrl(), secret=True)


@dataclass(frozen=True)
class HttpSettings:
    """The listener for phones."""

    bind: tuple[Bind, ...] = _setting((Bind("127.0.0.1", 8080),), Binds())
    request_limit_bytes: int = _setting(64 * 1024, Whole(1024, 64 * 1024))
    public_url: str = _setting("", Url(("https", "http"), needs_host=True))
    # The owner's app, installed on Android and on iOS, is a page of these origins.
    allowed_origins: tuple[str, ...] = _setting(("https://localhost", "capacitor://localhost"), Origins())
    trusted_proxies: tuple[Network, ...] = _setting(LOOPBACK, Networks())
    connections_per_address: int = _setting(256, Whole(1, 1_000_000))
    connections_per_proxy: int = _setting(10_000, Whole(1, 1_000_000))
    sockets_per_address: int = _setting(20, Whole(1, 1_000_000))
    sockets_per_client: int = _setting(10, Whole(1, 1_000_000))
    rate_limit_exempt: tuple[Network, ...] = _setting((), Networks())
    admin_token: str = _setting("", Text(), secret=True)
    admin_allow: tuple[Network, ...] = _setting((), Networks())
    openapi: bool = _setting(False, Flag())


@dataclass(frozen=True)
class OcppSettings:
    """The listener for stations, and what we ask of them."""

    bind: tuple[Bind, ...] = _setting((Bind("127.0.0.1", 9000),), Binds(may_be_empty=True))
    tls_bind: tuple[Bind, ...] = _setting((), Binds(may_be_empty=True))
    tls_certificate: str = _setting("", Text())
    tls_key: str = _setting("", Text())
    tls_client_ca: str = _setting("", Text())
    station_ca_certificate: str = _setting("", Text())
    station_ca_key: str = _setting("", Text())
    station_certificate_days: int = _setting(365, Whole(1, 3650))
    allow_anonymous: bool | None = _setting(None, OptionalFlag())
    accept_unknown: str = _setting("refuse", Choice(("refuse", "pending")))
    heartbeat_interval_s: int = _setting(60, Whole(1, 86_400))
    heartbeat_timeout_s: float = _setting(300, Number(1, 604_800))
    command_timeout_s: float = _setting(30, Number(0.1, 600))
    max_frame_bytes: int = _setting(1_048_576, Whole(1024, 16 * 1024 * 1024))
    max_backlog_bytes: int = _setting(1_048_576, Whole(65_536, 64 * 1024 * 1024))
    max_connections: int = _setting(10_000, Whole(1, 1_000_000))
    max_handshakes: int = _setting(4096, Whole(1, 1_000_000))
    max_handshakes_per_address: int = _setting(64, Whole(1, 1_000_000))
    max_handshakes_per_proxy: int = _setting(4096, Whole(1, 1_000_000))
    ping_interval_s: float = _setting(60, Number(1, 3600))
    ping_timeout_s: float = _setting(20, Number(0.1, 3600))
    send_timeout_s: float = _setting(20, Number(0.1, 600))
    open_timeout_s: float = _setting(10, Number(0.1, 600))
    sample_interval_s: int = _setting(30, Whole(1, 3600))
    meter_value_retention_days: int = _setting(400, Whole(1, 36_500))
    frame_retention_days: int = _setting(14, Whole(1, 36_500))
    record_frames: bool = _setting(True, Flag())


@dataclass(frozen=True)
class ChargingSettings:
    """How a charge is started, reserved for and ended."""

    # The app gives up after 10 s, and an answer must come well inside that.
    start_wait_s: float = _setting(5, Number(0, 8))
    stop_wait_s: float = _setting(5, Number(0, 8))
    start_deadline_s: float = _setting(600, Number(1, 86_400))
    longest_session_s: float = _setting(43_200, Number(60, 604_800))
    reboot_grace_s: float = _setting(300, Number(0, 86_400))
    stop_repeat_s: float = _setting(30, Number(1, 3600))
    start_repeat_s: float = _setting(5, Number(0, 600))
    unlimited_reserve_som: int = _setting(200, Whole(1, 1_000_000))
    unlimited_minimum_som: int = _setting(10, Whole(0, 1_000_000))
    planning_minutes: int = _setting(60, Whole(1, 1440))
    max_sessions_per_client: int = _setting(0, Whole(0, 1000))

    @property
    def unlimited_reserve_tyiyn(self) -> int:
        return self.unlimited_reserve_som * TYIYN_PER_SOM

    @property
    def unlimited_minimum_tyiyn(self) -> int:
        return self.unlimited_minimum_som * TYIYN_PER_SOM


@dataclass(frozen=True)
class BillingSettings:
    """What energy costs when nothing says otherwise, and where the day begins."""

    default_rate_per_kwh: Decimal = field(default=Decimal("13.5"), metadata={"kind": Rate(Decimal(100_000))})
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Bishkek"), metadata={"kind": TimeZone()})
    price_cache_s: float = _setting(300, Number(0, 86_400))
    idempotency_days: int = _setting(7, Whole(1, 365))


@dataclass(frozen=True)
class LogSettings:
    """Where the log goes, beside standard output."""

    level: str = _setting("INFO", Choice(("DEBUG", "INFO", "WARNING", "ERROR")))
    file: str = _setting("", Text())


@dataclass(frozen=True)
class Config:
    """Every setting; `warnings` are for the log, `file` is the one that was read, `Config()` is all defaults."""

    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    ocpp: OcppSettings = field(default_factory=OcppSettings)
    charging: ChargingSettings = field(default_factory=ChargingSettings)
    billing: BillingSettings = field(default_factory=BillingSettings)
    payments: PaymentsSettings = field(default_factory=PaymentsSettings)
    odengi: OdengiSettings = field(default_factory=OdengiSettings)
    obank: ObankSettings = field(default_factory=ObankSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    sms: SmsSettings = field(default_factory=SmsSettings)
    push: PushSettings = field(default_factory=PushSettings)
    admin: AdminSettings = field(default_factory=AdminSettings)
    favorites: FavoritesSettings = field(default_factory=FavoritesSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    log: LogSettings = field(default_factory=LogSettings)
    warnings: tuple[str, ...] = ()
    file: Path | None = field(default=None, compare=False)

    @property
    def state_dir(self) -> Path:
        return Path(self.server.state_dir)

    @property
    def control_socket(self) -> Path:
        """Where the CLI finds the server: the setting, or evpower.sock in the state directory."""
        return Path(self.server.control_socket) if self.server.control_socket else self.state_dir / "evpower.sock"

    @property
    def station_ca(self) -> tuple[Path, Path]:
        """Where the station CA's certificate and key are: as set, or where `evpower ca init` puts them."""
        if self.ocpp.station_ca_certificate:
            return Path(self.ocpp.station_ca_certificate), Path(self.ocpp.station_ca_key)
        return self.state_dir / "ca" / "station-ca.pem", self.state_dir / "ca" / "station-ca.key"

    @property
    def payments_url(self) -> str:
        """Where providers and payers' browsers reach us, without a final slash; empty when they cannot."""
        return (self.payments.public_url or self.http.public_url).rstrip("/")

    @property
    def anonymous_stations(self) -> bool:
        """Whether a station without a password may connect (design §9.9): as set, else from this machine alone."""
        if self.ocpp.allow_anonymous is not None:
            return self.ocpp.allow_anonymous
        return not self.http.public_url and all(bind.is_loopback for bind in (*self.ocpp.bind, *self.ocpp.tls_bind))


#: Each section's field, by name.
SECTIONS: dict[str, type[Any]] = {
    "server": ServerSettings,
    "database": DatabaseSettings,
    "redis": RedisSettings,
    "http": HttpSettings,
    "ocpp": OcppSettings,
    "charging": ChargingSettings,
    "billing": BillingSettings,
    "payments": PaymentsSettings,
    "odengi": OdengiSettings,
    "obank": ObankSettings,
    "auth": AuthSettings,
    "sign_in": SignInSettings,
    "sms": SmsSettings,
    "push": PushSettings,
    "admin": AdminSettings,
    "favorites": FavoritesSettings,
    "history": HistorySettings,
    "log": LogSettings,
}
SETTINGS: dict[str, Field[Any]] = {
    f"{section}.{setting.name}": setting for section, kind in SECTIONS.items() for setting in fields(kind)
}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The settings from `path` (or EVPOWER_CONFIG, or none) and the environment.

    Raises ConfigError with one line for each wrong value, unknown key and unsafe combination, or when the file is not
    there.
    """
    problems: list[str] = []
    if path is None and environ.get("EVPOWER_CONFIG"):
        path = Path(environ["EVPOWER_CONFIG"])
    values = {} if path is None else _read_file(path, problems)
    from_environment, warnings = _read_environment(environ, problems)
    values.update(from_environment)
    sections = {
        section: kind(**{key.partition(".")[2]: v for key, v in values.items() if key.startswith(f"{section}.")})
        for section, kind in SECTIONS.items()
    }
    config = Config(**sections, file=path)
    problems += _contradictions(config)
    problems += _dangers(config) if _open_to(config) else []
    if problems:
        raise ConfigError(problems)
    return replace(config, warnings=(*warnings, *_doubts(config)))


def _read_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from None
    values: dict[str, Any] = {}
    for section, content in document.items():
        if section not in SECTIONS:
            problems.append(f"{section}: unknown section{_meant(section, SECTIONS)}")
        elif not isinstance(content, dict):
            problems.append(f"{section}: must be a section, [{section}]")
        else:
            for key, value in content.items():
                _read_value(f"{section}.{key}", value, values, problems)
    return values


def _read_value(name: str, value: object, values: dict[str, Any], problems: list[str]) -> None:
    if name not in SETTINGS:
        problems.append(f"{name}: unknown key{_meant(name, SETTINGS)}")
        return
    try:
        values[name] = SETTINGS[name].metadata["kind"].read(value)
    except ValueError as error:
        problems.append(f"{name}: {error}")


def _read_environment(environ: Mapping[str, str], problems: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Values by setting, and a warning for each EVPOWER_ variable we do not know."""
    variables = {f"EVPOWER_{name.upper().replace('.', '_')}": name for name in SETTINGS} | SHORT_NAMES
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for variable in sorted(key for key in environ if key.startswith("EVPOWER_")):
        name = variables.get(variable)
        if name is None:
            if variable not in OTHER_NAMES:
                warnings.append(f"{variable}: unknown variable, ignored{_meant(variable, variables)}")
            continue
        try:
            value = SETTINGS[name].metadata["kind"].read_text(environ[variable])
        except ValueError as error:
            problems.append(f"{variable} ({name}): {error}")
            continue
        if values.setdefault(name, value) != value:
            problems.append(f"{variable} ({name}): is also set, to another value, by its other name")
    return values, warnings


def _meant(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""


def _contradictions(config: Config) -> list[str]:
    """What each value allows and all together do not."""
    problems = []
    if 0 < len(config.http.admin_token) < ADMIN_TOKEN_CHARS_MIN:
        problems.append(
            f"http.admin_token: must have at least {ADMIN_TOKEN_CHARS_MIN} characters, such as: openssl rand -hex 16"
        )
    if config.ocpp.heartbeat_timeout_s <= config.ocpp.heartbeat_interval_s:
        problems.append("ocpp.heartbeat_timeout_s: must be above ocpp.heartbeat_interval_s")
    if config.ocpp.ping_interval_s + config.ocpp.ping_timeout_s >= config.ocpp.heartbeat_timeout_s:
        problems.append(
            "ocpp.ping_interval_s: together with ocpp.ping_timeout_s must be below ocpp.heartbeat_timeout_s"
        )
    if config.charging.unlimited_minimum_som > config.charging.unlimited_reserve_som:
        problems.append("charging.unlimited_minimum_som: must not be above charging.unlimited_reserve_som")
    if not (config.ocpp.bind or config.ocpp.tls_bind):
        problems.append("ocpp.bind: must not be empty while ocpp.tls_bind is")
    if config.ocpp.tls_bind and not (config.ocpp.tls_certificate and config.ocpp.tls_key):
        problems.append("ocpp.tls_bind: needs ocpp.tls_certificate and ocpp.tls_key")
    if bool(config.ocpp.station_ca_certificate) != bool(config.ocpp.station_ca_key):
        problems.append("ocpp.station_ca_certificate, ocpp.station_ca_key: either both or neither")
    if len(str(config.control_socket).encode()) > SOCKET_PATH_BYTES_MAX:
        problems.append(
            f"server.control_socket: {config.control_socket} is longer than the {SOCKET_PATH_BYTES_MAX} bytes"
            " a Unix socket's path may have; set a shorter one"
        )
    problems += auth_contradictions(config.auth, own_tokens=config.sms.transport != "off")
    problems += sign_in_contradictions(config.sign_in, config.sms)
    problems += push_contradictions(config.push)
    return problems + payment_contradictions(config.payments, config.odengi, config.obank)


def _open_to(config: Config) -> list[str]:
    """What lets others than this machine in."""
    binds = [("http.bind", bind) for bind in config.http.bind] + [("ocpp.bind", bind) for bind in config.ocpp.bind]
    binds += [("ocpp.tls_bind", bind) for bind in config.ocpp.tls_bind]
    open_to = [f"{name} {bind}" for name, bind in binds if not bind.is_loopback]
    return [*open_to, "http.public_url"] if config.http.public_url else open_to


def _dangers(config: Config) -> list[str]:
    """What does no harm on one's own machine, and may not be once others reach the server (safe by default 9)."""
    problems = payment_dangers(config.payments, config.odengi, config.obank)
    problems += auth_dangers(config.auth, _open_to(config))
    problems += sign_in_dangers(config.sms, _open_to(config))
    if any(network.prefixlen == 0 for network in config.http.trusted_proxies):
        problems.append(
            "http.trusted_proxies: has everybody in it: whoever connects could pass for any address, and no limit held"
        )
    return problems


def _doubts(config: Config) -> list[str]:
    """What works and may surprise."""
    doubts = []
    if config.ocpp.allow_anonymous is None and not config.anonymous_stations:
        doubts.append(
            "ocpp.bind or ocpp.tls_bind is not loopback, or http.public_url is set: stations without a password or"
            " certificate will be refused;"
            " give them passwords, or set ocpp.allow_anonymous = true"
        )
    if config.ocpp.accept_unknown == "pending" and not config.anonymous_stations:
        doubts.append(
            "ocpp.accept_unknown has no effect: no bind lets stations in without a password or certificate, so"
            " strangers are refused"
        )
    behind_a_proxy = config.http.public_url and not all(bind.is_loopback for bind in config.http.bind)
    if behind_a_proxy and config.http.trusted_proxies == LOOPBACK:
        doubts.append(
            "http.trusted_proxies names this machine alone: a proxy on another one must be named in it, otherwise all"
            " who come through it share its address and its limits"
        )
    if any(network.prefixlen == 0 for network in config.http.trusted_proxies):
        doubts.append(
            "http.trusted_proxies has everybody in it: whoever connects can pass for any address, and no limit holds"
        )
    if config.http.admin_allow and not is_within("127.0.0.1", config.http.admin_allow):
        doubts.append(
            "http.admin_allow leaves this machine out: a Prometheus beside the server gets no /metrics; add 127.0.0.1"
            " if there is one"
        )
    if config.ocpp.tls_certificate and not config.ocpp.tls_bind:
        doubts.append("ocpp.tls_certificate is not used, because ocpp.tls_bind is empty")
    doubts += auth_doubts(config.auth, _open_to(config))
    doubts += sign_in_doubts(config.sign_in, config.sms, shared_database=bool(config.database.url))
    return doubts + payment_doubts(config.payments_url, config.odengi, config.obank)
