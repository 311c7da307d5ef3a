"""`evpower doctor` at the command line: its shape for scripts, its exit codes, with a server and without."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from evpower.doctor.finding import CHECKS
from tests.command_line.control_server import FakeControl, run

STATES = {"good", "warning", "wrong", "unknown"}
REQUESTS = {"named": 4, "direct": 1, "unbelieved": {"10.0.0.5": 2}, "last_named": "203.0.113.7"}


def checks(answer: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(answer)["checks"]
    return found


def test_the_shape_for_scripts_is_stable(control: FakeControl) -> None:
    control.succeed("/control/doctor", {})
    answer = json.loads(run("doctor", "--json").stdout)
    assert set(answer) == {"ok", "checks"}
    for each in answer["checks"]:
        assert set(each) == {"check", "state", "found", "do"}
        assert each["check"] in CHECKS
        assert each["state"] in STATES
        assert each["found"]


def test_warnings_and_what_could_not_be_looked_at_end_with_0(control: FakeControl) -> None:
    control.succeed("/control/doctor", {"requests": REQUESTS})
    result = run("doctor", "--json")
    states = {each["check"]: each["state"] for each in checks(result.stdout)}
    assert (result.exit_code, states["proxies"], states["database"]) == (0, "warning", "unknown")


def test_something_wrong_ends_with_1_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVPOWER_ADMIN_TOKEN", "a" * 32)
    result = run("doctor")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if "http.admin_token has fewer than 8" in line]
    assert lines[at].startswith("wrong    secrets")
    assert lines[at + 1].lstrip().startswith("→ make a new one")
    assert "a" * 32 not in result.stdout


def test_wrong_settings_end_with_2_in_the_same_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVPOWER_HTTP_BIND", "nowhere")
    result = run("doctor", "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (2, False)
    assert {each["check"]: each["state"] for each in checks(result.stdout)} == {
        "settings": "wrong",
        "database": "unknown",
    }


def test_a_database_that_is_set_and_away_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVPOWER_DATABASE_URL", f"postgresql://evpower@/evpower?host={tmp_path}")
    result = run("doctor", "--json")
    (found,) = [each for each in checks(result.stdout) if each["check"] == "database"]
    assert (result.exit_code, found["state"], "does not answer" in found["found"]) == (1, "wrong", True)


def test_without_a_server_the_database_is_asked(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in psycopg.conninfo.conninfo_to_dict(database_url).items())
    monkeypatch.setenv("EVPOWER_DATABASE_URL", f"postgresql://?{query}")
    result = run("doctor", "--json")
    states = {each["check"]: each["state"] for each in checks(result.stdout)}
    assert (states["database"], states["stations"], states["proxies"]) == ("good", "good", "unknown")
    assert result.stderr.startswith("Database: ")


def test_many_findings_that_ask_for_the_same_are_cut_for_people_alone(control: FakeControl) -> None:
    names = [f"S{number}" for number in range(40)]
    control.succeed("/control/doctor", {"stations_without_credentials": names})
    lines = [line for line in run("doctor").stdout.splitlines() if "neither a password" in line or "more" in line]
    assert len(lines) == 6
    assert lines[-1].strip() == "and 35 more: --json has all"
    assert len([each for each in checks(run("doctor", "--json").stdout) if each["check"] == "stations"]) == 40


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "ru_RU.UTF-8",
            "внимание cards         карта 0555123456 — это номер телефона: кто его знает, может заряжаться",
        ),
        ("ky_KG.UTF-8", "көңүл    cards         0555123456 картасы — телефон номери: аны билген адам кубаттай алат"),
        ("C", "warning  cards         card 0555123456 is a phone number: who knows it can charge"),
    ],
    ids=["ru", "ky", "C"],
)
def test_people_read_it_in_the_language_of_the_terminal_and_scripts_in_english(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, locale: str, said: str
) -> None:
    control.succeed("/control/doctor", {"cards_that_are_phones": ["0555123456"]})
    monkeypatch.setenv("LC_ALL", locale)
    assert said in run("doctor").stdout.splitlines()
    (found,) = [each for each in checks(run("doctor", "--json").stdout) if each["check"] == "cards"]
    assert found == {
        "check": "cards",
        "state": "warning",
        "found": "card 0555123456 is a phone number: who knows it can charge",
        "do": "give the driver another card, and delete it",
    }


def test_nothing_is_made(tmp_path: Path) -> None:
    """Neither a private database nor its directory."""
    run("doctor")
    assert [each.name for each in tmp_path.iterdir()] == []
