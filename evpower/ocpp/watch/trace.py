"""From frames that passed to what an operator reads: the CALL each answers, how long that took, its error. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime
from typing import Any

from evpower.ocpp.watch.frame_log import Direction
from evpower.ocpp.watch.masking import CUT
from evpower.ocpp.wire import frames

#: CALLs remembered while they wait for their answer; stations that never answer fill no memory.
MOST_WAITING = 64
_HEAD = re.compile(r'\s*\[\s*([234])\s*,\s*(?:"((?:[^"\\]|\\.)*)"|(\d+))\s*,\s*(?:"(\w+)")?')


class Conversation:
    """One station's frames, read in their order."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[Direction, str], tuple[str, datetime]] = OrderedDict()

    def read(self, direction: Direction, frame: str, at: datetime) -> dict[str, Any]:
        """What the frame is: kind, action, message_id, latency_ms of an answer, error, and the frame itself."""
        facts = self._facts(direction, frame, at)
        return {"at": at, "direction": direction, **facts, "frame": frame}

    def _facts(self, direction: Direction, frame: str, at: datetime) -> dict[str, Any]:
        if frame.endswith(CUT) and (head := _HEAD.match(frame)):
            kind, text_id, number_id, action = head.groups()
            return self._known(
                int(kind), str(text_id if text_id is not None else number_id), action or "", direction, at
            )
        match frames.parse(frame.encode()):
            case frames.Call(message_id=message_id, action=action):
                return self._known(2, str(message_id), action, direction, at)
            case frames.CallResult(message_id=message_id):
                return self._known(3, str(message_id), "", direction, at)
            case frames.CallError(message_id=message_id, code=code, description=description):
                facts = self._known(4, str(message_id), "", direction, at)
                return {**facts, "error": f"{code}: {description}" if description else code}
            case frames.UnknownType(type_id=type_id):
                return {"kind": "unknown", "error": f"message type {type_id}, ignored"}
            case frames.Malformed(problem=problem):
                return {"kind": "malformed", "error": problem}

    def _known(self, kind: int, message_id: str, action: str, direction: Direction, at: datetime) -> dict[str, Any]:
        if kind == 2:
            self._waiting[direction, message_id] = action, at
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
            return {"kind": "call", "action": action, "message_id": message_id}
        asked: Direction = "out" if direction == "in" else "in"
        call = self._waiting.pop((asked, message_id), None)
        facts: dict[str, Any] = {"kind": "result" if kind == 3 else "error", "message_id": message_id}
        if call is None:
            return facts
        return {**facts, "action": call[0], "latency_ms": round((at - call[1]).total_seconds() * 1000, 1)}
