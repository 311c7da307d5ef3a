"""Frames as a trace shows them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.worlds.fakes import NOON


def call(action: str, payload: dict[str, Any], *, after_s: float = 0, direction: str = "in") -> dict[str, Any]:
    at = NOON + timedelta(seconds=after_s)
    frame = json.dumps([2, "1", action, payload])
    return {"at": at, "direction": direction, "kind": "call", "action": action, "message_id": "1", "frame": frame}


def result(payload: dict[str, Any], action: str = "Reset") -> dict[str, Any]:
    return {"at": NOON, "direction": "in", "kind": "result", "action": action, "frame": json.dumps([3, "1", payload])}
