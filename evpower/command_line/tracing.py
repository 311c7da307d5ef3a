"""Frames on a terminal, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

ARROWS = {"in": "←", "out": "→"}


def show_frames(entries: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    """Print frames until there are none, or Ctrl-C."""
    try:
        for entry in entries:
            click.echo(json.dumps(entry, ensure_ascii=False) if as_json else readable(entry))
    except KeyboardInterrupt:
        pass


def readable(entry: dict[str, Any]) -> str:
    """`12:00:01.123 ← Heartbeat [2,"17","Heartbeat",{}]`; what a station wrote cannot play with the terminal."""
    if "event" in entry:
        return f"-- {entry['event']}"
    action = entry.get("action") or "?"
    parts = [str(entry["at"])[:23], ARROWS[entry["direction"]]]
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
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in "  ".join(parts))


def _latency(entry: dict[str, Any]) -> str:
    return f" after {entry['latency_ms']} ms" if "latency_ms" in entry else ""
