"""A call sheet on a terminal: every fact and remedy of it has words in each language."""

from __future__ import annotations

import json

import pytest

from evpower.case_files.call_sheet import Remedy
from evpower.http.operators.charges.call_sheets import ContactBody
from evpower.texts.catalogue import LANGUAGES, Language, load
from tests.command_line.control_server import FakeControl, run

FACTS = (
    *("serial_number", "manufacturer", "model", "firmware_version", "ip_address", "last_seen_at", "booted_at"),
    *("location_name", "city", "address", "latitude", "longitude", "directions"),
)
SHEET = {
    **dict.fromkeys(FACTS, "x"),
    "station_id": "EVP-1",
    "state": "offline",
    "since": None,
    "outage": {"cause": "socket"},
    "people": [],
    "connectors": [],
    "holds": [],
    "neighbours": [],
    "contact": dict.fromkeys(ContactBody.__annotations__, "c"),
    "to_try": [each.value for each in Remedy],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_and_remedy_has_words(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    control.succeed("/control/ids/stations", ["EVP-1"])
    control.succeed("/control/stations/EVP-1/call-sheet", SHEET)
    texts, shown = load(language, "command_line"), run("station", "call-sheet", "EVP-1").stdout
    for name in (*FACTS, *ContactBody.__annotations__):
        assert f"\n{texts(f'columns.{name}')}  " in shown, name
    for each in Remedy:
        assert texts(f"call_sheet_try.{each.value}")[:30] in shown


def test_a_contact_is_written_whole(control: FakeControl) -> None:
    control.succeed("/control/locations/L-1/contact", dict.fromkeys(ContactBody.__annotations__))
    assert json.loads(run("location", "contact", "L-1", "--json").stdout)["person"] is None
    assert run("location", "contact", "L-1", '{"phone": "0555"}').exit_code == 0
    assert control.asked[-1] == ("PUT", "/control/locations/L-1/contact", b'{"phone": "0555"}')
