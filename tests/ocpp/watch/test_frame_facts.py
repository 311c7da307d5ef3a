"""Which frames are troubles, and what frames say of a station's clock and boots."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evpower.ocpp.watch.frame_facts import boot_cause, clock_offset, is_trouble
from tests.worlds.fakes import NOON
from tests.worlds.frames import call, result


@pytest.mark.parametrize(
    ("entry", "troubles"),
    [
        (result({"status": "Accepted"}), False),
        (result({}), False),
        (result({"status": "RebootRequired"}), False),
        (result({"status": "Rejected"}), True),
        (result({"status": "NotSupported"}), True),
        (call("Heartbeat", {}), False),
        (call("StatusNotification", {"status": "Available", "errorCode": "NoError"}), False),
        (call("StatusNotification", {"status": "Available", "errorCode": "HighTemperature"}), True),
        (call("StatusNotification", {"status": "Faulted"}), True),
        ({**result({}), "kind": "error"}, True),
        ({**result({}), "kind": "malformed"}, True),
    ],
)
def test_troubles_are_errors_refusals_and_faults(entry: dict[str, Any], troubles: bool) -> None:
    assert is_trouble(entry) is troubles


def test_what_waited_on_the_way_makes_a_clock_no_older() -> None:
    """A queued message is old; the freshest says how the clock is."""
    frames = [
        call("StatusNotification", {"timestamp": "2026-11-23T05:00:00Z"}),
        call("StatusNotification", {"timestamp": "2026-11-23T06:07:00Z"}, after_s=10),
        call("StatusNotification", {"timestamp": "nonsense"}),
        call("Heartbeat", {}),
        call("MeterValues", {"meterValue": [{"timestamp": "2026-11-23T06:01:00Z"}, "nonsense"]}),
        {**call("X", {"timestamp": "2026-11-23T09:00:00Z"}), "direction": "out"},
    ]
    assert clock_offset(frames) == timedelta(seconds=410)
    assert clock_offset(frames[2:]) == timedelta(seconds=60)
    assert clock_offset(frames[2:4]) is None


@pytest.mark.parametrize(
    ("frames", "cause"),
    [
        ([], ("unknown", None)),
        ([call("Heartbeat", {}, after_s=-5)], ("itself", 5)),
        ([call("Heartbeat", {}, after_s=-600)], ("silence", 600)),
        ([call("Reset", {"type": "Hard"}, after_s=-90, direction="out")], ("reset", 90)),
        ([call("BootNotification", {}, after_s=-5)], ("unknown", None)),
        ([call("Heartbeat", {}, after_s=5)], ("unknown", None)),
    ],
)
def test_why_a_station_booted(frames: list[dict[str, Any]], cause: tuple[str, int | None]) -> None:
    assert boot_cause(frames, NOON) == cause
