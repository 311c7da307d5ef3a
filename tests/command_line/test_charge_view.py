"""A charge's case file on a terminal: a line for each step, the bill beside what is stored, in each language."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from evpower.case_files.timeline import StepKind
from evpower.charging.session import Phase
from evpower.charging.transaction import EndCause
from evpower.texts.catalogue import LANGUAGES, load
from tests.command_line.control_server import FakeControl, run

AT = "2026-11-23T06:00:00.000000Z"
SESSION = {
    "session_id": "1703a9f7-0000-4000-8000-123456789abc",
    "client_id": "client-1",
    "station_id": "EVP-001-01",
    "connector_id": 1,
    "phase": "settled",
    "end_cause": "limit",
    "estimated": False,
    "corrected_at": None,
    "energy_kwh": 1.501,
    "amount": 20.26,
    "reserved_amount": 135,
    "refunded_amount": 114.74,
    "debt_amount": 0,
    "unbilled_som": 0,
}
CASE: dict[str, Any] = {
    "session": SESSION,
    "timeline": [
        {"at": AT, "step": "asked", "facts": {"door": "phone", "answer": "accepted"}},
        {"at": AT, "step": "held", "facts": {"amount": 135}},
        {"at": AT, "step": "stop_asked", "facts": {"by": "operator aida"}},
        {"at": AT, "step": "gap", "facts": {"until": "2026-11-23T06:20:00.000000Z"}},
        {"at": AT, "step": "ended", "facts": {"cause": "limit", "energy_wh": 1501}},
    ],
    "registers": [{"context": "Transaction.Begin", "register_wh": 1_234_567, "measured_at": AT}],
    "tariff": {
        "rate_per_kwh": 13.5,
        "rate_per_minute": 0,
        "session_fee": 0,
        "rule": "Ночь",
        "rule_id": "P-1",
        "tariff_plan_id": "P",
        "rule_details": {"time_start": "22:00", "time_end": "06:00"},
    },
    "bill": {
        "energy_kwh": 1.501,
        "minutes": 7,
        "recomputed": 20.26,
        "stored": 20.26,
        "sold": 20.26,
        "equal": True,
        "parts": [{"energy_kwh": 1.501, "rate_per_kwh": 13.5}],
        "rate_boundaries": [],
    },
    "idle_fee": None,
    "postings": [
        {"at": AT, "entry": "settle", "key": "settle:1", "account": "revenue", "amount": 20.26, "actor": "settlement"}
    ],
    "receipts": [{"number": "2026-000001", "issued_at": AT, "amount": 20.26}],
    "attempts": [],
    "doubts": [],
    "parked": [],
    "frames": [],
    "frames_left_out": False,
}
PATH = "/control/sessions/1703/evidence"


def test_a_charge_is_shown_with_why_it_ended_and_its_bill_recomputed(control: FakeControl) -> None:
    control.succeed(PATH, CASE)
    shown = run("session", "show", "1703").stdout.splitlines()
    assert shown[1] == "It is settled. It was ended by the driver's limit."
    for line in (
        "2026-11-23 12:00:00  the app asked for a start: accepted",
        "2026-11-23 12:00:00  a stop was asked for by operator aida",
        "2026-11-23 12:00:00  no reading until 2026-11-23 12:20:00",
        "1.501 kWh × 13.5 + 7 min × 0 + fee 0 = 20.26 som  ✔",
        "stored: 20.26 som; sold by the ledger: 20.26 som",
        "price: Ночь; plan: P",
        "time_start: 22:00, time_end: 06:00",
        "receipt 2026-000001 of 2026-11-23 12:00:00: 20.26 som",
    ):
        assert line in shown


def test_a_price_that_moved_is_shown_with_the_readings_around_its_change(control: FakeControl) -> None:
    later = AT.replace("06:00", "06:20")
    boundary = {"at": later, "energy_kwh": 4.3, "estimated": False}
    boundary |= {"before": {"at": AT, "energy_kwh": 4.29}, "after": {"at": later, "energy_kwh": 4.31}}
    parts = [{"energy_kwh": 4.3, "rate_per_kwh": 13.5}, {"energy_kwh": 1.1, "rate_per_kwh": 9}]
    bill = {**CASE["bill"], "parts": parts, "rate_boundaries": [boundary, {**boundary, "estimated": True}]}
    control.succeed(PATH, {**CASE, "bill": bill})
    shown = " ".join(run("session", "show", "1703").stdout.split())
    assert "4.3 kWh × 13.5 + 1.1 kWh × 9 + 7 min × 0" in shown
    changed = "Price changed 2026-11-23 12:20:00: 4.3 kWh by then, between 4.29 kWh at 2026-11-23 12:00:00"
    assert shown.count(changed) == 2
    assert shown.count("estimated, the readings are far apart") == 1


def test_what_a_car_that_waited_paid_is_shown(control: FakeControl) -> None:
    fee = {"rate_per_minute": 3, "grace_minutes": 20, "cap": 30, "times": [], "ended_at": None}
    fee |= {"minutes": None, "fee": None, "taken": None}
    control.succeed(PATH, {**CASE, "idle_fee": fee})
    shown = " ".join(run("session", "show", "1703").stdout.split())
    assert "Idle fee: 3 som a minute, 20 min after the notice, at most 30 som; the car has not left" in shown
    control.succeed(PATH, {**CASE, "idle_fee": {**fee, "ended_at": AT, "minutes": 15, "fee": 30, "taken": 20}})
    shown = " ".join(run("session", "show", "1703").stdout.split())
    assert "Idle fee: 15 min × 3 som, at most 30 som = 30 som; taken: 20 som" in shown


def test_a_bill_that_does_not_agree_is_marked(control: FakeControl) -> None:
    control.succeed(PATH, {**CASE, "bill": {**CASE["bill"], "stored": 21, "equal": False}})
    shown = run("session", "show", "1703").stdout
    assert "= 20.26 som  ✘" in shown
    assert "stored: 21 som" in shown


def test_frames_are_shown_when_they_are_asked_for(control: FakeControl) -> None:
    frame = {"at": AT, "direction": "in", "kind": "call", "action": "Heartbeat", "frame": '[2,"1","Heartbeat",{}]'}
    control.succeed(PATH, {**CASE, "frames": [frame]})
    assert "--frames" in run("session", "show", "1703").stdout
    assert "2026-11-23 12:00:00.000  ←  Heartbeat" in run("session", "show", "1703", "--frames").stdout
    assert json.loads(run("session", "show", "1703", "--json").stdout)["frames"] == [frame]
    assert "--since" not in run("session", "show", "1703", "--frames").stdout


def test_frames_that_are_left_out_are_said_to_be(control: FakeControl) -> None:
    frame = {"at": AT, "direction": "in", "kind": "call", "action": "Heartbeat", "frame": '[2,"17","Heartbeat",{}]'}
    control.succeed(PATH, {**CASE, "frames": [frame], "frames_left_out": True})
    for options in ((), ("--frames",)):
        assert "--since TIME" in run("session", "show", "1703", *options).stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phase_cause_and_step_has_a_sentence(language: str) -> None:
    assert language in LANGUAGES
    texts = load(language, "command_line")
    for table, words in (("phases", get_args(Phase)), ("causes", get_args(EndCause)), ("steps", get_args(StepKind))):
        assert [word for word in words if f"{table}.{word}" not in texts] == []


def test_a_charge_is_shown_in_russian(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    control.succeed(PATH, CASE)
    shown = run("session", "show", "1703").stdout
    for sentence in ("Рассчитана. Завершение: лимит водителя.", "удержано 135 сом", "Счёт, пересчитанный"):
        assert sentence in shown
