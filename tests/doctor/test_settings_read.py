"""The doctor on settings: where they are from, what is unsafe, which secrets are guessed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evpower.doctor.finding import Finding
from evpower.doctor.settings_read import FileFacts, file_read, not_read, unsafe, weak_secrets, weakness
from evpower.settings.config import Config
from tests.doctor.english import english

TOML = Path("/etc/evpower/evpower.toml")
GOOD = "3f9a1c0b7e5d2846aa10ffbe03c94d57"


def states(findings: list[Finding]) -> list[str]:
    return [each.state for each in findings]


def test_the_file_and_the_variables_are_named() -> None:
    (found,) = file_read(FileFacts(TOML, ["EVPOWER_CONFIG"], mode=0o100644))
    assert (found.state, english(found.found)) == ("good", f"{TOML} and EVPOWER_CONFIG")


def test_no_file_is_said_to_be_none() -> None:
    (found,) = file_read(FileFacts(None, []))
    assert (found.state, "no file is named" in english(found.found)) == ("good", True)


def test_a_file_that_was_not_read_is_a_warning() -> None:
    (found,) = file_read(FileFacts(None, [], unread=TOML))
    assert (found.state, english(found.found).startswith(f"{TOML} exists and was not read")) == ("warning", True)


@pytest.mark.parametrize(("mode", "expected"), [(0o100644, ["good", "warning"]), (0o100640, ["good"])])
def test_a_secret_in_a_file_that_all_may_read_is_a_warning(mode: int, expected: list[str]) -> None:
    found = file_read(FileFacts(TOML, [], mode, ["http.admin_token"]))
    assert states(found) == expected
    assert all("http.admin_token" in english(each.found) for each in found[1:])


def test_harmless_settings_are_good_and_every_doubt_of_theirs_is_a_warning() -> None:
    assert states(unsafe(Config())) == ["good"]
    (found,) = unsafe(replace(Config(), warnings=("obank.notify_key is empty",)))
    assert (found.state, english(found.found)) == ("warning", "obank.notify_key is empty")


@pytest.mark.parametrize(
    ("section", "change", "named"),
    [
        ("ocpp", {"allow_anonymous": True}, "ocpp.allow_anonymous"),
        ("payments", {"allow_test_money": True}, "payments.allow_test_money"),
        ("odengi", {"test": True}, "odengi.test"),
        ("http", {"admin_token": GOOD, "public_url": "https://x.example"}, "http.admin_allow"),
        ("log", {"level": "DEBUG"}, "log.level"),
    ],
)
def test_what_may_cost_something_is_named(section: str, change: dict[str, object], named: str) -> None:
    config = replace(Config(), **{section: replace(getattr(Config(), section), **change)})
    (found,) = unsafe(config)
    assert (found.state, named in english(found.found), bool(found.do)) == ("warning", True, True)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("password", "a word that is tried first"),
        ("Postgres123", "a word that is tried first"),
        ("demo-secret-0001-xyzw", "a word that is tried first"),
        ("4f7a9b2", "fewer than 12 characters"),
        ("abababababababab", "fewer than 8 different characters"),
        (GOOD, ""),
    ],
)
def test_a_secret_that_is_guessed_is_weak(secret: str, reason: str) -> None:
    why = english(weakness("x", secret))
    assert reason in why
    assert bool(why) is bool(reason)
    assert secret not in why


def test_weak_secrets_are_named_and_never_shown() -> None:
    weak = "evpower"
    database = replace(Config().database, url=f"postgresql://evpower:{weak}@127.0.0.1/evpower")
    http = replace(Config().http, admin_token="a" * 32)
    findings = weak_secrets(replace(Config(), database=database, http=http))
    assert [(each.state, english(each.found).partition(" ")[0]) for each in findings] == [
        ("wrong", "http.admin_token"),
        ("wrong", "database.url's"),
    ]
    assert not any("a" * 32 in english(each.found) for each in findings)


def test_good_secrets_are_good() -> None:
    http = replace(Config().http, admin_token=GOOD)
    redis = replace(Config().redis, url="redis://127.0.0.1:6379/0")
    assert states(weak_secrets(replace(Config(), http=http, redis=redis))) == ["good"]


def test_a_redis_on_another_machine_needs_a_password() -> None:
    for url, state in (("redis://10.0.0.9:6379/0", "warning"), (f"redis://:{GOOD}@10.0.0.9:6379/0", "good")):
        assert states(weak_secrets(replace(Config(), redis=replace(Config().redis, url=url)))) == [state], url


def test_wrong_settings_are_all_that_is_found() -> None:
    assert [(each.check, each.state) for each in not_read(["a: b", "c: d"])] == [
        ("settings", "wrong"),
        ("settings", "wrong"),
        ("database", "unknown"),
    ]
