"""The settings: what is read, what wins, what is refused and how it is said."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evpower.errors import ConfigError
from evpower.settings.addresses import Bind
from evpower.settings.config import SETTINGS, Config, load


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "evpower.toml"
    path.write_text(text, encoding="utf-8")
    return path


#: Others may reach the server, because a token says who asks.
CHECKED = {"EVPOWER_AUTH_MODE": "required", "EVPOWER_AUTH_JWT_SECRET": "s" * 32}


def refused(path: Path | None, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    return caught.value.problems


def test_without_file_and_environment_every_setting_has_its_default() -> None:
    assert load(None, {}) == Config()


def test_defaults_are_the_documented_ones() -> None:
    config = Config()
    assert config.http.bind == (Bind("127.0.0.1", 8080),)
    assert config.ocpp.bind == (Bind("127.0.0.1", 9000),)
    assert config.billing.default_rate_per_kwh == Decimal("13.5")
    assert config.billing.timezone == ZoneInfo("Asia/Bishkek")
    assert config.control_socket == Path("var/evpower.sock")


def test_every_default_passes_its_own_check() -> None:
    """A TOML file of all defaults would be accepted: no default lies outside its range."""
    for name, setting in SETTINGS.items():
        default = setting.default
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert setting.metadata["kind"].read(default) == default, name


def test_a_file_sets_values(tmp_path: Path) -> None:
    path = write(tmp_path, '[http]\nbind = ["127.0.0.1:0", "[::1]:0"]\n[billing]\ndefault_rate_per_kwh = "12.75"\n')
    config = load(path, {})
    assert config.http.bind == (Bind("127.0.0.1", 0), Bind("::1", 0))
    assert config.billing.default_rate_per_kwh == Decimal("12.75")


def test_one_bind_needs_no_list(tmp_path: Path) -> None:
    assert load(write(tmp_path, '[http]\nbind = "localhost:81"\n'), {}).http.bind == (Bind("localhost", 81),)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[charging]\nstart_wait_s = 7\nstop_wait_s = 8\n")
    config = load(path, {"EVPOWER_CHARGING_START_WAIT_S": "2.5"})
    assert (config.charging.start_wait_s, config.charging.stop_wait_s) == (2.5, 8)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, '[log]\nlevel = "DEBUG"\n')
    assert load(None, {"EVPOWER_CONFIG": str(path)}).log.level == "DEBUG"


def test_a_path_wins_over_the_environment(tmp_path: Path) -> None:
    assert load(write(tmp_path, ""), {"EVPOWER_CONFIG": "/nowhere"}) == Config()


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("EVPOWER_STATE_DIR", "/srv/ev", "server.state_dir"),
        ("EVPOWER_CONTROL_SOCKET", "/srv/ev.sock", "server.control_socket"),
        ("EVPOWER_DATABASE_URL", "postgresql:///evpower", "database.url"),
        ("EVPOWER_AUTH_MODE", "trust", "auth.mode"),
    ],
)
def test_the_names_operators_know_work(variable: str, value: str, name: str) -> None:
    section, _, key = name.partition(".")
    assert getattr(getattr(load(None, {variable: value}), section), key) == value


def test_every_setting_has_an_environment_variable() -> None:
    """An absurd value in the variable of each setting is refused in that setting's name."""
    for name in SETTINGS.keys() - {"server.control_socket", "log.file"}:
        variable = f"EVPOWER_{name.upper().replace('.', '_')}"
        value = "" if name == "server.state_dir" else "\x01 absurd"
        assert any(line.startswith(f"{variable} ({name}): ") for line in refused(None, **{variable: value})), name


def test_several_binds_are_separated_by_commas() -> None:
    config = load(None, {"EVPOWER_HTTP_BIND": "127.0.0.1:1, 127.0.0.2:2"})
    assert config.http.bind == (Bind("127.0.0.1", 1), Bind("127.0.0.2", 2))


def test_the_control_socket_follows_the_state_directory() -> None:
    assert load(None, {"EVPOWER_STATE_DIR": "/srv/ev"}).control_socket == Path("/srv/ev/evpower.sock")


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'x = 1\n[http]\nbind = "8080"\nbnid = 1\n[ocpp]\nheartbeat_interval_s = "soon"\n[database]\npool_size = 1\n',
    )
    assert refused(path, EVPOWER_LOG_LEVEL="LOUD") == (
        "x: unknown section",
        'http.bind: must be "host:port" or a list of them, such as "127.0.0.1:8080" or "[::1]:8080"'
        " (port 0: any free one)",
        "http.bnid: unknown key, did you mean http.bind?",
        "ocpp.heartbeat_interval_s: must be a whole number from 1 to 86400",
        "database.pool_size: must be a whole number from 2 to 200",
        'EVPOWER_LOG_LEVEL (log.level): must be "DEBUG" or "INFO" or "WARNING" or "ERROR"',
    )


@pytest.mark.parametrize(
    "line",
    [
        "[server]\nstate_dir = 5",
        "[http]\ntrusted_proxies = 5",
        "[http]\ntrusted_proxies = [10]",
        '[http]\ntrusted_proxies = ["proxy.example"]',
        '[http]\ntrusted_proxies = ["10.0.0.5/8"]',
        '[server]\nstate_dir = ""',
        "[server]\ndrain_timeout_s = true",
        "[server]\ndrain_timeout_s = nan",
        '[server]\ncontrol_socket = "/tmp/a\\nb"',
        "[database]\npool_size = 3.5",
        '[database]\nurl = "mysql://db"',
        "[http]\nbind = []",
        "[http]\nlegacy_sunset = 2028-01-31",
        '[http]\nlegacy_sunset = "31.01.2028"',
        '[http]\nlegacy_sunset = "2028-02-30"',
        '[http]\nlegacy_sunset = "20280131"',
        '[http]\nbind = ["127.0.0.1:8080", "127.0.0.1:8080"]',
        '[http]\nbind = "127.0.0.1:65536"',
        '[http]\nbind = "::1:8080"',
        '[http]\nbind = ":8080"',
        '[http]\npublic_url = "ocpp.evpower.kg"',
        '[ocpp]\nallow_anonymous = "yes"',
        "[charging]\nstart_wait_s = -1",
        "[billing]\ndefault_rate_per_kwh = 13.5",
        '[billing]\ndefault_rate_per_kwh = "NaN"',
        '[billing]\ndefault_rate_per_kwh = "-1"',
        '[billing]\ntimezone = "Asia/Atlantis"',
        '[billing]\ntimezone = "../../etc/passwd"',
        '[auth]\nmode = "none"',
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, line: str) -> None:
    section, _, key = line.partition("\n")
    (problem,) = refused(write(tmp_path, line))
    assert problem.startswith(f"{section.strip('[]')}.{key.split(' =')[0]}: ")


@pytest.mark.parametrize("opening", [{}, {"EVPOWER_HTTP_BIND": "0.0.0.0:8080"}])
def test_to_require_tokens_that_nothing_can_verify_is_refused_rather_than_pretended(opening: dict[str, str]) -> None:
    (problem,) = refused(None, EVPOWER_AUTH_MODE="required", **opening)
    assert problem.startswith('auth.mode: "required" needs auth.jwks_url or auth.jwt_secret')
    for keys in ({"EVPOWER_AUTH_JWKS_URL": "https://x.supabase.co/jwks"}, {"EVPOWER_AUTH_JWT_SECRET": "s" * 32}):
        assert load(None, {"EVPOWER_AUTH_MODE": "required", **opening, **keys}).auth.mode == "required"


def test_a_short_secret_for_tokens_is_refused_and_not_repeated() -> None:
    (problem,) = refused(None, EVPOWER_AUTH_JWT_SECRET="hunter2" * 4)
    assert problem == "auth.jwt_secret: must have at least 32 characters"


def test_keys_for_tokens_do_not_come_unprotected_over_the_network() -> None:
    (problem,) = refused(None, EVPOWER_AUTH_JWKS_URL="http://keys.example/jwks")
    assert "must begin with https:// unless its host is this machine" in problem
    assert load(None, {"EVPOWER_AUTH_JWKS_URL": "http://127.0.0.1:1/jwks"}).auth.jwks_url


def test_a_secret_is_never_repeated() -> None:
    (problem,) = refused(None, EVPOWER_DATABASE_URL="postgres//me:hunter2@db/evpower")
    assert "hunter2" not in problem
    assert "hunter2" not in repr(load(None, {"EVPOWER_DATABASE_URL": "postgresql://me:hunter2@db/evpower"}))


def test_a_missing_file_is_named() -> None:
    assert refused(Path("/nowhere/evpower.toml")) == (
        "/nowhere/evpower.toml: cannot be read: No such file or directory",
    )


def test_a_broken_file_says_where(tmp_path: Path) -> None:
    (problem,) = refused(write(tmp_path, "[http\n"))
    assert "is not TOML" in problem
    assert "line 1" in problem


def test_two_names_of_one_setting_must_agree() -> None:
    (problem,) = refused(None, EVPOWER_STATE_DIR="/a", EVPOWER_SERVER_STATE_DIR="/b")
    assert "other name" in problem


def test_an_unknown_variable_is_a_warning() -> None:
    config = load(None, {"EVPOWER_HTP_BIND": "127.0.0.1:1", "HOME": "/root"})
    assert config.warnings == ("EVPOWER_HTP_BIND: unknown variable, ignored, did you mean EVPOWER_HTTP_BIND?",)


@pytest.mark.parametrize(("characters", "is_right"), [(0, True), (1, False), (31, False), (32, True)])
def test_an_admin_token_is_none_or_long(characters: int, is_right: bool) -> None:
    """Safe by default 8."""
    environ = {"EVPOWER_ADMIN_TOKEN": "t" * characters}
    if is_right:
        load(None, environ)
    else:
        (problem,) = refused(None, **environ)
        assert problem.startswith("http.admin_token: must have at least 32 characters")


def test_the_admin_token_has_a_short_name_and_is_never_shown() -> None:
    config = load(None, {"EVPOWER_ADMIN_TOKEN": "secret-token" * 3})
    assert (config.http.admin_token, config.warnings) == ("secret-token" * 3, ())
    assert "secret-token" not in repr(config)


def test_a_timeout_below_the_interval_is_refused() -> None:
    assert refused(None, EVPOWER_OCPP_HEARTBEAT_INTERVAL_S="300") == (
        "ocpp.heartbeat_timeout_s: must be above ocpp.heartbeat_interval_s",
    )


def test_duty_05_a_dead_socket_is_noticed_before_the_heartbeat_timeout() -> None:
    assert refused(None, EVPOWER_OCPP_PING_INTERVAL_S="280") == (
        "ocpp.ping_interval_s: together with ocpp.ping_timeout_s must be below ocpp.heartbeat_timeout_s",
    )


def test_duty_05_the_longest_ping_interval_is_below_the_heartbeat_timeout() -> None:
    assert load(None, {"EVPOWER_OCPP_PING_INTERVAL_S": "279"}).ocpp.ping_interval_s == 279


def test_a_socket_path_the_kernel_would_refuse_is_refused_first() -> None:
    (problem,) = refused(None, EVPOWER_STATE_DIR="/" + "d" * 120)
    assert problem.startswith("server.control_socket: ")


@pytest.mark.parametrize(
    "environ",
    [
        {"EVPOWER_HTTP_BIND": "0.0.0.0:8080"},
        {"EVPOWER_HTTP_BIND": "127.0.0.1:8080,[::]:8080"},
        {"EVPOWER_HTTP_BIND": "charge.example:8080"},
        {"EVPOWER_OCPP_BIND": "10.0.0.5:9000"},
        {"EVPOWER_HTTP_PUBLIC_URL": "https://ocpp.evpower.kg"},
    ],
)
def test_trust_must_be_allowed_once_others_can_reach_the_server(environ: dict[str, str]) -> None:
    """Design §9.16, safe by default 5: setting the mode is not enough."""
    for more in (
        {},
        {"EVPOWER_AUTH_MODE": "trust"},
        {"EVPOWER_AUTH_MODE": "trust", "EVPOWER_AUTH_ALLOW_TRUST": "false"},
    ):
        (problem,) = refused(None, **environ, **more)
        assert problem.startswith('auth.mode: "trust" believes every client_id')
        assert "EVPOWER_AUTH_ALLOW_TRUST=true" in problem
    config = load(None, environ | {"EVPOWER_AUTH_MODE": "trust", "EVPOWER_AUTH_ALLOW_TRUST": "true"})
    assert config.auth.mode == "trust"
    assert sum("spend that client's money" in warning for warning in config.warnings) == 1
    half = load(None, environ | {"EVPOWER_AUTH_MODE": "optional"})
    assert sum("spend that client's money" in warning for warning in half.warnings) == 1
    checked = load(None, environ | CHECKED)
    assert not any("spend that client's money" in warning for warning in checked.warnings)


@pytest.mark.parametrize("bind", ["127.0.0.1:9000", "127.8.8.8:9000", "[::1]:9000", "localhost:9000"])
def test_loopback_opens_nothing(bind: str) -> None:
    config = load(None, {"EVPOWER_OCPP_BIND": bind})
    assert config.anonymous_stations
    assert config.warnings == ()


def test_a_public_charger_port_needs_passwords_and_says_so() -> None:
    config = load(None, {"EVPOWER_OCPP_BIND": "0.0.0.0:9000", **CHECKED})
    assert not config.anonymous_stations
    assert "ocpp.allow_anonymous" in config.warnings[0]


@pytest.mark.parametrize(("word", "expected"), [("true", True), ("FALSE", False), ("1", True)])
def test_anonymous_chargers_can_be_decided(word: str, expected: bool) -> None:
    environ = {"EVPOWER_OCPP_BIND": "0.0.0.0:9000", **CHECKED, "EVPOWER_OCPP_ALLOW_ANONYMOUS": word}
    config = load(None, environ)
    assert config.anonymous_stations is expected
    assert config.warnings == ()


def test_a_public_address_needs_passwords_of_chargers_too() -> None:
    """Safe by default 2: whoever the proxy lets through is not on this machine."""
    config = load(None, {"EVPOWER_HTTP_PUBLIC_URL": "https://charge.example", **CHECKED})
    assert not config.anonymous_stations
    assert "http.public_url" in config.warnings[0]


TLS = {"EVPOWER_OCPP_TLS_CERTIFICATE": "a.crt", "EVPOWER_OCPP_TLS_KEY": "a.key"}


def test_tls_alone_is_enough_for_chargers() -> None:
    config = load(None, {"EVPOWER_OCPP_BIND": "", "EVPOWER_OCPP_TLS_BIND": "127.0.0.1:9443", **TLS})
    assert (config.ocpp.bind, config.ocpp.tls_bind) == ((), (Bind("127.0.0.1", 9443),))


def test_chargers_need_some_bind() -> None:
    with pytest.raises(ConfigError, match=r"ocpp\.bind: must not be empty"):
        load(None, {"EVPOWER_OCPP_BIND": ""})


@pytest.mark.parametrize("missing", TLS)
def test_tls_needs_a_certificate_and_its_key(missing: str) -> None:
    environ = {"EVPOWER_OCPP_TLS_BIND": "127.0.0.1:9443", **TLS, missing: ""}
    with pytest.raises(ConfigError, match=r"ocpp\.tls_bind: needs ocpp\.tls_certificate and ocpp\.tls_key"):
        load(None, environ)


def test_a_tls_bind_that_is_not_loopback_opens_the_server_too() -> None:
    environ = {"EVPOWER_OCPP_TLS_BIND": "0.0.0.0:9443", **TLS}
    with pytest.raises(ConfigError, match=r"ocpp\.tls_bind 0\.0\.0\.0:9443 opens the server"):
        load(None, environ)
    assert not load(None, {**environ, **CHECKED}).anonymous_stations


def test_a_certificate_without_a_tls_bind_is_doubted() -> None:
    assert load(None, TLS).warnings == ("ocpp.tls_certificate is not used, because ocpp.tls_bind is empty",)


@pytest.mark.parametrize("given", ["CERTIFICATE", "KEY"])
def test_half_of_a_station_ca_is_refused(given: str) -> None:
    problems = refused(None, **{f"EVPOWER_OCPP_STATION_CA_{given}": "/etc/evpower/ca"})
    assert problems == ("ocpp.station_ca_certificate, ocpp.station_ca_key: either both or neither",)


def test_the_station_ca_is_the_one_that_was_made_unless_another_is_set() -> None:
    assert Config().station_ca == (Path("var/ca/station-ca.pem"), Path("var/ca/station-ca.key"))
    both = {"EVPOWER_OCPP_STATION_CA_CERTIFICATE": "/a.pem", "EVPOWER_OCPP_STATION_CA_KEY": "/a.key"}
    assert load(None, both).station_ca == (Path("/a.pem"), Path("/a.key"))


def test_trusted_proxies_are_addresses_and_networks() -> None:
    config = load(None, {"EVPOWER_HTTP_TRUSTED_PROXIES": "10.0.0.5, 2001:db8::/32"})
    assert config.http.trusted_proxies == (ip_network("10.0.0.5/32"), ip_network("2001:db8::/32"))
    assert load(None, {"EVPOWER_HTTP_TRUSTED_PROXIES": ""}).http.trusted_proxies == ()


def test_a_proxy_that_may_be_on_another_machine_and_is_not_named_is_doubted() -> None:
    environ = {
        "EVPOWER_HTTP_BIND": "0.0.0.0:8080",
        "EVPOWER_HTTP_PUBLIC_URL": "https://charge.example",
        **CHECKED,
        "EVPOWER_OCPP_ALLOW_ANONYMOUS": "false",
    }
    (warning,) = load(None, environ).warnings
    assert warning.startswith("http.trusted_proxies names this machine alone")
    assert load(None, environ | {"EVPOWER_HTTP_TRUSTED_PROXIES": "10.0.0.5"}).warnings == ()
    assert load(None, environ | {"EVPOWER_HTTP_BIND": "127.0.0.1:8080"}).warnings == ()


def test_to_trust_everybody_as_a_proxy_is_doubted() -> None:
    (warning,) = load(None, {"EVPOWER_HTTP_TRUSTED_PROXIES": "10.0.0.5, 0.0.0.0/0"}).warnings
    assert warning.startswith("http.trusted_proxies has everybody in it")


def test_an_allowlist_without_this_machine_is_doubted() -> None:
    (warning,) = load(None, {"EVPOWER_HTTP_ADMIN_ALLOW": "10.0.0.0/8, ::1"}).warnings
    assert "http.admin_allow leaves this machine out" in warning
    assert load(None, {"EVPOWER_HTTP_ADMIN_ALLOW": "10.0.0.0/8, 127.0.0.1"}).warnings == ()


def test_strangers_where_no_bind_takes_them_are_doubted() -> None:
    environ = {"EVPOWER_OCPP_BIND": "0.0.0.0:9000", **CHECKED}
    config = load(None, {**environ, "EVPOWER_OCPP_ACCEPT_UNKNOWN": "pending"})
    assert any("ocpp.accept_unknown has no effect" in warning for warning in config.warnings)
    assert load(None, {"EVPOWER_OCPP_ACCEPT_UNKNOWN": "pending"}).warnings == ()


def test_accept_unknown_is_refuse_or_pending() -> None:
    (problem,) = refused(None, EVPOWER_OCPP_ACCEPT_UNKNOWN="accept")
    assert "ocpp.accept_unknown" in problem
    assert load(None, {}).ocpp.accept_unknown == "refuse"


ODENGI_ON = {"EVPOWER_ODENGI_URL": "https://pay.example/json.php", "EVPOWER_ODENGI_SID": "1000000042"}
OBANK_ON = {
    "EVPOWER_OBANK_URL": "https://bank.example:4431/external/extended-cert",
    "EVPOWER_OBANK_POINT": "4354",
    "EVPOWER_OBANK_SERVICE": "1331",
    "EVPOWER_OBANK_CERTIFICATE": "point.p12",
}


def test_without_settings_no_payment_provider_is_on() -> None:
    config = load(None, {})
    assert not config.odengi.is_on
    assert not config.obank.is_on


def test_a_payment_provider_is_on_when_its_essential_settings_are_set() -> None:
    config = load(None, {**ODENGI_ON, **OBANK_ON, "EVPOWER_ODENGI_SECRET": "s"})
    assert config.odengi.is_on
    assert config.obank.is_on
    assert not config.obank.h2h


@pytest.mark.parametrize("missing", ["URL", "SID", "SECRET"])
def test_half_of_odengi_is_refused_and_the_missing_half_named(missing: str) -> None:
    environ = ODENGI_ON | {"EVPOWER_ODENGI_SECRET": "canary-secret"}
    del environ[f"EVPOWER_ODENGI_{missing}"]
    assert refused(None, **environ) == (
        f"odengi.{missing.lower()}: must be set, because other settings of [odengi] are",
    )


@pytest.mark.parametrize("missing", ["URL", "POINT", "SERVICE", "CERTIFICATE"])
def test_half_of_obank_is_refused_and_the_missing_half_named(missing: str) -> None:
    environ = {name: value for name, value in OBANK_ON.items() if name != f"EVPOWER_OBANK_{missing}"}
    assert refused(None, **environ) == (f"obank.{missing.lower()}: must be set, because other settings of [obank] are",)


def test_a_secret_alone_is_half_a_provider_and_is_not_shown() -> None:
    problems = refused(None, EVPOWER_OBANK_NOTIFY_KEY="canary-secret")
    assert len(problems) == 4
    assert "canary-secret" not in "".join(problems)


def test_the_secrets_of_providers_are_not_in_their_repr() -> None:
    environ = ODENGI_ON | OBANK_ON
    for name in ("ODENGI_SECRET", "ODENGI_WEBHOOK_SECRET", "OBANK_CERTIFICATE_PASSWORD", "OBANK_NOTIFY_KEY"):
        environ[f"EVPOWER_{name}"] = "canary-secret"
    assert "canary-secret" not in repr(load(None, environ))


SEVERAL = "postgresql://me@one,two/evpower"


@pytest.mark.parametrize("url", [SEVERAL, f"{SEVERAL}?target_session_attrs=any", "postgresql:///evpower?host=one,two"])
def test_of_several_servers_the_one_that_takes_writes_must_be_asked_for(url: str) -> None:
    (problem,) = refused(None, EVPOWER_DATABASE_URL=url)
    assert "must say target_session_attrs=primary when it names several servers" in problem


def test_read_write_is_refused_because_no_session_of_ours_would_be() -> None:
    (problem,) = refused(None, EVPOWER_DATABASE_URL="postgresql://one/evpower?target_session_attrs=read-write")
    assert "target_session_attrs=primary" in problem


@pytest.mark.parametrize("url", [f"{SEVERAL}?target_session_attrs=primary", "postgresql://me:a,b@one/evpower"])
def test_the_primary_of_several_servers_or_the_only_server_is_taken(url: str) -> None:
    assert load(None, {"EVPOWER_DATABASE_URL": url}).database.url == url


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/", "https://a.example/"])
def test_odengi_may_be_a_sandbox_on_this_machine(url: str) -> None:
    assert load(None, ODENGI_ON | {"EVPOWER_ODENGI_URL": url, "EVPOWER_ODENGI_SECRET": "s"}).odengi.url == url


@pytest.mark.parametrize("url", ["http://pay.example/", "http://10.0.0.1/", "http://localhost.example/"])
def test_odengi_elsewhere_must_be_reached_by_https(url: str) -> None:
    problems = refused(None, **(ODENGI_ON | {"EVPOWER_ODENGI_URL": url, "EVPOWER_ODENGI_SECRET": "s"}))
    assert problems[0] == ("EVPOWER_ODENGI_URL (odengi.url): must begin with https:// unless its host is this machine")


@pytest.mark.parametrize("url", ["http://localhost:4430/", "http://bank.example:4430/external"])
def test_obank_is_never_reached_by_plain_http(url: str) -> None:
    problems = refused(None, **(OBANK_ON | {"EVPOWER_OBANK_URL": url}))
    assert problems[0] == "EVPOWER_OBANK_URL (obank.url): must be empty or begin with https://"


@pytest.mark.parametrize("units", ["10", "1001", "hundred", "-100", "1_000", "²"])
def test_obank_counts_in_hundredths_or_thousandths(units: str) -> None:
    problems = refused(None, **OBANK_ON, EVPOWER_OBANK_MINOR_UNITS_PER_SOM=units)
    assert problems == ("EVPOWER_OBANK_MINOR_UNITS_PER_SOM (obank.minor_units_per_som): must be 100 or 1000",)


def test_the_smallest_top_up_is_not_above_the_largest() -> None:
    problems = refused(None, EVPOWER_PAYMENTS_MINIMUM_SOM="11", EVPOWER_PAYMENTS_MAXIMUM_SOM="10")
    assert problems == ("payments.minimum_som: must not be above payments.maximum_som",)


def test_top_ups_have_the_rulings_bounds_in_tyiyn() -> None:
    payments = Config().payments
    assert (payments.minimum_tyiyn, payments.maximum_tyiyn) == (1_000, 10_000_000)


def test_providers_reach_us_where_phones_do_unless_told_otherwise() -> None:
    environ = {"EVPOWER_HTTP_PUBLIC_URL": "https://phones.example/", **CHECKED}
    assert load(None, environ).payments_url == "https://phones.example"
    environ["EVPOWER_PAYMENTS_PUBLIC_URL"] = "https://pay.example"
    assert load(None, environ).payments_url == "https://pay.example"


def test_a_provider_that_cannot_call_us_is_a_warning() -> None:
    [warning] = load(None, ODENGI_ON | {"EVPOWER_ODENGI_SECRET": "s"}).warnings
    assert warning.startswith("payments.public_url is empty")


def test_an_address_obank_may_cut_is_a_warning() -> None:
    keyed = OBANK_ON | {"EVPOWER_OBANK_NOTIFY_KEY": "k"}
    assert load(None, keyed | {"EVPOWER_PAYMENTS_PUBLIC_URL": "https://" + "a" * 30}).warnings == ()
    [warning] = load(None, keyed | {"EVPOWER_PAYMENTS_PUBLIC_URL": "https://" + "a" * 31}).warnings
    assert warning.startswith("payments.public_url is longer than 38 characters")


def test_a_bank_without_a_notify_key_is_a_warning() -> None:
    [warning] = load(None, OBANK_ON | {"EVPOWER_PAYMENTS_PUBLIC_URL": "https://a.example"}).warnings
    assert warning.startswith("obank.notify_key is empty")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://127.0.0.1:6379/0",
        "redis://user:p%40ss@cache.example/3",
        "rediss://:secret@cache.example:6380/0?ssl_ca_certs=/etc/ssl/redis.pem",
        "unix:///run/valkey.sock?db=1",
    ],
)
def test_where_redis_may_be(url: str) -> None:
    assert load(None, {"EVPOWER_REDIS_URL": url}).redis.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@cache.example",
        "cache.example:6379",
        "redis://:hunter2/x@cache.example",
        "redis://:hunter2@cache.example:none",
        "redis://:hunter2@cache.example?db=none",
        "redis://:hunter2@cache.example?no_such_option=1",
        "redis://:hunter2@cache example",
    ],
)
def test_where_redis_cannot_be_is_said_without_the_password(url: str) -> None:
    [problem] = refused(None, EVPOWER_REDIS_URL=url)
    assert problem.startswith("EVPOWER_REDIS_URL (redis.url): must be empty or like redis://")
    assert "hunter2" not in problem


def test_the_redis_password_is_not_shown() -> None:
    assert "hunter2" not in repr(load(None, {"EVPOWER_REDIS_URL": "redis://:hunter2@cache.example"}))


ODENGI = {"EVPOWER_ODENGI_SID": "1", "EVPOWER_ODENGI_SECRET": "s"}
OPEN = {"EVPOWER_HTTP_BIND": "0.0.0.0:8080", **CHECKED}


@pytest.mark.parametrize(
    ("dangerous", "named"),
    [
        ({**ODENGI, "EVPOWER_ODENGI_URL": "https://odengi.example", "EVPOWER_ODENGI_TEST": "true"}, "odengi.test"),
        ({**ODENGI, "EVPOWER_ODENGI_URL": "http://127.0.0.1:1"}, "odengi.url"),
        ({"EVPOWER_HTTP_TRUSTED_PROXIES": "0.0.0.0/0"}, "http.trusted_proxies"),
        ({"EVPOWER_HTTP_TRUSTED_PROXIES": "::/0"}, "http.trusted_proxies"),
    ],
)
@pytest.mark.parametrize(
    "opening", [OPEN, {**OPEN, "EVPOWER_HTTP_BIND": "", "EVPOWER_HTTP_PUBLIC_URL": "https://x.kg"}]
)
def test_what_is_harmless_at_home_is_refused_once_others_reach_the_server(
    dangerous: dict[str, str], named: str, opening: dict[str, str]
) -> None:
    """Safe by default 9."""
    opening = {name: value for name, value in opening.items() if value}
    load(None, dangerous)
    (problem,) = refused(None, **opening, **dangerous)
    assert problem.startswith(f"{named}: ")
    if named.startswith("odengi"):
        load(None, {**opening, **dangerous, "EVPOWER_PAYMENTS_ALLOW_TEST_MONEY": "true"})


SMS_ON = {"EVPOWER_SMS_TRANSPORT": "http", "EVPOWER_SMS_URL": "https://sms.example/send"}


def test_nobody_signs_in_by_phone_unless_it_is_configured() -> None:
    assert load(None, {}).sms.transport == "off"
    assert load(None, SMS_ON).warnings == ()


def test_a_gateway_needs_an_address_and_must_be_given_phone_and_text() -> None:
    assert refused(None, EVPOWER_SMS_TRANSPORT="http") == ('sms.url: must be set, because sms.transport is "http"',)
    (problem,) = refused(None, **SMS_ON, EVPOWER_SMS_BODY='{"text": "{text}"}')
    assert problem.startswith("sms.body: must have {text} in it, and {phone}")
    (problem,) = refused(None, **SMS_ON, EVPOWER_SMS_METHOD="GET")
    assert problem.startswith("sms.url: must have {text} in it")
    assert load(None, {**SMS_ON, "EVPOWER_SMS_BODY": "{digits} {text}"}).sms.transport == "http"


def test_a_gateway_elsewhere_must_be_reached_by_https() -> None:
    problems = refused(None, EVPOWER_SMS_TRANSPORT="http", EVPOWER_SMS_URL="http://sms.example/")
    assert problems[0] == "EVPOWER_SMS_URL (sms.url): must begin with https:// unless its host is this machine"


def test_codes_in_the_log_are_doubted_and_refused_once_others_reach_the_server() -> None:
    (warning,) = load(None, {"EVPOWER_SMS_TRANSPORT": "log"}).warnings
    assert warning == 'sms.transport is "log": no SMS is sent, codes are written into the log'
    (problem,) = refused(
        None, EVPOWER_SMS_TRANSPORT="log", EVPOWER_HTTP_BIND="0.0.0.0:8080", EVPOWER_AUTH_ALLOW_TRUST="true"
    )
    assert problem.startswith('sms.transport: "log" writes the codes into the log')
    assert "http.bind 0.0.0.0:8080" in problem


def test_a_short_secret_of_sign_in_is_refused_and_not_shown() -> None:
    (problem,) = refused(None, EVPOWER_SIGN_IN_SECRET="canary-secret")
    assert problem.startswith("sign_in.secret: must have at least 32 characters")
    assert "canary" not in problem
    assert "canary" not in repr(load(None, {"EVPOWER_SIGN_IN_SECRET": "canary" * 6}))


def test_a_secret_of_its_own_beside_a_shared_database_is_doubted() -> None:
    environ = {**SMS_ON, "EVPOWER_DATABASE_URL": "postgresql://db.example/evpower"}
    (warning,) = load(None, environ).warnings
    assert warning.startswith("sign_in.secret is empty")
    assert load(None, environ | {"EVPOWER_SIGN_IN_SECRET": "s" * 32}).warnings == ()


@pytest.mark.parametrize("prefixes", ["", "996", "+0", "+996,", "+996 , x", "+99x"])
def test_a_phone_prefix_is_how_a_number_begins(prefixes: str) -> None:
    (problem,) = refused(None, EVPOWER_SIGN_IN_PHONE_PREFIXES=prefixes)
    assert "must be a list of beginnings of telephone numbers" in problem
    assert load(None, {"EVPOWER_SIGN_IN_PHONE_PREFIXES": "+996, +7"}).sign_in.phone_prefixes == ("+996", "+7")


@pytest.mark.parametrize("days", ["3-08", "2026-02-29", "13-01", "03-08;03-09", "20260308"])
def test_a_holiday_is_a_day_of_each_year_or_of_one(days: str) -> None:
    (problem,) = refused(None, EVPOWER_FORECAST_HOLIDAYS=days)
    assert "must be a list of days" in problem
    loaded = load(None, {"EVPOWER_FORECAST_HOLIDAYS": "03-08, 2026-03-20,02-29"}).forecast
    assert loaded.holidays == ("03-08", "2026-03-20", "02-29")


@pytest.mark.parametrize(
    "router", ["osrm", "osrm:localhost:5000", "google:http://x", "osrm:http://a@b", "osrm:http://x?k=1"]
)
def test_a_router_is_its_kind_and_its_url(router: str) -> None:
    (problem,) = refused(None, EVPOWER_NAVIGATION_ROUTER=router)
    assert "must be empty, or osrm: or valhalla: and a URL" in problem
    named = load(None, {"EVPOWER_NAVIGATION_ROUTER": "valhalla:https://routes.example/v1"})
    assert named.navigation.router == "valhalla:https://routes.example/v1"


def test_tokens_can_be_required_when_people_can_sign_in_here() -> None:
    assert load(None, {**SMS_ON, "EVPOWER_AUTH_MODE": "required"}).auth.mode == "required"
    assert refused(None, EVPOWER_AUTH_MODE="required")
