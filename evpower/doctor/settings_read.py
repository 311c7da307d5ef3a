"""Checks of the settings: where they are from, what is unsafe in them, which secrets are weak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from evpower.doctor.finding import Finding, Sentence, Value, good, sentence, unknown, warning, wrong
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
    variables = ", ".join(facts.variables) or sentence("file.no_variable")
    if facts.unread is not None:
        found = sentence("file.unread", file=str(facts.unread), variables=variables)
        return [warning("file", found, sentence("file.name_it"))]
    if facts.file is None:
        return [good("file", sentence("file.none", variables=variables))]
    file = str(facts.file)
    findings = [good("file", sentence("file.good", file=file, variables=variables))]
    if facts.secrets_in_it and facts.mode & OTHERS_READ:
        found = sentence("file.secrets", file=file, names=", ".join(facts.secrets_in_it))
        findings.append(warning("file", found, sentence("file.move_secrets")))
    return findings


def unsafe(config: Config) -> list[Finding]:
    """Settings that work and may cost something."""
    findings = [
        warning("settings", sentence("settings.doubt", doubt=text), sentence("settings.decide"))
        for text in config.warnings
    ]
    if config.ocpp.allow_anonymous:
        findings.append(warning("settings", sentence("settings.anonymous"), sentence("settings.protect")))
    if config.payments.allow_test_money or config.odengi.test:
        findings.append(warning("settings", sentence("settings.test_money"), sentence("settings.no_test_money")))
    if config.http.admin_token and config.http.public_url and not config.http.admin_allow:
        findings.append(warning("settings", sentence("settings.admin_door"), sentence("settings.name_networks")))
    if config.log.level == "DEBUG":
        findings.append(warning("settings", sentence("settings.debug"), sentence("settings.info")))
    return findings or [good("settings", sentence("settings.good"))]


def weakness(name: Value, secret: str) -> Sentence | None:
    """Why the secret of this name is weak; None for a good one. The secret itself is never in it."""
    word = "".join(each for each in secret.lower() if each.isalpha())
    if word in KNOWN or any(part in KNOWN for part in secret.lower().replace("-", "_").split("_")):
        return sentence("secrets.word", name=name)
    if len(secret) < PASSWORD_CHARS_MIN:
        return sentence("secrets.short", name=name, least=PASSWORD_CHARS_MIN)
    if len(Counter(secret)) < DIFFERENT_MIN:
        return sentence("secrets.alike", name=name, least=DIFFERENT_MIN)
    return None


def weak_secrets(config: Config) -> list[Finding]:
    """Secrets that others can guess. Only names are shown."""
    given = [(name, value) for name, value in _secrets(config) if value]
    weak = [why for name, value in given if (why := weakness(name, value)) is not None]
    findings = [wrong("secrets", why, sentence("secrets.make")) for why in weak] + _open_databases(config)
    return findings or [good("secrets", sentence("secrets.good", count=len(given)))]


def _secrets(config: Config) -> list[tuple[Value, str]]:
    """What we or an operator made up, with its name."""
    return [
        ("http.admin_token", config.http.admin_token),
        ("auth.jwt_secret", config.auth.jwt_secret),
        ("sign_in.secret", config.sign_in.secret),
        ("obank.notify_key", config.obank.notify_key),
        ("odengi.secret", config.odengi.secret),
        ("odengi.webhook_secret", config.odengi.webhook_secret),
        (sentence("secrets.password", setting="database.url"), _password(config.database.url)),
        (sentence("secrets.password", setting="redis.url"), _password(config.redis.url)),
    ]


def _open_databases(config: Config) -> list[Finding]:
    host = urlsplit(config.redis.url).hostname or ""
    if host and not _is_here(host) and not _password(config.redis.url):
        return [warning("secrets", sentence("secrets.open_redis", host=host), sentence("secrets.close_redis"))]
    return []


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _is_here(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def not_read(problems: Collection[str]) -> list[Finding]:
    """Settings with which the server would not start: nothing else can be looked at."""
    findings = [
        wrong("settings", sentence("settings.problem", problem=problem), sentence("settings.mend"))
        for problem in problems
    ]
    return [*findings, unknown("database", sentence("settings.nothing_else"))]
