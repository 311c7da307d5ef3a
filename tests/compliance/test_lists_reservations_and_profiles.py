"""The compliance cases of local lists, reservations, charging profiles, diagnostics and firmware."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evpower.errors import InvalidRequest
from evpower.identifiers import IdTag
from evpower.link.errors import CommandRefused, CommandRejected
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.operator import Operator
from tests.compliance.site import OK, Site
from tests.worlds.charging import CLIENT

FAILED, MISMATCH = {"status": "Failed"}, {"status": "VersionMismatch"}
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}
DEFAULT = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": SCHEDULE,
}


def version(number: int) -> dict[str, int]:
    return {"listVersion": number}


async def card(site: Site, tag: str, status: str = "Accepted") -> None:
    await site.world.give(1_00, key=tag)
    await site.world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at) VALUES (%s, %s, %s, now())",
        tag,
        status,
        CLIENT,
    )


async def rejected(site: Site, name: str, arguments: dict[str, Any], *replies: Any) -> str:
    with pytest.raises(CommandRejected) as caught:
        await site.operate(name, arguments, *replies)
    return str(caught.value.details["status"])


# --------------------------------------------------------------------------------------------------- local lists


async def test_tc_042_1_a_charger_without_a_local_list_says_so(site: Site) -> None:
    assert await rejected(site, "sync-local-list", {}, version(-1)) == "NotSupported"


async def test_tc_042_1_a_charger_that_does_not_know_the_question_refuses_it(site: Site) -> None:
    with pytest.raises(CommandRefused):
        await site.operate("sync-local-list", {}, ("NotSupported", ""))


async def test_tc_042_2_and_tc_043_4_an_empty_list_is_filled_by_a_full_one(site: Site) -> None:
    await card(site, "CARD-1")
    await card(site, "CARD-2", "Blocked")
    answer = await site.operate("sync-local-list", {}, version(0), OK)
    entries = [
        {"idTag": "CARD-1", "idTagInfo": {"status": "Accepted"}},
        {"idTag": "CARD-2", "idTagInfo": {"status": "Blocked"}},
    ]
    full = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries}
    assert site.heard == [("GetLocalListVersion", {}), ("SendLocalList", full)]
    assert answer == {"version": 1, "update": "full", "entries": 2}


async def test_tc_043_1_a_charger_that_supports_no_list_is_told(site: Site) -> None:
    assert await rejected(site, "sync-local-list", {}, version(0), {"status": "NotSupported"}) == "NotSupported"


async def test_tc_043_3_a_full_list_that_fails_is_told_and_tried_again_later(site: Site) -> None:
    assert await rejected(site, "sync-local-list", {}, version(4), FAILED) == "Failed"
    assert (await site.operate("sync-local-list", {}, version(4), OK))["update"] == "full"
    assert site.heard[-1][1]["listVersion"] == 5


async def test_tc_043_5_later_changes_are_sent_as_a_difference(site: Site) -> None:
    await card(site, "CARD-1")
    await card(site, "CARD-2")
    await site.operate("sync-local-list", {}, version(0), OK)
    await site.world.sql("DELETE FROM evpower.ocpp_authorization WHERE id_tag = 'CARD-1'")
    await card(site, "CARD-3")
    answer = await site.operate("sync-local-list", {}, version(1), OK)
    changes = [{"idTag": "CARD-1"}, {"idTag": "CARD-3", "idTagInfo": {"status": "Accepted"}}]
    assert site.heard[-1] == (
        "SendLocalList",
        {"listVersion": 2, "updateType": "Differential", "localAuthorizationList": changes},
    )
    assert answer == {"version": 2, "update": "differential", "entries": 2}


@pytest.mark.parametrize("trouble", [FAILED, MISMATCH])
async def test_duty_37_a_failed_difference_is_followed_by_a_full_list(trouble: dict[str, str], site: Site) -> None:
    await site.operate("sync-local-list", {}, version(0), OK)
    await card(site, "CARD-1")
    answer = await site.operate("sync-local-list", {}, version(1), trouble, OK)
    assert [payload.get("updateType") for _, payload in site.heard[-2:]] == ["Differential", "Full"]
    assert answer["version"] == site.heard[-1][1]["listVersion"] == 3


async def test_duty_37_a_charger_that_lost_its_list_gets_a_full_one(site: Site) -> None:
    await site.operate("sync-local-list", {}, version(0), OK)
    answer = await site.operate("sync-local-list", {}, version(0), OK)
    assert (answer["update"], answer["version"]) == ("full", 2)


async def test_duty_37_after_the_last_version_comes_one_and_never_zero_or_less(site: Site) -> None:
    answer = await site.operate("sync-local-list", {}, version(2**31 - 1), OK)
    assert answer["version"] == 1


async def test_a_list_that_is_equal_is_not_sent(site: Site) -> None:
    await site.operate("sync-local-list", {}, version(0), OK)
    assert (await site.operate("sync-local-list", {}, version(1)))["update"] == "none"


async def test_a_list_longer_than_a_message_is_sent_in_parts(site: Site) -> None:
    for tag in ("A", "B", "C"):
        await card(site, tag)
    length = {"key": "SendLocalListMaxLength", "readonly": True, "value": "2"}
    await site.operate("read-configuration", {}, {"configurationKey": [length]})
    answer = await site.operate("sync-local-list", {}, version(0), OK, OK)
    parts = [(payload["updateType"], len(payload["localAuthorizationList"])) for _, payload in site.heard[-2:]]
    assert parts == [("Full", 2), ("Differential", 1)]
    assert answer["version"] == 2


@pytest.mark.parametrize("length", ["99999999999999999999", "²", "0", "-2", "9" * 5_000])
async def test_a_length_that_cannot_be_read_is_as_one_never_reported(length: str, site: Site) -> None:
    for tag in ("A", "B", "C"):
        await card(site, tag)
    key = {"key": "SendLocalListMaxLength", "readonly": True, "value": length}
    await site.operate("read-configuration", {}, {"configurationKey": [key]})
    await site.operate("sync-local-list", {}, version(0), OK)
    assert len(site.heard[-1][1]["localAuthorizationList"]) == 3


# -------------------------------------------------------------------------------------------------- reservations


async def reserve(site: Site, reply: Any = OK, *, connector_id: int = 1, **more: str) -> int:
    expires_at = (site.world.clock.now() + timedelta(hours=1)).isoformat()
    arguments = {"connector_id": connector_id, "id_tag": "CARD-1", "expires_at": expires_at, **more}
    answer = await site.operate("reserve", arguments, reply)
    return int(answer["reservation_id"])


async def reservation(site: Site) -> str:
    """What an operator is shown of the only reservation."""
    app = site.world.app
    operator = Operator(site.world.pool, site.world.clock, site.world.link, app, 300, FailedLogins())
    [station] = await operator.stations()
    [shown] = station.facts.reservations
    return shown.status


async def test_tc_046_a_start_that_names_the_reservation_uses_it(site: Site) -> None:
    await card(site, "CARD-1")
    await site.world.give(500_00)
    reservation_id = await reserve(site)
    assert site.heard[-1] == (
        "ReserveNow",
        {
            "connectorId": 1,
            "expiryDate": "2026-11-23T07:00:00Z",
            "idTag": "CARD-1",
            "reservationId": reservation_id,
        },
    )
    await site.status("Reserved")
    assert await reservation(site) == "Active"
    await site.world.sql("UPDATE connectors SET ocpp_status = 'Preparing'")
    await site.start(IdTag("CARD-1"), reservationId=reservation_id)
    assert await reservation(site) == "Used"


async def test_tc_047_a_reservation_expires(site: Site) -> None:
    await reserve(site)
    site.world.clock.advance(3600)
    assert await reservation(site) == "Expired"


@pytest.mark.parametrize("status", ["Faulted", "Occupied", "Unavailable", "Rejected"])
async def test_tc_048_1_to_4_a_reservation_the_charger_refuses_is_told(status: str, site: Site) -> None:
    with pytest.raises(CommandRejected) as caught:
        await reserve(site, {"status": status})
    assert caught.value.details["status"] == status
    assert await reservation(site) == "Refused"


async def test_tc_049_a_station_is_reserved_as_connector_0(site: Site) -> None:
    await reserve(site, connector_id=0)
    assert site.heard[-1][1]["connectorId"] == 0


async def test_tc_051_a_reservation_is_cancelled(site: Site) -> None:
    reservation_id = await reserve(site)
    await site.operate("cancel-reservation", {"reservation_id": reservation_id}, OK)
    assert site.heard[-1] == ("CancelReservation", {"reservationId": reservation_id})
    assert await reservation(site) == "Cancelled"


async def test_tc_052_a_cancellation_that_is_rejected_is_told(site: Site) -> None:
    assert await rejected(site, "cancel-reservation", {"reservation_id": 99}, {"status": "Rejected"}) == "Rejected"


async def test_tc_053_a_reservation_may_name_a_group(site: Site) -> None:
    await reserve(site, parent_id_tag="GROUP")
    assert site.heard[-1][1]["parentIdTag"] == "GROUP"


@pytest.mark.parametrize("word", ["Faulted", "Unavailable"])
@pytest.mark.parametrize("connector_id", [0, 1])
async def test_duty_36_a_connector_that_is_out_of_order_ends_its_reservation(
    word: str, connector_id: int, site: Site
) -> None:
    await reserve(site)
    await site.status(word, 2)
    assert await reservation(site) == "Active"
    await site.status(word, connector_id)
    assert await reservation(site) == word


async def test_a_reservation_in_the_past_is_refused(site: Site) -> None:
    with pytest.raises(InvalidRequest):
        await site.operate("reserve", {"connector_id": 1, "id_tag": "T", "expires_at": "2020-01-01T00:00:00Z"})


# --------------------------------------------------------------------------------------------- charging profiles


async def set_profile(site: Site, connector_id: int = 1, reply: Any = OK, **changes: Any) -> None:
    arguments = {"connector_id": connector_id, "profile": {**DEFAULT, **changes}}
    await site.operate("set-charging-profile", arguments, reply)


async def profiles(site: Site) -> list[tuple[int, int, int]]:
    rows = await site.facts("ocpp_charging_profiles")
    return [(row["connector_id"], row["stack_level"], row["profile_id"]) for row in rows]


async def test_tc_056_a_default_profile_is_set_and_known(site: Site) -> None:
    await set_profile(site)
    assert site.heard == [("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": DEFAULT})]
    assert await profiles(site) == [(1, 0, 1)]


async def test_tc_057_a_profile_for_a_running_charge_is_set_and_passes_with_it(site: Site) -> None:
    _, transaction_id = await site.charge()
    await set_profile(site, chargingProfilePurpose="TxProfile", transactionId=transaction_id)
    assert site.heard[-1][1]["csChargingProfiles"]["transactionId"] == transaction_id
    assert await profiles(site) == []


async def test_duty_35_no_profile_is_sent_for_a_charge_that_is_over(site: Site) -> None:
    _, transaction_id = await site.charge()
    await site.stop(transaction_id, "Local")
    with pytest.raises(InvalidRequest):
        await site.operate(
            "set-charging-profile",
            {
                "connector_id": 1,
                "profile": {**DEFAULT, "chargingProfilePurpose": "TxProfile", "transactionId": transaction_id},
            },
        )


async def test_duty_35_the_same_purpose_and_level_replaces(site: Site) -> None:
    await set_profile(site)
    await set_profile(site, chargingProfileId=2)
    await set_profile(site, chargingProfileId=3, stackLevel=1)
    assert await profiles(site) == [(1, 0, 2), (1, 1, 3)]


@pytest.mark.parametrize(
    ("connector_id", "changes", "field"),
    [
        (1, {"chargingProfilePurpose": "TxProfile"}, "csChargingProfiles.transactionId"),
        (1, {"transactionId": 1}, "csChargingProfiles.transactionId"),
        (1, {"chargingProfilePurpose": "ChargePointMaxProfile"}, "connectorId"),
        (1, {"chargingProfileKind": "Recurring"}, "csChargingProfiles.recurrencyKind"),
        (
            1,
            {
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 60, "limit": 6}],
                }
            },
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod",
        ),
    ],
)
async def test_duty_35_what_a_profile_may_say_is_checked_before_it_is_sent(
    connector_id: int, changes: dict[str, Any], field: str, site: Site
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await set_profile(site, connector_id, **changes)
    assert caught.value.fields[0][0] == field


@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
async def test_a_profile_the_charger_does_not_take_is_not_known(status: str, site: Site) -> None:
    with pytest.raises(CommandRejected):
        await set_profile(site, reply={"status": status})
    assert await profiles(site) == []


async def test_tc_066_the_composite_schedule_is_read(site: Site) -> None:
    reply = {"status": "Accepted", "connectorId": 1, "chargingSchedule": SCHEDULE}
    answer = await site.operate("composite-schedule", {"connector_id": 1, "duration_s": 300, "unit": "A"}, reply)
    assert site.heard == [("GetCompositeSchedule", {"connectorId": 1, "duration": 300, "chargingRateUnit": "A"})]
    assert answer == reply


async def test_tc_067_profiles_are_cleared_by_their_criteria(site: Site) -> None:
    await set_profile(site)
    await set_profile(site, chargingProfileId=2, stackLevel=1)
    await site.operate("clear-charging-profile", {"profile_id": 1}, OK)
    assert site.heard[-1] == ("ClearChargingProfile", {"id": 1})
    assert await profiles(site) == [(1, 1, 2)]
    answer = await site.operate("clear-charging-profile", {}, {"status": "Unknown"})
    assert (answer, await profiles(site)) == ({"status": "Unknown"}, [])


# ------------------------------------------------------------------------------------------ diagnostics, firmware


async def transfer(site: Site) -> tuple[str, list[str], bool]:
    """The only transfer: its status, the charger's words so far, and whether it is over."""
    [row] = await site.facts("ocpp_transfers")
    return row["status"], [step["status"] for step in row["steps"]], row["ended_at"] is not None


async def follow(site: Site, action: str, *words: str) -> None:
    for word in words:
        await site.say(action, status=word)


async def test_tc_044_1_a_firmware_update_is_followed_to_its_end(site: Site) -> None:
    await site.operate("update-firmware", {"location": "ftp://host/f", "retrieve_at": "2026-11-23T07:00:00Z"}, {})
    assert site.heard == [("UpdateFirmware", {"location": "ftp://host/f", "retrieveDate": "2026-11-23T07:00:00Z"})]
    await follow(site, "FirmwareStatusNotification", "Downloading", "Downloaded", "Installing")
    assert await transfer(site) == ("Installing", ["Downloading", "Downloaded", "Installing"], False)
    await follow(site, "FirmwareStatusNotification", "Installed")
    assert (await transfer(site))[::2] == ("Installed", True)


@pytest.mark.parametrize("words", [("Downloading", "DownloadFailed"), ("Downloaded", "InstallationFailed")])
async def test_tc_044_2_and_tc_044_3_a_firmware_update_that_fails_ends(words: tuple[str, str], site: Site) -> None:
    await site.operate("update-firmware", {"location": "ftp://host/f"}, {})
    await follow(site, "FirmwareStatusNotification", *words)
    assert await transfer(site) == (words[1], list(words), True)


async def test_tc_045_1_diagnostics_are_followed_to_their_end(site: Site) -> None:
    answer = await site.operate("get-diagnostics", {"location": "ftp://host/d"}, {"fileName": "d.zip"})
    assert answer["file_name"] == "d.zip"
    await follow(site, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    assert await transfer(site) == ("Uploaded", ["Uploading", "Uploaded"], True)


async def test_a_charger_without_diagnostics_ends_it_at_once(site: Site) -> None:
    await site.operate("get-diagnostics", {"location": "ftp://host/d"}, {})
    assert (await transfer(site))[::2] == ("NothingToSend", True)


async def test_idle_says_only_that_nothing_is_going_on(site: Site) -> None:
    await site.operate("update-firmware", {"location": "ftp://host/f"}, {})
    await follow(site, "FirmwareStatusNotification", "Idle")
    assert await transfer(site) == ("Requested", [], False)


async def test_an_update_nobody_asked_for_is_noted_once(site: Site) -> None:
    await follow(site, "FirmwareStatusNotification", "Installed", "Installed")
    assert await transfer(site) == ("Installed", ["Installed"], True)


async def test_a_request_the_charger_refuses_is_over(site: Site) -> None:
    with pytest.raises(CommandRefused):
        await site.operate("get-diagnostics", {"location": "ftp://host/d"}, ("NotSupported", ""))
    assert (await transfer(site))[::2] == ("command_refused", True)


async def test_operators_see_the_last_of_each(site: Site) -> None:
    await site.operate("update-firmware", {"location": "ftp://host/1"}, {})
    await site.operate("update-firmware", {"location": "ftp://host/2"}, {})
    world = site.world
    operator = Operator(world.pool, world.clock, world.link, world.app, 300, FailedLogins())
    [station] = await operator.stations()
    assert [shown.location for shown in station.facts.transfers] == ["ftp://host/2"]
