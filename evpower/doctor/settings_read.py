"""Checks of the settings: where they are from, what is unsafe in them, which secrets are weak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from evpower.doctor.finding import Finding, good, unknown, warning, wrong
from evpower.settings.config import Config

#: What is guessed first: examples, defaults, what the demo and the pages show.
KNOWN = frozenset(
    (
        *("admin", "change", "changeme", "default", "demo", "evp", "evpower", "example", "guest", "letmein", "obank"),
        *("odengi", "passw", "password", "postgres", "qwerty", "root", "sandbox", "secret", "test", "token"),
    )
)
#: A secret with fewer different characters is no random one; hexadecimal has 16.
DIFFERENT_MIN = 8
PASSWORD_CHARS_MIN = 12
OTHERS_READ = 0o004


@dataclass(frozen=True)
class FileFacts:
    """The file of the settings, its mode, the secrets written in it, and a usual one that was not read."""

    file: Path | None
    variables: Sequence[str]
    mode: int = 0
    secrets_in_it: Sequence[str] = ()
    unread: Path | None = None


def file_read(facts: FileFacts) -> list[Finding]:
    """Which file and variables made the settings."""
    variables = ", ".join(facts.variables) or "no variable"
    if facts.unread is not None:
        found = f"{facts.unread} exists and was not read; the settings are the defaults and {variables}"
        return [
            warning("file", found, "name it by --config or EVPOWER_CONFIG, and read the server's own variables first")
        ]
    if facts.file is None:
        return [good("file", f"no file is named; the settings are the defaults and {variables}")]
    findings = [good("file", f"{facts.file} and {variables}")]
    if facts.secrets_in_it and facts.mode & OTHERS_READ:
        found = f"{facts.file} has {', '.join(facts.secrets_in_it)} in it, and every user may read it"
        findings.append(warning("file", found, "move secrets to the environment file of the service, mode 0600"))
    return findings


def unsafe(config: Config) -> list[Finding]:
    """Settings that work and may cost something."""
    findings = [warning("settings", text, "decide: change the setting, or leave it so") for text in config.warnings]
    if config.ocpp.allow_anonymous:
        found = "ocpp.allow_anonymous = true: who knows a station's id can be that station"
        findings.append(warning("settings", found, "give each station a password or a certificate, and take it out"))
    if config.payments.allow_test_money or config.odengi.test:
        found = "test money is credited (payments.allow_test_money, odengi.test): nobody pays it"
        findings.append(warning("settings", found, "take both out before real drivers come"))
    if config.http.admin_token and config.http.public_url and not config.http.admin_allow:
        found = "http.admin_allow is empty: the administrators' door may be tried from anywhere"
        findings.append(warning("settings", found, "name the networks of those who administrate"))
    if config.log.level == "DEBUG":
        findings.append(warning("settings", 'log.level is "DEBUG": the log grows fast', 'set it to "INFO"'))
    return findings or [good("settings", "nothing in them is unsafe")]


def weakness(secret: str, *, chars_min: int = PASSWORD_CHARS_MIN) -> str:
    """Why a secret is weak; empty for a good one. The secret itself is never in it."""
    word = "".join(each for each in secret.lower() if each.isalpha())
    if word in KNOWN or any(part in KNOWN for part in secret.lower().replace("-", "_").split("_")):
        return "is made of a word that is tried first"
    if len(secret) < chars_min:
        return f"has fewer than {chars_min} characters"
    if len(Counter(secret)) < DIFFERENT_MIN:
        return f"has fewer than {DIFFERENT_MIN} different characters"
    return ""


def weak_secrets(config: Config) -> list[Finding]:
    """Secrets that others can guess. Only names are shown."""
    given = {name: value for name, value in _secrets(config).items() if value}
    findings = [
        wrong("secrets", f"{name} {why}", "make a new one (openssl rand -hex 32) and set it at both ends")
        for name, value in given.items()
        if (why := weakness(value))
    ]
    findings += _open_databases(config)
    return findings or [good("secrets", f"none of {len(given)} is one that is guessed")]


def _secrets(config: Config) -> dict[str, str]:
    """What we or an operator made up; a provider's own choice is only compared with known words."""
    return {
        "http.admin_token": config.http.admin_token,
        "auth.jwt_secret": config.auth.jwt_secret,
        "sign_in.secret": config.sign_in.secret,
        "obank.notify_key": config.obank.notify_key,
        "odengi.secret": config.odengi.secret,
        "odengi.webhook_secret": config.odengi.webhook_secret,
        "database.url's password": _password(config.database.url),
        "redis.url's password": _password(config.redis.url),
    }


def _open_databases(config: Config) -> list[Finding]:
    host = urlsplit(config.redis.url).hostname or ""
    if host and not _is_here(host) and not _password(config.redis.url):
        found = f"redis.url names {host} and has no password"
        return [warning("secrets", found, "give Redis a password (requirepass), or a network of its own")]
    return []


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _is_here(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def not_read(problems: Collection[str]) -> list[Finding]:
    """Settings with which the server would not start: nothing else can be looked at."""
    findings = [
        wrong("settings", problem, "mend it: config/evpower.toml explains every setting") for problem in problems
    ]
    return [*findings, unknown("database", "the settings are not right, so nothing else was looked at")]
