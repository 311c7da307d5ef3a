"""What the charger answers to commands, and what follows."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.simulator.station.power import Vehicle
from tests.simulator.central_system import CentralSystem
from tests.simulator.conftest import Charger

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def profile(purpose: str, limit: float, **extra: Any) -> dict[str, Any]:
    """A relative profile with one period, in watts."""
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
        **extra,
    }


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("ClearCache", {}, ACCEPTED),
        ("DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("UnlockConnector", {"connectorId": 9}, {"status": "NotSupported"}),
        ("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}),
        ("ChangeConfiguration", {"key": "Nonsense", "value": "1"}, {"status": "NotSupported"}),
        ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "1"}, REJECTED),
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "-1"}, REJECTED),
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "15"}, ACCEPTED),
        ("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": "Magic"}, REJECTED),
        ("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "9"}, {"status": "RebootRequired"}),
        ("ChangeAvailability", {"connectorId": 7, "type": "Operative"}, REJECTED),
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, REJECTED),
        ("TriggerMessage", {"requestedMessage": "Magic"}, {"status": "NotImplemented"}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 9}, REJECTED),
        ("Reset", {"type": "Sideways"}, REJECTED),
        ("RemoteStartTransaction", {"connectorId": 9, "idTag": "A"}, REJECTED),
        ("CancelReservation", {"reservationId": 5}, REJECTED),
        ("ClearChargingProfile", {}, {"status": "Unknown"}),
        ("CertificateSigned", {"certificateChain": ""}, "NotSupported"),
        ("RemoteStartTransaction", {"connectorId": 1}, "FormationViolation"),
        ("SetChargingProfile", {"connectorId": 1}, "FormationViolation"),
    ],
)
async def test_answers(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock, action: str, payload: Any, answer: Any
) -> None:
    await charger()
    assert await central.ask(action, payload) == answer


async def test_configuration_is_listed_without_the_password(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(password="0123456789abcdef")
    answer = await central.ask("GetConfiguration")
    keys = {entry["key"]: entry["value"] for entry in answer["configurationKey"]}
    assert keys["NumberOfConnectors"] == "1"
    assert "AuthorizationKey" not in keys
    answer = await central.ask("GetConfiguration", {"key": ["HeartbeatInterval", "AuthorizationKey"]})
    assert answer["configurationKey"] == [{"key": "HeartbeatInterval", "readonly": False, "value": "60"}]
    assert answer["unknownKey"] == ["AuthorizationKey"]


async def test_a_triggered_status_is_sent_after_the_answer(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(connectors=2)
    central.order.clear()
    assert await central.ask("TriggerMessage", {"requestedMessage": "StatusNotification"}) == ACCEPTED
    await trio.sleep(1)
    assert central.order == ["answer"] + ["StatusNotification"] * 3


async def test_unavailable_while_charging_is_scheduled_for_the_end(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    assert await central.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {"status": "Scheduled"}
    await trio.sleep(1)
    assert station.status() == "Charging"
    await station.stop()
    assert station.status() == "Unavailable"
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"}) == REJECTED


async def test_the_whole_station_goes_out_of_service_and_comes_back(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connectors=2)
    assert await central.ask("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}) == ACCEPTED
    await trio.sleep(1)
    assert [central.statuses(number)[-1] for number in (0, 1, 2)] == ["Unavailable"] * 3
    await central.ask("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
    await station.wait_for_status(2, "Available")


async def test_unlocking_ends_the_charge(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    await central.ask("UnlockConnector", {"connectorId": 1})
    assert (await central.wait_for("StopTransaction"))["reason"] == "UnlockCommand"


async def test_a_reserved_connector_starts_for_its_tag_only_and_names_the_reservation(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    wanted = {"connectorId": 1, "idTag": "MINE", "reservationId": 7, "expiryDate": "2026-01-01T01:00:00Z"}
    assert await central.ask("ReserveNow", wanted) == ACCEPTED
    await station.wait_for_status(1, "Reserved")
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "OTHER"}) == REJECTED
    assert await station.present_card(1, "OTHER") == "Rejected"
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "MINE"}) == ACCEPTED
    await station.plug()
    assert (await central.wait_for("StartTransaction"))["reservationId"] == 7


async def test_a_reservation_expires(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger()
    wanted = {"connectorId": 1, "idTag": "MINE", "reservationId": 7, "expiryDate": "2026-01-01T00:01:00Z"}
    await central.ask("ReserveNow", wanted)
    await station.wait_for_status(1, "Reserved")
    with trio.fail_after(61):
        await station.wait_for_status(1, "Available")


async def test_a_reservation_is_cancelled(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger()
    wanted = {"connectorId": 1, "idTag": "MINE", "reservationId": 7, "expiryDate": "2026-01-01T09:00:00Z"}
    await central.ask("ReserveNow", wanted)
    assert await central.ask("CancelReservation", {"reservationId": 7}) == ACCEPTED
    await station.wait_for_status(1, "Available")


async def test_a_local_list_is_replaced_amended_and_guarded_by_its_version(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger()
    entry = {"idTag": "A", "idTagInfo": {"status": "Accepted"}}
    full = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": [entry]}
    assert await central.ask("SendLocalList", full) == ACCEPTED
    assert await central.ask("GetLocalListVersion") == {"listVersion": 3}
    stale = {"listVersion": 3, "updateType": "Differential", "localAuthorizationList": [{"idTag": "A"}]}
    assert await central.ask("SendLocalList", stale) == {"status": "VersionMismatch"}


async def test_firmware_and_diagnostics_report_each_step(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger()
    await central.ask("UpdateFirmware", {"location": "ftp://x", "retrieveDate": "2026-01-01T00:00:00Z"})
    assert await central.ask("GetDiagnostics", {"location": "ftp://x"}) == {"fileName": "diagnostics.log"}
    await trio.sleep(10)
    firmware = [payload["status"] for payload in central.of("FirmwareStatusNotification")]
    assert firmware == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert [p["status"] for p in central.of("DiagnosticsStatusNotification")] == ["Uploading", "Uploaded"]


async def test_a_transaction_profile_limits_the_power_until_the_transaction_ends(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connector_power_w=36_000)
    await station.plug(1, Vehicle(charge_wh=0.0))
    await station.present_card(1, "CARD")
    await station.trace.wait_until(lambda: station.transaction_id() == 1)
    wanted = {"connectorId": 1, "csChargingProfiles": profile("TxProfile", 7_200, transactionId=1)}
    assert await central.ask("SetChargingProfile", wanted) == ACCEPTED
    before = station.register_wh()
    await trio.sleep(100)
    assert station.register_wh() - before == 200
    schedule = await central.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60})
    assert schedule["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 7200.0}]
    await station.stop()
    await station.unplug()
    await station.plug(1, Vehicle(charge_wh=0.0))
    await station.present_card(1, "CARD")
    before = station.register_wh()
    await trio.sleep(100)
    assert station.register_wh() - before == 1000


async def test_a_transaction_profile_for_another_transaction_is_rejected(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger()
    wanted = {"connectorId": 1, "csChargingProfiles": profile("TxProfile", 7_200, transactionId=1)}
    assert await central.ask("SetChargingProfile", wanted) == REJECTED


async def test_the_station_limit_holds_below_a_default_and_clearing_lifts_it(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(connector_power_w=36_000)
    for number, (purpose, limit) in enumerate({"TxDefaultProfile": 20_000, "ChargePointMaxProfile": 10_000}.items()):
        wanted = {"connectorId": 0, "csChargingProfiles": profile(purpose, limit) | {"chargingProfileId": number}}
        assert await central.ask("SetChargingProfile", wanted) == ACCEPTED

    async def offered() -> float:
        schedule = await central.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60})
        return float(schedule["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])

    assert await offered() == 10_000
    assert await central.ask("ClearChargingProfile", {"chargingProfilePurpose": "ChargePointMaxProfile"}) == ACCEPTED
    assert await offered() == 20_000


async def test_a_profile_in_a_remote_start_limits_the_charge_it_starts(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connector_power_w=36_000)
    await station.plug(1, Vehicle(charge_wh=0.0))
    start = {"connectorId": 1, "idTag": "A", "chargingProfile": profile("TxProfile", 3_600)}
    assert await central.ask("RemoteStartTransaction", start) == ACCEPTED
    await station.wait_for_status(1, "Charging")
    await trio.sleep(100)
    assert station.register_wh() == 100


async def test_a_broken_connector_takes_no_card_and_ends_its_charge(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    await station.fault(1, "GroundFailure")
    assert (await central.wait_for("StopTransaction"))["reason"] == "Other"
    assert await station.present_card(1, "CARD") == "Rejected"
    faults = [payload for payload in central.of("StatusNotification") if payload["status"] == "Faulted"]
    assert [payload["errorCode"] for payload in faults] == ["GroundFailure"]
    await station.repair(1)
    assert await station.present_card(1, "CARD") == "Accepted"
