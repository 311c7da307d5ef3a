"""The settings: one TOML file and the environment, checked as a whole before anything starts.

Nothing else in EvPower reads the file or the environment. `config/evpower.toml` documents every setting.
The environment wins: `section.key` is EVPOWER_SECTION_KEY, and the names operators know (`SHORT_NAMES`) work too.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from evpower.errors import ConfigError
from evpower.settings import auth, charging, http, ocpp, operator, payments, process, push, sign_in
from evpower.settings.auth import AdminSettings, AuthSettings
from evpower.settings.charging import BillingSettings, ChargingSettings
from evpower.settings.http import HttpSettings
from evpower.settings.ocpp import OcppSettings
from evpower.settings.operator import OperatorSettings
from evpower.settings.payments import ObankSettings, OdengiSettings, PaymentsSettings
from evpower.settings.phones import FavoritesSettings, ForecastSettings, HistorySettings, NavigationSettings
from evpower.settings.power import PowerSettings, ReservationSettings
from evpower.settings.process import DatabaseSettings, LogSettings, RedisSettings, ServerSettings
from evpower.settings.push import PushSettings
from evpower.settings.sign_in import SignInSettings, SmsSettings

SHORT_NAMES = {
    "EVPOWER_STATE_DIR": "server.state_dir",
    "EVPOWER_CONTROL_SOCKET": "server.control_socket",
    "EVPOWER_ADMIN_TOKEN": "http.admin_token",
}
#: Known names that are no setting: the file itself.
OTHER_NAMES = ("EVPOWER_CONFIG",)


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
    operator: OperatorSettings = field(default_factory=OperatorSettings)
    favorites: FavoritesSettings = field(default_factory=FavoritesSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    power: PowerSettings = field(default_factory=PowerSettings)
    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    reservations: ReservationSettings = field(default_factory=ReservationSettings)
    navigation: NavigationSettings = field(default_factory=NavigationSettings)
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
    def private_database(self) -> Path:
        """The directory of the private PostgreSQL, which is used when `database.url` is empty."""
        return self.state_dir / "postgres"

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
    "operator": OperatorSettings,
    "favorites": FavoritesSettings,
    "history": HistorySettings,
    "power": PowerSettings,
    "forecast": ForecastSettings,
    "reservations": ReservationSettings,
    "navigation": NavigationSettings,
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
    return [
        *http.contradictions(config.http),
        *ocpp.contradictions(config.ocpp),
        *charging.contradictions(config.charging),
        *process.contradictions(config.control_socket),
        *auth.contradictions(config.auth, own_tokens=config.sms.transport != "off"),
        *sign_in.contradictions(config.sign_in, config.sms),
        *push.contradictions(config.push),
        *operator.contradictions(config.operator, config.http.bind),
        *payments.contradictions(config.payments, config.odengi, config.obank),
    ]


def _open_to(config: Config) -> list[str]:
    """What lets others than this machine in."""
    binds = [("http.bind", bind) for bind in config.http.bind] + [("ocpp.bind", bind) for bind in config.ocpp.bind]
    binds += [("ocpp.tls_bind", bind) for bind in config.ocpp.tls_bind]
    open_to = [f"{name} {bind}" for name, bind in binds if not bind.is_loopback]
    return [*open_to, "http.public_url"] if config.http.public_url else open_to


def _dangers(config: Config) -> list[str]:
    """What does no harm on one's own machine, and may not be once others reach the server (safe by default 9)."""
    return [
        *payments.dangers(config.payments, config.odengi, config.obank),
        *auth.dangers(config.auth, _open_to(config)),
        *sign_in.dangers(config.sms, _open_to(config)),
        *http.dangers(config.http),
    ]


def _doubts(config: Config) -> list[str]:
    """What works and may surprise."""
    return [
        *ocpp.doubts(config.ocpp, anonymous_stations=config.anonymous_stations),
        *http.doubts(config.http),
        *operator.doubts(config.operator),
        *auth.doubts(config.auth, _open_to(config)),
        *sign_in.doubts(config.sign_in, config.sms, shared_database=bool(config.database.url)),
        *payments.doubts(config.payments_url, config.odengi, config.obank),
    ]
