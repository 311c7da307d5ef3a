"""What a station of OCPP 2.0.1 answers: the handlers of 1.6, asked and answering in the words of 2.0.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from evpower.simulator.station import commands as v16
from evpower.simulator.station import smart_charging
from evpower.simulator.station.answers import ACCEPTED, CommandAnswer, CommandHandler, Lifecycle
from evpower.simulator.station.hardware import Hardware
from evpower.simulator.station.v201 import device
from evpower.simulator.wire.ocpp import CallRefused, Payload, wire_time

STEP_S = 1.0
#: What the hardware calls a key, by component and variable.
KEYS = {
    ("SampledDataCtrlr", "TxUpdatedInterval"): "MeterValueSampleInterval",
    ("SampledDataCtrlr", "TxUpdatedMeasurands"): "MeterValuesSampledData",
    ("OCPPCommCtrlr", "HeartbeatInterval"): "HeartbeatInterval",
    ("OCPPCommCtrlr", "WebSocketPingInterval"): "WebSocketPingInterval",
    ("TxCtrlr", "EVConnectionTimeOut"): "ConnectionTimeOut",
    ("TxCtrlr", "StopTxOnInvalidId"): "StopTransactionOnInvalidId",
    ("TxCtrlr", "StopTxOnEVSideDisconnect"): "StopTransactionOnEVSideDisconnect",
    ("AuthCtrlr", "AuthorizeRemoteStart"): "AuthorizeRemoteTxRequests",
    ("AuthCtrlr", "LocalAuthorizeOffline"): "LocalAuthorizeOffline",
    ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"): "AllowOfflineTxForUnknownId",
    ("SecurityCtrlr", "BasicAuthPassword"): "AuthorizationKey",
}
FIXED = {
    ("TxCtrlr", "TxStartPoint"): "PowerPathClosed",
    ("TxCtrlr", "TxStopPoint"): "EVConnected,Authorized",
    ("SampledDataCtrlr", "TxStartedMeasurands"): "Energy.Active.Import.Register",
    ("SampledDataCtrlr", "TxEndedMeasurands"): "Energy.Active.Import.Register",
    ("OCPPCommCtrlr", "OfflineThreshold"): "60",
    ("DisplayMessageCtrlr", "Available"): "true",
    ("TariffCostCtrlr", "Enabled"): "true",
    ("DeviceDataCtrlr", "ItemsPerMessage"): "4",
    ("DeviceDataCtrlr", "BytesPerMessage"): "4000",
}
#: Set to what they are already.
UNCHANGED = frozenset({("SampledDataCtrlr", "TxStartedMeasurands"), ("SampledDataCtrlr", "TxEndedMeasurands")})
STATUSES = {"NotSupported": "UnknownVariable"}
#: A report is sent in parts of so many variables.
REPORT_PART = 5


def request_start(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    asked = {"idTag": payload["idToken"]["idToken"]}
    if "evseId" in payload:
        asked["connectorId"] = payload["evseId"]
    if "chargingProfile" in payload:
        asked["chargingProfile"] = profile_of_16(payload["chargingProfile"])
    hardware.remote_start_ids[asked["idTag"].casefold()] = payload["remoteStartId"]
    return v16.remote_start(hardware, lifecycle, asked)


def profile_of_16(profile: Payload) -> dict[str, Any]:
    """Its first schedule, in the words of 1.6 (K01)."""
    purposes = {"ChargingStationMaxProfile": "ChargePointMaxProfile"}
    named = {"chargingProfileId": profile["id"], "chargingSchedule": profile["chargingSchedule"][0]}
    purpose = profile["chargingProfilePurpose"]
    return {**profile, **named, "chargingProfilePurpose": purposes.get(purpose, purpose)}


def set_charging_profile(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    profile = profile_of_16(payload["chargingProfile"])
    asked = {"connectorId": payload["evseId"], "csChargingProfiles": profile}
    return smart_charging.set_charging_profile(hardware, lifecycle, asked)


def clear_charging_profile(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    wanted = dict(payload.get("chargingProfileCriteria", {}))
    asked = {name: wanted[name] for name in ("chargingProfilePurpose", "stackLevel") if name in wanted}
    if "evseId" in wanted:
        asked["connectorId"] = wanted["evseId"]
    if "chargingProfileId" in payload:
        asked["id"] = payload["chargingProfileId"]
    return smart_charging.clear_charging_profile(hardware, lifecycle, asked)


def _refuse_too_many(data: Sequence[Any]) -> None:
    if len(data) > int(FIXED["DeviceDataCtrlr", "ItemsPerMessage"]):
        raise CallRefused("OccurrenceConstraintViolation", f"{len(data)} variables are more than this station takes")


def set_variables(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    _refuse_too_many(payload["setVariableData"])
    results, renews = [], False
    for each in payload["setVariableData"]:
        where = _where(each)
        if where in UNCHANGED:
            status = "Accepted" if each["attributeValue"] == FIXED[where] else "Rejected"
        else:
            key = KEYS.get(where)
            status = hardware.configuration.change(key, each["attributeValue"]) if key else "UnknownVariable"
            renews = renews or (key == "AuthorizationKey" and status == "Accepted")
        results.append(_named(each) | {"attributeStatus": STATUSES.get(status, status)})
    return CommandAnswer({"setVariableResult": results}, lifecycle.reconnect if renews else None)


def get_variables(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    _refuse_too_many(payload["getVariableData"])
    results = []
    for each in payload["getVariableData"]:
        value = _value(hardware, _where(each))
        found = {"attributeStatus": "UnknownVariable"} if value is None else _found(value)
        results.append(_named(each) | found)
    return CommandAnswer({"getVariableResult": results})


def get_base_report(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """Accepted, and then the whole inventory in parts (B07)."""
    told = [
        {
            "component": {"name": component},
            "variable": {"name": variable},
            "variableAttribute": [{"value": _value(hardware, (component, variable)), "mutability": "ReadWrite"}],
        }
        for component, variable in (*KEYS, *FIXED)
        if (component, variable) != ("SecurityCtrlr", "BasicAuthPassword")
    ]
    told += [
        {
            "component": {"name": "EVSE", "evse": {"id": number}},
            "variable": {"name": "Available"},
            "variableAttribute": [{"value": "true", "mutability": "ReadOnly"}],
        }
        for number in hardware.connectors
    ]
    parts = [told[first : first + REPORT_PART] for first in range(0, len(told), REPORT_PART)]

    async def report() -> None:
        for number, part in enumerate(parts):
            head = {"requestId": payload["requestId"], "generatedAt": wire_time(hardware.clock.now())}
            last = number == len(parts) - 1
            hardware.say("NotifyReport", {**head, "seqNo": number, "tbc": not last, "reportData": part})
            await trio.lowlevel.checkpoint()

    return CommandAnswer({"status": "Accepted"}, report)


def get_transaction_status(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    wanted = payload.get("transactionId")
    answer: dict[str, Any] = {"messagesInQueue": hardware.outbox.holds(wanted)}
    if wanted is not None:
        running = (each.transaction for each in hardware.connectors.values() if each.transaction is not None)
        answer["ongoingIndicator"] = any(each.transaction_id == wanted for each in running)
    return CommandAnswer(answer)


def change_availability(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    asked = {"connectorId": payload.get("evse", {}).get("id", 0), "type": payload["operationalStatus"]}
    return v16.change_availability(hardware, lifecycle, asked)


def unlock_connector(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector = hardware.connectors.get(payload["evseId"])
    if connector is None:
        return CommandAnswer({"status": "UnknownConnector"})
    if connector.transaction is not None:
        return CommandAnswer({"status": "OngoingAuthorizedTransaction"})
    return CommandAnswer({"status": "Unlocked"})


def reset(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    kinds = {"Immediate": "Hard", "OnIdle": "Soft"}
    return v16.reset(hardware, lifecycle, {"type": kinds.get(payload["type"])})


def trigger_message(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    asked = {"requestedMessage": payload["requestedMessage"]}
    if "evse" in payload:
        asked["connectorId"] = payload["evse"]["id"]
    return v16.trigger_message(hardware, lifecycle, asked)


def get_log(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    follow = _numbered(hardware, "LogStatusNotification", payload["requestId"], "Uploading", "Uploaded")
    return CommandAnswer({"status": "Accepted", "filename": "station.log"}, follow)


def update_firmware(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    steps = ("Downloading", "Downloaded", "Installing", "Installed")
    follow = _numbered(hardware, "FirmwareStatusNotification", payload["requestId"], *steps)
    return CommandAnswer({"status": "Accepted"}, follow)


def get_local_list_version(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return CommandAnswer({"versionNumber": hardware.local_list_version})


def send_local_list(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    entries = [
        {"idTag": each["idToken"]["idToken"]}
        | ({"idTagInfo": {"status": each["idTokenInfo"]["status"]}} if "idTokenInfo" in each else {})
        for each in payload.get("localAuthorizationList", ())
    ]
    asked = {"listVersion": payload["versionNumber"], "updateType": payload["updateType"]}
    return v16.send_local_list(hardware, lifecycle, {**asked, "localAuthorizationList": entries})


def reserve_now(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    asked = {
        "connectorId": payload.get("evseId", 0),
        "reservationId": payload["id"],
        "idTag": payload["idToken"]["idToken"],
        "expiryDate": payload["expiryDateTime"],
    }
    if "groupIdToken" in payload:
        asked["parentIdTag"] = payload["groupIdToken"]["idToken"]
    return v16.reserve_now(hardware, lifecycle, asked)


def taken(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return ACCEPTED


def _numbered(hardware: Hardware, action: str, request_id: int, *statuses: str) -> Callable[[], Any]:
    async def steps() -> None:
        for status in statuses:
            hardware.say(action, {"status": status, "requestId": request_id})
            await trio.sleep(STEP_S)

    return steps


def _where(each: Mapping[str, Any]) -> tuple[str, str]:
    return each["component"]["name"], each["variable"]["name"]


def _named(each: Mapping[str, Any]) -> dict[str, Any]:
    return {"component": each["component"], "variable": each["variable"]}


def _found(value: str) -> dict[str, Any]:
    return {"attributeStatus": "Accepted", "attributeValue": value}


def _value(hardware: Hardware, where: tuple[str, str]) -> str | None:
    if where in FIXED:
        return FIXED[where]
    key = KEYS.get(where)
    return None if key is None or key == "AuthorizationKey" else hardware.configuration.text(key)


HANDLERS: Mapping[str, CommandHandler] = {
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": v16.remote_stop,
    "SetVariables": set_variables,
    "GetVariables": get_variables,
    "GetBaseReport": get_base_report,
    "GetTransactionStatus": get_transaction_status,
    "ChangeAvailability": change_availability,
    "UnlockConnector": unlock_connector,
    "Reset": reset,
    "ClearCache": taken,
    "TriggerMessage": trigger_message,
    "DataTransfer": v16.data_transfer,
    "GetLog": get_log,
    "UpdateFirmware": update_firmware,
    "GetLocalListVersion": get_local_list_version,
    "SendLocalList": send_local_list,
    "ReserveNow": reserve_now,
    "CancelReservation": v16.cancel_reservation,
    "CostUpdated": taken,
    "SetChargingProfile": set_charging_profile,
    "ClearChargingProfile": clear_charging_profile,
    **device.HANDLERS,
}


def answer(hardware: Hardware, lifecycle: Lifecycle, action: str, payload: Payload) -> CommandAnswer:
    """The answer to a CALL; raises CallRefused for what this station does not know."""
    handler = HANDLERS.get(action)
    if handler is None:
        raise CallRefused("NotSupported", f"{action} is not supported by this station")
    return handler(hardware, lifecycle, payload)
