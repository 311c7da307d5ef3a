"""Frames as an operator reads them: what answers what, how fast, and what went wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evpower.ocpp.watch.frame_log import Direction
from evpower.ocpp.watch.trace import MOST_WAITING, Conversation
from tests.worlds.fakes import NOON


def read(*said: tuple[Direction, str]) -> list[dict[str, Any]]:
    """Each frame 20 ms after the one before; without the frame itself."""
    conversation, at = Conversation(), NOON
    entries = []
    for direction, frame in said:
        entry = conversation.read(direction, frame, at)
        entries.append({name: value for name, value in entry.items() if name not in ("at", "frame")})
        at = at + timedelta(milliseconds=20)
    return entries


def test_an_answer_carries_its_call_and_the_time_it_took() -> None:
    assert read(("in", '[2,"1","Heartbeat",{}]'), ("out", '[3,"1",{}]')) == [
        {"direction": "in", "kind": "call", "action": "Heartbeat", "message_id": "1"},
        {"direction": "out", "kind": "result", "action": "Heartbeat", "message_id": "1", "latency_ms": 20.0},
    ]


def test_crossing_calls_with_one_id_are_told_apart() -> None:
    entries = read(
        ("in", '[2,"1","Heartbeat",{}]'),
        ("out", '[2,"1","Reset",{"type":"Soft"}]'),
        ("in", '[3,"1",{}]'),
        ("out", '[3,"1",{}]'),
    )
    assert [(entry["action"], entry.get("latency_ms")) for entry in entries[2:]] == [("Reset", 20.0), ("Heartbeat", 60)]


def test_an_error_is_decoded() -> None:
    entries = read(("in", '[2,"1","Fly",{}]'), ("out", '[4,"1","NotImplemented","no wings",{}]'))
    assert (entries[1]["kind"], entries[1]["error"]) == ("error", "NotImplemented: no wings")


def test_an_answer_to_nothing_has_no_latency() -> None:
    assert read(("in", '[3,"late",{}]')) == [{"direction": "in", "kind": "result", "message_id": "late"}]


def test_what_is_no_message_says_so() -> None:
    broken, unknown = read(("in", "[2,"), ("in", '[9,"1",{}]'))
    assert (broken["kind"], unknown["kind"]) == ("malformed", "unknown")


def test_a_frame_that_was_cut_still_says_what_it_is() -> None:
    entries = read(("in", '[2,"1","DataTransfer",{"data":"xxx…'), ("out", '[3,"1",{}]'))
    assert entries[0]["action"] == entries[1]["action"] == "DataTransfer"


def test_calls_nobody_answers_fill_no_memory() -> None:
    conversation, at = Conversation(), datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    for number in range(MOST_WAITING + 1):
        conversation.read("in", f'[2,"{number}","Heartbeat",{{}}]', at)
    assert "action" not in conversation.read("out", '[3,"0",{}]', at)
    assert conversation.read("out", '[3,"1",{}]', at)["action"] == "Heartbeat"
