"""The compliance cases of reset, unlock, configuration, cache and trigger (OCPP 1.6 §5.2-5.18)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.errors import InvalidRequest
from evpower.link.errors import CommandRefused, CommandRejected
from tests.compliance.site import OK, Site
from tests.worlds.charging import STATION

INTERVAL = {"key": "MeterValueSampleInterval", "readonly": False, "value": "30"}
HEARTBEAT = {"key": "HeartbeatInterval", "readonly": False, "value": "60"}
CONNECTORS = {"key": "NumberOfConnectors", "readonly": True, "value": "2"}


async def known(site: Site) -> dict[str, tuple[str | None, bool]]:
    rows = await site.world.app.operations.configuration.known(STATION)
    return {row["key"]: (row["value"], row["reboot_required"]) for row in rows}


async def rejected(site: Site, name: str, arguments: dict[str, Any], status: str) -> None:
    with pytest.raises(CommandRejected) as caught:
        await site.operate(name, arguments, {"status": status})
    assert caught.value.details["status"] == status


@pytest.mark.parametrize("kind", ["hard", "soft"])
async def test_tc_013_and_tc_014_a_charger_is_reset_hard_or_soft(kind: str, site: Site) -> None:
    assert await site.operate("reset", {"kind": kind}, OK) == OK
    assert site.heard == [("Reset", {"type": kind.capitalize()})]


async def test_tc_013_a_hard_reset_ends_its_charge_by_the_chargers_stop(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    await site.operate("reset", {"kind": "hard"}, OK)
    await site.stop(transaction_id, "HardReset")
    assert (await site.world.session(session_id)).phase == "settled"


async def test_tc_017_1_a_cable_is_unlocked(site: Site) -> None:
    assert await site.operate("unlock", {"connector_id": 1}, {"status": "Unlocked"}) == {"status": "Unlocked"}
    assert site.heard == [("UnlockConnector", {"connectorId": 1})]


async def test_tc_017_2_a_fixed_cable_cannot_be_unlocked(site: Site) -> None:
    await rejected(site, "unlock", {"connector_id": 1}, "NotSupported")


async def test_tc_018_1_an_unlock_during_a_charge_settles_by_the_chargers_stop(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    await site.operate("unlock", {"connector_id": 1}, {"status": "Unlocked"})
    await site.stop(transaction_id, "UnlockCommand")
    assert (await site.world.session(session_id)).phase == "settled"


async def test_tc_030_a_failed_unlock_is_told(site: Site) -> None:
    await rejected(site, "unlock", {"connector_id": 1}, "UnlockFailed")


async def test_tc_031_an_unknown_connector_cannot_be_unlocked(site: Site) -> None:
    await rejected(site, "unlock", {"connector_id": 9}, "NotSupported")


async def test_tc_019_1_all_configuration_keys_are_read_and_kept(site: Site) -> None:
    await site.operate("read-configuration", {}, {"configurationKey": [INTERVAL, HEARTBEAT]})
    answer = await site.operate("read-configuration", {}, {"configurationKey": [INTERVAL, CONNECTORS]})
    assert site.heard[-1] == ("GetConfiguration", {})
    assert answer["configuration"] == [INTERVAL, CONNECTORS]
    assert await known(site) == {"MeterValueSampleInterval": ("30", False), "NumberOfConnectors": ("2", False)}


async def test_tc_019_2_one_configuration_key_is_read_and_the_others_stay(site: Site) -> None:
    await site.operate("read-configuration", {}, {"configurationKey": [INTERVAL, HEARTBEAT]})
    changed = {**INTERVAL, "value": "10"}
    answer = await site.operate(
        "read-configuration",
        {"keys": ["MeterValueSampleInterval", "heartbeatinterval"]},
        {"configurationKey": [changed], "unknownKey": ["heartbeatinterval"]},
    )
    assert answer["unknown"] == ["heartbeatinterval"]
    assert await known(site) == {"MeterValueSampleInterval": ("10", False)}


async def test_tc_021_a_configuration_key_is_set_and_kept(site: Site) -> None:
    answer = await site.operate("write-configuration", {"values": {"HeartbeatInterval": "90"}}, OK)
    assert site.heard == [("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "90"})]
    assert answer == {"statuses": {"HeartbeatInterval": "Accepted"}}
    assert await known(site) == {"HeartbeatInterval": ("90", False)}


async def test_tc_021_a_value_that_needs_a_reboot_is_marked(site: Site) -> None:
    await site.operate("write-configuration", {"values": {"WebSocketPingInterval": "0"}}, {"status": "RebootRequired"})
    assert await known(site) == {"WebSocketPingInterval": ("0", True)}


@pytest.mark.parametrize("status", ["NotSupported", "Rejected"])
async def test_tc_040_1_and_tc_040_2_a_key_or_value_the_charger_refuses_is_told_and_not_kept(
    status: str, site: Site
) -> None:
    await rejected(site, "write-configuration", {"values": {"MeterValueSampleInterval": "-1"}}, status)
    assert await known(site) == {}


async def test_what_the_charger_took_of_several_keys_is_kept(site: Site) -> None:
    with pytest.raises(CommandRejected) as caught:
        await site.operate("write-configuration", {"values": {"A": "1", "B": "2"}}, {"status": "Rejected"}, OK)
    assert caught.value.details["answer"] == {"statuses": {"A": "Rejected", "B": "Accepted"}}
    assert await known(site) == {"B": ("2", False)}


async def test_duty_07_a_chargers_password_is_neither_written_by_hand_nor_kept(site: Site) -> None:
    with pytest.raises(InvalidRequest):
        await site.operate("write-configuration", {"values": {"AuthorizationKey": "0123456789abcdef"}})
    password = {"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef"}
    answer = await site.operate("read-configuration", {}, {"configurationKey": [password]})
    assert answer["configuration"] == []
    assert await known(site) == {}


async def test_tc_054_a_message_is_triggered(site: Site) -> None:
    await site.operate("trigger", {"message": "MeterValues", "connector_id": 1}, OK)
    assert site.heard == [("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})]


@pytest.mark.parametrize("status", ["Rejected", "NotImplemented"])
async def test_tc_055_a_trigger_that_is_rejected_is_told(status: str, site: Site) -> None:
    await rejected(site, "trigger", {"message": "MeterValues"}, status)


async def test_tc_061_the_authorization_cache_is_cleared(site: Site) -> None:
    assert await site.operate("clear-cache", {}, OK) == OK
    assert site.heard == [("ClearCache", {})]


async def test_tc_061_a_charger_without_a_cache_says_so(site: Site) -> None:
    with pytest.raises(CommandRefused):
        await site.operate("clear-cache", {}, ("NotSupported", "no cache"))


async def availability(site: Site) -> list[tuple[int, str, str]]:
    return [(row["connector_id"], row["wanted"], row["state"]) for row in await site.facts("ocpp_availability")]


async def test_duty_34_a_scheduled_change_stays_pending_until_the_status_arrives(site: Site) -> None:
    _, transaction_id = await site.charge()
    answer = await site.operate("change-availability", {"connector_id": 1, "operative": False}, {"status": "Scheduled"})
    assert site.heard[-1] == ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert answer["state"] == "Scheduled"
    await site.stop(transaction_id, "Local")
    await site.status("Finishing")
    assert await availability(site) == [(1, "Inoperative", "Scheduled")]
    await site.status("Unavailable")
    assert await availability(site) == [(1, "Inoperative", "Done")]


async def test_duty_34_a_scheduled_change_of_the_station_is_done_when_all_its_connectors_are(site: Site) -> None:
    await site.operate("change-availability", {"operative": False}, {"status": "Scheduled"})
    await site.status("Unavailable", 1)
    assert await availability(site) == [(0, "Inoperative", "Scheduled")]
    await site.status("Unavailable", 2)
    assert await availability(site) == [(0, "Inoperative", "Done")]


async def test_duty_34_a_scheduled_change_of_the_station_is_done_by_its_own_word(site: Site) -> None:
    await site.operate("change-availability", {"operative": False}, {"status": "Scheduled"})
    await site.status("Unavailable", 0)
    assert await availability(site) == [(0, "Inoperative", "Done")]


async def test_a_change_that_is_accepted_is_done(site: Site) -> None:
    await site.operate("change-availability", {"operative": True}, OK)
    assert await availability(site) == [(0, "Operative", "Done")]


async def test_a_change_that_is_rejected_leaves_nothing(site: Site) -> None:
    await rejected(site, "change-availability", {"operative": True}, "Rejected")
    assert await availability(site) == []


async def test_an_operation_nobody_knows_names_those_there_are(site: Site) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await site.operate("explode", {})
    assert "sync-local-list" in caught.value.fields[0][1]


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("reset", {"kind": "warm"}, "kind"),
        ("unlock", {}, "body"),
        ("unlock", {"connector_id": 0}, "connector_id"),
        ("reserve", {"connector_id": 1, "id_tag": "T", "expires_at": "2026-11-23T12:00:00"}, "expires_at"),
        ("reset", {"type": "hard"}, "body"),
    ],
)
async def test_wrong_arguments_are_told_by_their_field(
    name: str, arguments: dict[str, Any], field: str, site: Site
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await site.operate(name, arguments)
    assert caught.value.fields[0][0] == field
