"""What frames that passed say, beside who sent them: a status, a trouble, readings, the station's clock, why it booted.

Pure; of a frame that cannot be read, or was cut, little is known and nothing is raised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

#: Values of a station's `status` that need nobody.
WILLING = frozenset({"accepted", "rebootrequired", "scheduled", "unlocked", "none", ""})
#: What a station can be asked to send.
TRIGGERS = (
    "StatusNotification",
    "MeterValues",
    "Heartbeat",
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
)
#: Silence before a boot that is longer is a cause by itself, in seconds.
LONG_SILENCE_S = 60
#: Fields of readings that are named in a sentence, by OCPP's measurand.
MEASURED = {"Energy.Active.Import.Register": "register", "Power.Active.Import": "power", "SoC": "soc"}


def payload_of(frame: str) -> Mapping[str, Any]:
    """The payload of a CALL or of its answer; empty when the frame cannot be read, or was cut."""
    try:
        message = json.loads(frame)
    except ValueError:
        return {}
    last = message[-1] if isinstance(message, list) and len(message) > 2 else {}
    return last if isinstance(last, dict) else {}


def status_of(entry: Mapping[str, Any]) -> str:
    """The status that an answer names."""
    payload = payload_of(str(entry["frame"]))
    tag = payload.get("idTagInfo")
    status = payload.get("status") or (tag.get("status") if isinstance(tag, dict) else "")
    return str(status or "")


def is_trouble(entry: Mapping[str, Any]) -> bool:
    """Whether the frame is an error, a refusal, or tells of a fault."""
    if entry.get("kind") == "result":
        return status_of(entry).lower() not in WILLING
    if entry.get("kind") != "call":
        return True
    payload = payload_of(str(entry["frame"]))
    return payload.get("errorCode", "NoError") != "NoError" or payload.get("status") in ("Faulted", "Rejected")


def clock_offset(frames: list[dict[str, Any]]) -> timedelta | None:
    """How far the station's clock is ahead of ours, by what it stamped; what waited on the way makes it no older."""
    offsets = [
        stamped - entry["at"]
        for entry in frames
        if entry["direction"] == "in"
        for text in _stamps(payload_of(str(entry["frame"])))
        if (stamped := _moment(text)) is not None
    ]
    return max(offsets) if offsets else None


def boot_cause(frames: list[dict[str, Any]], booted_at: datetime) -> tuple[str, int | None]:
    """Why it booted, by what was said before (OCPP 1.6 has no reason): a key of `boot_cause`, and the silence in s."""
    before = [each for each in frames if each["at"] < booted_at and each.get("action") != "BootNotification"]
    if not before:
        return "unknown", None
    silent_s = int((booted_at - before[-1]["at"]).total_seconds())
    asked = any(each["direction"] == "out" and each.get("action") == "Reset" for each in before[-20:])
    if asked:
        return "reset", silent_s
    return ("silence" if silent_s > LONG_SILENCE_S else "itself"), silent_s


def frame_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message, and `register`, `power` and `soc` of its last sample."""
    payload = payload_of(str(entry["frame"]))
    return {**payload, **_measured(payload)}


def _measured(payload: Mapping[str, Any]) -> dict[str, str]:
    """Register, power and state of charge of the last sample; no measurand is the register (OCPP 1.6 §7.43)."""
    found: dict[str, str] = {}
    samples = payload.get("meterValue")
    for sample in samples if isinstance(samples, list) else ():
        values = sample.get("sampledValue") if isinstance(sample, dict) else None
        for each in values if isinstance(values, list) else ():
            if isinstance(each, dict) and "value" in each:
                name = MEASURED.get(each.get("measurand", "Energy.Active.Import.Register"))
                if name is not None and "phase" not in each:
                    found[name] = f"{each['value']} {each.get('unit', '')}".strip()
    return found


def _stamps(payload: Mapping[str, Any]) -> list[object]:
    """When the station says that the message was made, and what it measured."""
    samples = payload.get("meterValue")
    of_samples = (
        [each.get("timestamp") for each in samples if isinstance(each, dict)] if isinstance(samples, list) else []
    )
    return [payload.get("timestamp"), *of_samples]


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
