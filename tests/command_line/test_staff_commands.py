"""`evpower staff`: what each command asks of the server, and that a code is typed, never an argument."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line.control_server import FakeControl, run, serving

PERSON = {
    "id": "U1",
    "role": "operator",
    "is_active": True,
    "phone": "+996700000001",
    "email": None,
    "locations": ["L1"],
    "has_second_factor": False,
}


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeControl]:
    for name in ("EVPOWER_CONFIG", "EVPOWER_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EVPOWER_CONTROL_SOCKET", str(tmp_path / "c.sock"))
    with serving(tmp_path / "c.sock") as control:
        yield control


@pytest.mark.parametrize(
    ("command", "method", "path", "body"),
    [
        (
            ["add", "--role", "admin", "--phone", "+996700000001"],
            "POST",
            "users",
            {"role": "admin", "phone": "+996700000001", "email": None},
        ),
        (
            ["add", "--role", "operator", "--id", "U1"],
            "POST",
            "users",
            {"role": "operator", "phone": None, "email": None, "id": "U1"},
        ),
        (["change", "U1", "--role", "admin"], "PUT", "users/U1", {"role": "admin"}),
        (["disable", "U1"], "DELETE", "users/U1", None),
        (["enable", "U1"], "POST", "users/U1/activate", None),
        (["grant", "U1", "L1"], "PUT", "users/U1/locations/L1", {}),
        (["withdraw", "U1", "L/1"], "DELETE", "users/U1/locations/L%2F1", None),
    ],
)
def test_a_command_is_a_request(
    control: FakeControl, command: list[str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    control.succeed(f"/control/{path}", PERSON)
    result = run("staff", *command)
    assert result.exit_code == 0, result.output
    ((asked, where, sent),) = control.asked
    assert (asked, where, json.loads(sent) if sent else None) == (method, f"/control/{path}", body)


def test_staff_is_a_table(control: FakeControl) -> None:
    control.succeed("/control/users?per_page=500", {"users": [PERSON], "total": 1})
    shown = run("staff", "list").output
    assert all(text in shown for text in ("U1", "operator", "+996700000001", "L1"))


def test_nothing_to_change_is_a_usage_error(control: FakeControl) -> None:
    assert run("staff", "change", "U1").exit_code == 2
    assert control.asked == []


def test_a_second_factor_is_shown_and_confirmed_by_a_typed_code(control: FakeControl) -> None:
    control.succeed("/control/users/U1/totp", {"id": "U1", "secret": "GEZDGNBV", "uri": "otpauth://totp/EvPower:U1"})
    control.succeed("/control/users/U1/totp/confirm", {"id": "U1", "has_second_factor": True})
    result = run("staff", "totp", "U1", input="123456\n")
    assert result.exit_code == 0
    assert "GEZDGNBV" in result.output
    assert "otpauth://totp/EvPower:U1" in result.output
    assert "123456" not in result.output
    assert json.loads(control.asked[1][2]) == {"code": "123456"}


def test_a_wrong_code_ends_with_1(control: FakeControl) -> None:
    refusal = {"success": False, "error": "forbidden", "message": "Неверный код", "reason": "totp_wrong"}
    control.answers["/control/users/U1/totp/confirm"] = (403, refusal)
    result = run("staff", "confirm", "U1", input="000000\n")
    assert (result.exit_code, "Неверный код" in result.output) == (1, True)
