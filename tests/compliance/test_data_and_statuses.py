"""The compliance cases of data transfer and subprotocols, and the duties of statuses, stops and profiles."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.charging.session import StartOrder
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, IdTag
from evpower.link.errors import CommandRejected
from evpower.network.spots.errors import ConnectorFaulted
from tests.compliance.site import OK, Site
from tests.compliance.test_lists_reservations_and_profiles import DEFAULT
from tests.worlds.charging import CLIENT, STATION


async def test_tc_064_a_vendors_data_is_answered_as_unknown_and_changes_nothing(site: Site) -> None:
    answer = await site.say("DataTransfer", vendorId="com.vendor", messageId="Reset", data='{"x": 1}')
    assert answer == {"status": "UnknownVendorId"}
    assert site.heard == []


@pytest.mark.parametrize(
    "reply", [{"status": "Accepted", "data": "pong"}, {"status": "UnknownVendorId"}, {"status": "UnknownMessageId"}]
)
async def test_tc_062_an_operators_data_reaches_the_charger_and_its_answer_the_operator(
    reply: dict[str, Any], site: Site
) -> None:
    payload = {"vendorId": "com.vendor", "messageId": "ping", "data": "x"}
    assert await site.command("DataTransfer", payload, reply) == reply
    assert site.heard == [("DataTransfer", payload)]


@pytest.mark.parametrize("transaction_id", [None, 999_999])
async def test_tc_058_a_tx_profile_without_a_running_transaction_is_not_sent(
    transaction_id: int | None, site: Site
) -> None:
    named = {} if transaction_id is None else {"transactionId": transaction_id}
    profile = {**DEFAULT, "chargingProfilePurpose": "TxProfile", **named}
    with pytest.raises(InvalidRequest):
        await site.operate("set-charging-profile", {"connector_id": 1, "profile": profile})
    assert site.heard == []
    assert await site.facts("ocpp_charging_profiles") == []


async def test_tc_056_a_default_profile_may_be_set_while_a_charge_runs(site: Site) -> None:
    await site.charge()
    await site.operate("set-charging-profile", {"connector_id": 1, "profile": DEFAULT}, OK)
    assert site.heard[-1] == ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": DEFAULT})


async def test_duty_35_a_profile_in_a_remote_start_carries_no_transaction_id(site: Site) -> None:
    profile = {**DEFAULT, "chargingProfilePurpose": "TxProfile", "transactionId": 1}
    with pytest.raises(InvalidRequest) as caught:
        await site.command("RemoteStartTransaction", {"idTag": "CARD", "chargingProfile": profile}, OK)
    assert caught.value.fields[0][0] == "chargingProfile.transactionId"
    assert site.heard == []


async def test_duty_33_every_status_may_follow_every_other(site: Site) -> None:
    words = ["Faulted", "Charging", "Available", "SuspendedEV", "Preparing", "Unavailable", "Finishing", "Reserved"]
    for word in [*words, "SuspendedEVSE", *reversed(words)]:
        await site.status(word)
        [row] = await site.world.sql("SELECT ocpp_status FROM connectors WHERE connector_number = 1")
        assert row["ocpp_status"] == word


async def test_duty_33_a_faulted_station_takes_no_start_and_its_connectors_keep_their_words(site: Site) -> None:
    await site.world.give(500_00)
    await site.status("Faulted", 0)
    with pytest.raises(ConnectorFaulted):
        await site.world.app.charging.start_session(StartOrder(CLIENT, STATION, ConnectorId(1), 1_000))
    rows = await site.world.sql("SELECT ocpp_status FROM connectors ORDER BY connector_number")
    assert rows == [{"ocpp_status": "Available"}] * 2
    await site.status("Available", 0)
    await site.order()


async def test_duty_34_a_stop_asks_for_a_stop_and_never_unlocks(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    stop = site.world.app.charging.stop_session
    rejected = {"status": "Rejected"}
    await site.while_charger_answers(lambda: stop(session_id, caller=None, actor="test"), rejected)
    assert [action for action, _ in site.heard] == ["RemoteStartTransaction", "RemoteStopTransaction"]
    assert site.heard[-1][1] == {"transactionId": transaction_id}


@pytest.mark.parametrize("reason", ["HardReset", "SoftReset"])
async def test_tc_013_and_tc_014_a_reset_in_mid_charge_settles_by_the_chargers_stop_and_it_boots(
    reason: str, site: Site
) -> None:
    session_id, transaction_id = await site.charge()
    site.world.clock.advance(3600)
    await site.operate("reset", {"kind": reason.removesuffix("Reset").lower()}, OK)
    await site.stop(transaction_id, reason)
    await site.leave()
    await site.come_back()
    assert (await site.boot())["status"] == "Accepted"
    session = await site.world.session(session_id)
    assert (session.phase, session.stop_reason, session.cost_tyiyn) == ("settled", reason, 135_00)


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("Heartbeat", {}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        ("DiagnosticsStatusNotification", {"status": "Idle"}),
        ("FirmwareStatusNotification", {"status": "Idle"}),
        (
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [
                    {
                        "timestamp": "2026-11-23T06:00:00Z",
                        "sampledValue": [{"value": "1000", "context": "Trigger"}],
                    }
                ],
            },
        ),
    ],
)
async def test_tc_054_what_was_triggered_is_taken(message: str, payload: dict[str, Any], site: Site) -> None:
    await site.operate("trigger", {"message": message}, OK)
    assert site.heard == [("TriggerMessage", {"requestedMessage": message})]
    await site.say(message, **payload)


async def test_tc_045_2_an_upload_of_diagnostics_that_fails_ends(site: Site) -> None:
    await site.operate("get-diagnostics", {"location": "ftp://host/d"}, {"fileName": "d.zip"})
    for word in ("Uploading", "UploadFailed"):
        await site.say("DiagnosticsStatusNotification", status=word)
    [row] = await site.facts("ocpp_transfers")
    assert (row["status"], row["ended_at"] is not None) == ("UploadFailed", True)


async def test_tc_049_a_reserved_station_is_used_by_a_start_at_any_of_its_connectors(site: Site) -> None:
    await site.card(IdTag("CARD-1"))
    arguments = {"connector_id": 0, "id_tag": "CARD-1", "expires_at": "2026-11-23T07:00:00Z"}
    reserved = await site.operate("reserve", arguments, OK)
    assert site.heard[-1][1]["connectorId"] == 0
    transaction_id = await site.start(IdTag("CARD-1"), connectorId=2, reservationId=reserved["reservation_id"])
    assert [row["status"] for row in await site.facts("ocpp_reservations")] == ["Used"]
    site.world.clock.advance(3600)
    await site.stop(transaction_id, "Local")
    assert await site.world.balance() == 365_00


async def test_tc_048_a_refused_reservation_can_be_asked_for_again(site: Site) -> None:
    arguments = {"connector_id": 1, "id_tag": "CARD-1", "expires_at": "2026-11-23T07:00:00Z"}
    with pytest.raises(CommandRejected):
        await site.operate("reserve", arguments, {"status": "Occupied"})
    first = site.heard[-1][1]["reservationId"]
    again = await site.operate("reserve", arguments, OK)
    assert again["reservation_id"] != first
