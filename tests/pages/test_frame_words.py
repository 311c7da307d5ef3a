"""A frame as a sentence (contract/operator-pages §4)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.pages.frame.wording import Wording
from evpower.pages.stations.frame_words import frame_sentence
from evpower.settings.config import Config
from evpower.texts.catalogue import LANGUAGES, load
from tests.worlds.fakes import NOON
from tests.worlds.frames import call, result

EN = Wording(load("en", "pages"), Config().billing.timezone, NOON)


METERED = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": "2026-11-23T06:00:00Z",
            "sampledValue": [
                {"value": "1500", "unit": "Wh"},
                {"value": "22", "measurand": "Power.Active.Import", "unit": "kW"},
                {"value": "9", "measurand": "Power.Active.Import", "phase": "L1"},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (call("Heartbeat", {}), "is alive"),
        (
            call("StatusNotification", {"connectorId": 2, "status": "Faulted", "errorCode": "GroundFailure"}),
            "connector 2 is Faulted (GroundFailure)",
        ),
        (call("MeterValues", METERED), "connector 1 measures 1500 Wh, 22 kW"),
        (call("StopTransaction", {"transactionId": 7, "meterStop": 5}), "charge 7 ends, register 5 Wh (–)"),
        (call("SomethingElse", {"x": 1}), "SomethingElse"),
        (result({"status": "Rejected"}), "Reset answered: Rejected"),
        (result({"idTagInfo": {"status": "Blocked"}}, "Authorize"), "Authorize answered: Blocked"),
        (result({}, "Heartbeat"), "Heartbeat answered: ✓"),
        ({**result({}), "kind": "error", "error": "NotSupported"}, "Reset failed: NotSupported"),
        ({**result({}), "kind": "malformed", "error": "not JSON"}, "unreadable: not JSON"),
        ({**call("Heartbeat", {}), "frame": '[2,"1","Heartbeat",…'}, "is alive"),
    ],
)
def test_a_frame_is_a_sentence(entry: dict[str, Any], sentence: str) -> None:
    assert frame_sentence(entry, EN) == sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_reads_in_every_language(language: Any) -> None:
    texts = load(language, "pages")
    w = Wording(texts, Config().billing.timezone, NOON)
    for key in texts.sentences:
        if key.startswith("frames.call."):
            assert "{" not in frame_sentence(call(key.removeprefix("frames.call."), {}), w)
