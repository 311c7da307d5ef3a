"""A clumsy operator at the command line: secrets stay out of `ps`, dangers are named (safe by default 9)."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import click
import pytest

from evpower.cli import main
from evpower.command_line.terminal import asked_password
from tests.command_line.control_server import FakeControl, run

PASSWORD_COMMANDS = (
    ("stranger", "accept", "NEW-1", "--location", "L1", "--password"),
    ("station", "password", "NEW-1"),
)


@pytest.mark.parametrize("command", PASSWORD_COMMANDS)
def test_a_stations_password_is_a_line_of_standard_input(control: FakeControl, command: tuple[str, ...]) -> None:
    """Safe by default 9."""
    control.succeed("/control/strangers/NEW-1/accept", {})
    control.succeed("/control/stations/NEW-1/password", {})
    assert run(*command, input="sixteen letters!\nmore").exit_code == 0
    assert json.loads(control.asked[0][2])["password"] == "sixteen letters!"


@pytest.mark.parametrize("command", PASSWORD_COMMANDS)
def test_without_a_password_nothing_is_asked_of_the_server(control: FakeControl, command: tuple[str, ...]) -> None:
    assert run(*command, input="").exit_code == 2
    assert control.asked == []


def test_at_a_terminal_a_password_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Typed(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[dict[str, bool]] = []

    def prompt(text: str, **how: bool) -> str:
        asked.append(how)
        return "sixteen letters!"

    monkeypatch.setattr("sys.stdin", Typed())
    monkeypatch.setattr("click.prompt", prompt)
    assert asked_password() == "sixteen letters!"
    assert asked == [{"hide_input": True, "confirmation_prompt": True}]


SECRET_ARGUMENTS = (
    ("station", "change", "S1", '{"password": "hunter2"}'),
    ("configuration", "S1", "AuthorizationKey=hunter2"),
    ("configuration", "S1", "BackendUrl=wss://user:hunter2@host"),
    ("command", "S1", "ChangeConfiguration", '{"key": "AuthorizationKey", "value": "hunter2"}'),
    ("command", "S1", "GetDiagnostics", '{"location": "ftp://user:hunter2@host/x"}'),
    ("operate", "S1", "write-configuration", '{"values": {"authorizationkey ": "hunter2"}}'),
    ("operate", "S1", "get-diagnostics", '{"location": ["ftp://user:hunter2@host/x"]}'),
    ("simulate", "ws://user:hunter2@127.0.0.1:9"),
)


@pytest.mark.parametrize("command", SECRET_ARGUMENTS, ids=lambda command: " ".join(command[:3]))
def test_a_secret_is_no_argument_because_ps_shows_it(control: FakeControl, command: tuple[str, ...]) -> None:
    """Safe by default 9."""
    result = run(*command)
    assert (result.exit_code, control.asked) == (2, [])
    assert "ps shows it" in result.stderr
    assert "hunter2" not in result.stderr


def test_json_with_a_secret_comes_by_standard_input(control: FakeControl) -> None:
    control.succeed("/control/stations/S1/commands/ChangeConfiguration", {"status": "Accepted"})
    text = '{"key": "AuthorizationKey", "value": "hunter2"}'
    assert run("command", "S1", "ChangeConfiguration", "-", input=text).exit_code == 0
    assert json.loads(control.asked[0][2]) == json.loads(text)


def test_no_command_has_an_option_for_a_secret() -> None:
    """Safe by default 9: an option that takes a value is seen in `ps`."""
    taking = [
        (context, parameter.name)
        for context, command in every_command(main, ())
        for parameter in command.params
        if not (isinstance(parameter, click.Option) and parameter.is_flag)
        and re.search("pass|secret|token|key|pin", parameter.name or "")
    ]
    assert taking == []


def every_command(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from every_command(each, (*path, name))


DANGEROUS = {
    "EVPOWER_HTTP_BIND": "0.0.0.0:8080",
    "EVPOWER_AUTH_MODE": "trust",
    "EVPOWER_ODENGI_URL": "https://odengi.example",
    "EVPOWER_ODENGI_SID": "1",
    "EVPOWER_ODENGI_SECRET": "s",
    "EVPOWER_ODENGI_TEST": "true",
    "EVPOWER_OBANK_URL": "https://localhost:1",
    "EVPOWER_OBANK_POINT": "1",
    "EVPOWER_OBANK_SERVICE": "1",
    "EVPOWER_OBANK_CERTIFICATE": "bank.p12",
    "EVPOWER_ADMIN_TOKEN": "short",
    "EVPOWER_HTTP_TRUSTED_PROXIES": "0.0.0.0/0",
}


@pytest.mark.parametrize("command", ["serve", "doctor", "config check"])
def test_a_clumsy_start_is_refused_and_the_doctor_names_each_reason(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safe by default 9."""
    for name, value in DANGEROUS.items():
        monkeypatch.setenv(name, value)
    result = run(*command.split())
    assert result.exit_code == 2
    named = {line.removeprefix("Error: ").partition(": ")[0] for line in result.stderr.splitlines()}
    assert named == {"odengi.test", "obank.url", "http.admin_token", "http.trusted_proxies", "auth.mode"}


def test_the_doctor_names_what_the_rows_leave_open(control: FakeControl) -> None:
    """Safe by default 9; an older server answers with less."""
    control.succeed(
        "/control/doctor",
        {
            "stations_without_credentials": ["S1"],
            "cards_that_are_phones": ["+996555123456"],
            "displaced_phones": [
                {"client_id": "two", "phone": "+996555000001", "reason": "duplicate", "kept_by": "one"},
                {"client_id": "three", "phone": "0555", "reason": "not_e164", "kept_by": None},
            ],
        },
    )
    named = of_the_rows(run("doctor", "--json").stdout)
    assert [each.partition(":")[0] for each in named] == [
        "station S1 has neither a password nor a certificate",
        "card +996555123456 is a phone number",
        "client two has no phone any more",
        "client three has no phone any more",
    ]
    assert "+996555000001 is client one's" in named[2]
    assert "0555 is not in E.164's writing" in named[3]
    control.succeed("/control/doctor", {"stations_without_credentials": []})
    assert of_the_rows(run("doctor", "--json").stdout) == []


def of_the_rows(answer: str) -> list[str]:
    """What the doctor does not find good in stations, cards and clients."""
    checks = json.loads(answer)["checks"]
    return [
        each["found"]
        for each in checks
        if each["check"] in ("stations", "cards", "clients") and each["state"] != "good"
    ]


def test_an_import_moves_tags_of_the_app_only_by_a_flag(control: FakeControl) -> None:
    """Safe by default 9."""
    control.succeed("/control/import", {})
    control.succeed("/control/import?move_app_tags=1", {})
    run("import", "-", input="# nothing\n")
    run("import", "--move-app-tags", "-", input="# nothing\n")
    assert [path for _, path, _ in control.asked] == ["/control/import", "/control/import?move_app_tags=1"]
