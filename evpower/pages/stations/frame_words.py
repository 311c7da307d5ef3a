"""A frame as a sentence, in the reader's language. What a message's fields are called is OCPP's own wording."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from evpower.ocpp.watch.frame_facts import frame_fields, status_of
from evpower.pages.frame.wording import NONE, Wording


def frame_sentence(entry: Mapping[str, Any], w: Wording) -> str:
    """What the frame says."""
    action, kind = str(entry.get("action") or "?"), entry.get("kind")
    if kind == "result":
        return w.texts("frames.result", action=action, status=status_of(entry) or "✓")
    if kind == "error":
        return w.texts("frames.error", action=action, error=entry.get("error", ""))
    if kind != "call":
        return w.texts("frames.unreadable", error=entry.get("error", ""))
    key = f"frames.call.{action}"
    if key not in w.texts:
        return action
    return w.texts(key, **_filled(w.texts.sentences[key], frame_fields(entry)))


def _filled(sentence: str, values: Mapping[str, Any]) -> dict[str, object]:
    """The places of a sentence from a message's fields."""
    names = {name for _, name, _, _ in Formatter().parse(sentence) if name}
    return {name: NONE if values.get(name) in (None, "") else values[name] for name in names}
