"""What the page of a station of OCPP 2.0.1 offers beside what 1.6 has (ocpp201 §4: one vocabulary, a clear refusal)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.link.commands import Ending, Reply
from evpower.link.device_commands import Reported
from evpower.ocpp.v201.dialect import OCPP_201
from evpower.pages.stations.acts import ACTS
from evpower.pages.stations.station_act import shown_answer
from evpower.stations.device_variable import DeviceVariable
from tests.pages.test_station_acts import PAGE, acts, do
from tests.worlds.charging import STATION, World
from tests.worlds.pages import Browser

SPOKE = """
INSERT INTO evpower.ocpp_station_status (station_id, ocpp_version) VALUES ('{station}', '{version}')
ON CONFLICT (station_id) DO UPDATE SET ocpp_version = excluded.ocpp_version
"""
OF_201 = [act.name for act in ACTS if act.version]


async def speaks(world: World, version: str) -> None:
    await world.sql(SPOKE.format(station=STATION, version=version))
    if version == "2.0.1":
        world.link.dialect = OCPP_201


@pytest.mark.parametrize(("version", "offered"), [("2.0.1", OF_201), ("1.6", [])])
async def test_a_page_offers_what_its_station_has(
    browser: Browser, world: World, version: str, offered: list[str]
) -> None:
    await speaks(world, version)
    page = await browser.get(PAGE)
    assert [name for name in OF_201 if f"{PAGE}/do/{name}" in page.links] == offered
    assert f"OCPP {version}" in browser.text
    assert {act.name for act in ACTS if not act.version} <= {link.rpartition("/")[2] for link in page.links}


@pytest.mark.parametrize(
    ("act", "fields", "sent"),
    [
        ("reset", {"kind": "hard"}, ("Reset", {"type": "Immediate"})),
        ("reset", {"kind": "soft", "connector": "2"}, ("Reset", {"type": "OnIdle", "evseId": 2})),
        ("unlock", {"connector": "2"}, ("UnlockConnector", {"evseId": 2, "connectorId": 1})),
        (
            "availability",
            {"connector": "2", "operative": "inoperative"},
            ("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}}),
        ),
        (
            "trigger",
            {"message": "DiagnosticsStatusNotification"},
            ("TriggerMessage", {"requestedMessage": "LogStatusNotification"}),
        ),
        (
            "show_message",
            {"message_id": "7", "text": "Кофе", "priority": "InFront", "state": "Idle"},
            (
                "SetDisplayMessage",
                {
                    "message": {
                        "id": 7,
                        "priority": "InFront",
                        "state": "Idle",
                        "message": {"format": "UTF8", "content": "Кофе"},
                    }
                },
            ),
        ),
        ("hide_message", {"message_id": "7"}, ("ClearDisplayMessage", {"id": 7})),
        ("monitoring_base", {"base": "HardWiredOnly"}, ("SetMonitoringBase", {"monitoringBase": "HardWiredOnly"})),
        ("monitoring_level", {"severity": "4"}, ("SetMonitoringLevel", {"severity": 4})),
        (
            "forget_customer",
            {"id_tag": "CARD1"},
            (
                "CustomerInformation",
                {
                    "requestId": 1,
                    "report": False,
                    "clear": True,
                    "idToken": {"idToken": "CARD1", "type": "Central"},
                },
            ),
        ),
        ("unpublish_firmware", {"checksum": "d41d8cd9"}, ("UnpublishFirmware", {"checksum": "d41d8cd9"})),
    ],
)
async def test_an_act_is_sent_in_the_words_of_2_0_1(
    browser: Browser, world: World, act: str, fields: dict[str, str], sent: tuple[str, dict[str, Any]]
) -> None:
    await speaks(world, "2.0.1")
    world.link.replies["UnlockConnector"] = {"status": "Unlocked"}
    world.link.replies["UnpublishFirmware"] = {"status": "Unpublished"}
    assert "→ done" in await do(browser, act, **fields)
    assert world.link.commanded == [sent]


async def test_a_monitor_is_set_and_cleared(browser: Browser, world: World) -> None:
    await speaks(world, "2.0.1")
    world.link.replies["SetVariableMonitoring"] = {"setMonitoringResult": [{"status": "Accepted", "id": 3}]}
    world.link.replies["ClearVariableMonitoring"] = {"clearMonitoringResult": [{"status": "Accepted", "id": 3}]}
    fields = {"variable": "EVSE.Power", "kind": "UpperThreshold", "value": "11000,5", "severity": "2"}
    assert "→ done" in await do(browser, "set_monitor", **fields)
    (_, asked), *_ = world.link.commanded
    (wanted,) = asked["setMonitoringData"]
    assert (wanted["value"], wanted["type"], wanted["severity"]) == (11000.5, "UpperThreshold", 2)
    await do(browser, "clear_monitor", key="fedcba9876543210", monitor_id="3")
    assert world.link.commanded[1] == ("ClearVariableMonitoring", {"id": [3]})


@pytest.mark.parametrize("act", ["hide_message", "read_monitors"])
async def test_a_station_that_speaks_1_6_refuses_what_that_has_not(browser: Browser, world: World, act: str) -> None:
    """An address that somebody kept: the form says whose the act is, and nothing is sent."""
    await speaks(world, "1.6")
    await browser.get(f"{PAGE}/do/{act}")
    assert "OCPP 2.0.1 alone" in browser.text
    text = await do(browser, act, **({"message_id": "7"} if act == "hide_message" else {}))
    assert "Такой команды нет в OCPP 1.6" in text
    assert world.link.commanded == []
    assert [each["outcome"] for each in await acts(world)] == ["command_refused"]


@pytest.mark.parametrize(
    ("act", "fields", "reason"),
    [
        ("hide_message", {"message_id": "x"}, "Number of the text: is no whole number"),
        ("hide_message", {"message_id": "-1"}, "Number of the text: is no whole number"),
        ("hide_message", {"message_id": "2147483648"}, "Number of the text: is no whole number"),
        (
            "set_monitor",
            {"variable": "A.B", "kind": "Delta", "value": "nan", "severity": "1"},
            "Value: is no number, such as 1.5",
        ),
        (
            "set_monitor",
            {"variable": "A.B", "kind": "Delta", "value": "much", "severity": "1"},
            "Value: is no number, such as 1.5",
        ),
        ("monitoring_level", {"severity": "10"}, "is none of the choices"),
    ],
)
async def test_bad_input_is_refused_before_anything_is_sent(
    browser: Browser, world: World, act: str, fields: dict[str, str], reason: str
) -> None:
    await speaks(world, "2.0.1")
    response = await browser.send(f"{PAGE}/do/{act}", {"key": "0123456789abcdef", **fields})
    assert response.status_code == 400
    assert reason in browser.text
    assert world.link.commanded == []


def test_of_a_list_every_item_has_its_line() -> None:
    answer = {"status": "Accepted", "messages": [{"id": 7, "text": "Кофе"}, {"id": 8}], "file_name": None}
    assert shown_answer(answer) == 'Accepted, messages: 2\n{"id": 7, "text": "Кофе"}\n{"id": 8}'


async def test_texts_that_a_station_shows_are_listed(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(*_: object) -> Reported:
        return Reported(
            Reply(Ending.DONE, "Accepted", {"status": "Accepted"}), ({"messageInfo": [{"id": 7}, {"id": 8}]},)
        )

    monkeypatch.setattr(world.app.operations.commands, "ask", asked)
    text = await do(browser, "read_messages")
    assert "messages: 2" in text
    assert '{"id": 7}' in text
    assert '{"id": 8}' in text


async def test_the_configuration_shows_what_a_station_reported_of_itself(browser: Browser, world: World) -> None:
    variable = DeviceVariable("EVSE", "Power", "22000", evse_id=1, attribute="MaxSet", mutability="ReadOnly")
    await world.app.operations.device_model.read(STATION, [variable])
    await browser.get(f"{PAGE}/configuration")
    assert "EVSE 1.Power MaxSet" in browser.text
    assert "22000" in browser.text
    assert "1 of 1; all: evpower device" in browser.text
