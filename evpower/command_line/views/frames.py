"""Frames on a terminal, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from evpower.command_line.columns import printable
from evpower.command_line.screen import Screen
from evpower.command_line.times import in_utc

ARROWS = {"in": "←", "out": "→"}


def show_frames(entries: Iterable[dict[str, Any]], screen: Screen) -> None:
    """Print frames until there are none, or Ctrl-C."""
    try:
        for entry in entries:
            line = json.dumps(in_utc(entry), ensure_ascii=False) if screen.as_json else readable(entry, screen.zone)
            click.echo(line)
    except KeyboardInterrupt:
        pass


def readable(entry: dict[str, Any], zone: tzinfo) -> str:
    """`2026-11-23 12:00:01.123  ←  Heartbeat  [2,"17","Heartbeat",{}]`; it cannot play with the terminal."""
    if "event" in entry:
        return f"-- {entry['event']}"
    action = entry.get("action") or "?"
    parts = [_moment(str(entry["at"]), zone), ARROWS[entry["direction"]]]
    match entry["kind"]:
        case "call":
            parts.append(action)
        case "result":
            parts.append(f"answer to {action}{_latency(entry)}")
        case "error":
            parts.append(f"ERROR to {action}{_latency(entry)}: {entry['error']}")
        case kind:
            parts.append(f"{kind.upper()}: {entry['error']}")
    parts.append(entry["frame"])
    return printable("  ".join(parts))


def _latency(entry: dict[str, Any]) -> str:
    return f" after {entry['latency_ms']} ms" if "latency_ms" in entry else ""


def _moment(text: str, zone: tzinfo) -> str:
    """To the millisecond: what follows within one is distinguished by its order."""
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}{'Z' if zone is UTC else ''}"
