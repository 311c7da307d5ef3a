"""Clients and cards at the command line: found by phone, blocked, their balance changed after a question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.command_line.control_server import FakeControl, run

CLIENT = "9c0ffee0-1111-4000-8000-123456789abc"
AT = "2026-11-23T06:00:00.000000Z"
CASE: dict[str, Any] = {
    "client": {
        "client_id": CLIENT,
        "name": "Айгүл",
        "phone": "+996555123456",
        "email": None,
        "status": "active",
        "created_at": AT,
        "merged_into": None,
        "balance": 300,
        "free": 165,
        "held_by_charges": 135,
        "held_by_refunds": 0,
        "held_by_reservations": 0,
        "debt_amount": 0,
    },
    "attempts": [
        {
            "attempted_at": AT,
            "station_id": "EVP-001-01",
            "connector_id": 1,
            "door": "phone",
            "answer": "station_offline",
            "reason": "silent",
            "sentence": "Станция не на связи",
            "session_id": None,
        }
    ],
    "charges": [],
    "statement": [],
    "cards": [],
    "top_ups": [],
}


def test_a_client_is_found_by_phone_and_shown_with_what_the_driver_read(control: FakeControl) -> None:
    refused = {"success": False, "error": "validation_error", "message": "m"}
    control.answers["/control/clients/%2B996555123456/case"] = (400, refused)
    control.succeed("/control/ids/clients?begins=%2B996555123456", [CLIENT])
    control.succeed(f"/control/clients/{CLIENT}/case", CASE)
    shown = run("client", "show", "+996 555 12-34-56").stdout
    for sentence in (
        "balance 300 som = free 165 + held by charges 135 + refunds 0 + reservations 0; debt 0",
        "station_offline",
        "Станция не на связи",
        "No charges",
    ):
        assert sentence in shown
    assert json.loads(run("client", "show", "+996 555 12-34-56", "--json").stdout) == CASE


@pytest.mark.parametrize(("command", "status"), [("block", "blocked"), ("unblock", "active")])
def test_a_client_is_blocked_and_no_longer(control: FakeControl, command: str, status: str) -> None:
    control.succeed(f"/control/clients/c1/status?status={status}", {"client_id": "c1"})
    assert run("client", command, "c1").exit_code == 0
    assert control.asked[0][:2] == ("PUT", f"/control/clients/c1/status?status={status}")


def test_a_balance_changes_after_a_question_alone(control: FakeControl) -> None:
    control.succeed("/control/clients/9c0f/case", CASE)
    control.succeed(f"/control/clients/{CLIENT}/balance", {"new_balance": 115})
    arguments = ("client", "adjust", "9c0f", "--reason", "жалоба 7", "--ticket", "T-7")
    assert run(*arguments, "--", "-50").exit_code == 2
    assert [method for method, _, _ in control.asked] == ["GET"]
    assert run(*arguments, "--yes", "--", "-50").exit_code == 0
    method, path, body = control.asked[-1]
    assert (method, path) == ("PUT", f"/control/clients/{CLIENT}/balance")
    assert json.loads(body) == {"amount": -50, "reason": "жалоба 7"}
    assert control.keys[-1] == "T-7"


@pytest.mark.parametrize(("amount", "after"), [("50", "185.0"), ("20", "165.0"), ("-50", "115.0")])
def test_the_question_counts_the_debt_that_a_credit_pays(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, amount: str, after: str
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    owing = {**CASE, "client": {**CASE["client"], "debt_amount": 30}}
    control.succeed("/control/clients/9c0f/case", owing)
    result = run("client", "adjust", "--reason", "x", "--", "9c0f", amount, input="n\n")
    assert f"from 165 to {after}?" in result.stderr


@pytest.mark.parametrize(("answer", "done"), [("y\n", True), ("n\n", False)])
def test_the_question_shows_the_balance_after(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, answer: str, done: bool
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    control.succeed("/control/clients/9c0f/case", CASE)
    control.succeed(f"/control/clients/{CLIENT}/balance", {"new_balance": 215})
    result = run("client", "adjust", "9c0f", "50", "--reason", "x", input=answer)
    assert "by 50.0 som, from 165 to 215.0?" in result.stderr
    assert (control.asked[-1][0] == "PUT", result.exit_code == 0) == (done, done)


def test_clients_are_listed(control: FakeControl) -> None:
    row = {"id": CLIENT, "name": "Айгүл", "phone": "+996555123456", "status": "blocked", "balance": 1}
    control.succeed("/control/clients?search=%D0%B0%D0%B9&status=blocked&limit=5", {"clients": [row]})
    assert "+996555123456" in run("clients", "ай", "--status", "blocked", "--limit", "5").stdout


@pytest.mark.parametrize(("command", "status"), [("block", "Blocked"), ("unblock", "Accepted")])
def test_a_card_is_blocked_and_nothing_else_of_it_changes(control: FakeControl, command: str, status: str) -> None:
    control.succeed("/control/id-tags/04A1", {"id_tag": "04A1"})
    assert run("tag", command, "04A1").exit_code == 0
    method, path, body = control.asked[0]
    assert (method, path, json.loads(body)) == ("PATCH", "/control/id-tags/04A1", {"status": status})
