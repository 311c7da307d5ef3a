"""What a station answers to the central system's CALLs, one function per action (OCPP 1.6 §5).

A handler returns the payload of its CALLRESULT and, where something follows, what to do once the answer is out:
RemoteStart's `Accepted` must reach the central system before the StartTransaction it causes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from evpower.simulator.station.answers import ACCEPTED, REJECTED, CommandAnswer, CommandHandler, Lifecycle, soon, text
from evpower.simulator.station.connector import BROKEN, STARTABLE, Permission, SimulatedConnector
from evpower.simulator.station.hardware import Hardware
from evpower.simulator.station.profiles import profile_is_usable
from evpower.simulator.station.smart_charging import (
    clear_charging_profile,
    get_composite_schedule,
    set_charging_profile,
)
from evpower.simulator.wire.ocpp import CallRefused, Payload

STEP_S = 1.0  # between the steps of a firmware or diagnostics job


def remote_start(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector = _connector_to_start(hardware, payload)
    if connector is None or hardware.misbehaviour.refuse_remote_start or not lifecycle.accepted:
        return REJECTED
    id_tag = text(payload, "idTag")
    reservation = connector.reservation
    if reservation is not None and reservation.id_tag.casefold() != id_tag.casefold():
        return REJECTED
    profile = payload.get("chargingProfile")
    if profile is not None:
        # It carries no transaction id yet and belongs to the transaction about to start (OCPP 1.6 erratum 3.41).
        if not profile_is_usable(profile) or "transactionId" in profile:
            return REJECTED
        hardware.profiles.set(connector.connector_id, profile)

    async def go() -> None:
        if hardware.configuration.flag("AuthorizeRemoteTxRequests"):
            await hardware.present_card(connector, id_tag)
        else:
            hardware.permit(connector, Permission(id_tag))

    return CommandAnswer({"status": "Accepted"}, go)


def _connector_to_start(hardware: Hardware, payload: Payload) -> SimulatedConnector | None:
    wanted = payload.get("connectorId")
    for connector in hardware.connectors.values():
        free = connector.transaction is None and connector.permission is None and connector.status in STARTABLE
        if free and wanted in (None, connector.connector_id):
            return connector
    return None


def remote_stop(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    wanted = payload.get("transactionId")
    for connector in hardware.connectors.values():
        running = connector.transaction
        if running is None or running.transaction_id is None or running.transaction_id != wanted:
            continue
        if hardware.misbehaviour.refuse_remote_stop:
            return REJECTED
        if hardware.misbehaviour.ignore_remote_stop:
            return ACCEPTED
        return CommandAnswer({"status": "Accepted"}, soon(partial(hardware.end, connector, "Remote")))
    return REJECTED


def change_configuration(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    key = text(payload, "key")
    verdict = hardware.configuration.change(key, text(payload, "value"))
    # A new password is used from the next connection on, which is made at once (security white paper, A01).
    renew = key == "AuthorizationKey" and verdict == "Accepted"
    return CommandAnswer({"status": verdict}, lifecycle.reconnect if renew else None)


def get_configuration(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return CommandAnswer(hardware.configuration.answer(payload.get("key", ())))


def change_availability(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    wanted, operative = payload.get("connectorId"), payload.get("type") == "Operative"
    if wanted != 0 and wanted not in hardware.connectors:
        return REJECTED
    targets = [c for c in hardware.connectors.values() if wanted in (0, c.connector_id)]

    def change() -> None:
        if wanted == 0:
            hardware.operative = operative
            hardware.say("StatusNotification", hardware.status_payload(0))
        for connector in targets:
            connector.operative = operative
            if connector.transaction is None:
                hardware.settle_status(connector)

    busy = not operative and any(connector.transaction is not None for connector in targets)
    return CommandAnswer({"status": "Scheduled" if busy else "Accepted"}, soon(change))


def unlock_connector(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector = hardware.connectors.get(payload.get("connectorId", 0))
    if connector is None:
        return CommandAnswer({"status": "NotSupported"})
    return CommandAnswer({"status": "Unlocked"}, soon(lambda: hardware.end(connector, "UnlockCommand")))


def reset(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    kind = payload.get("type")
    if kind not in ("Hard", "Soft"):
        return REJECTED
    return CommandAnswer({"status": "Accepted"}, lambda: lifecycle.reboot(f"{kind}Reset"))


def clear_cache(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return ACCEPTED


def trigger_message(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    wanted, only = payload.get("requestedMessage"), payload.get("connectorId")
    if wanted == "BootNotification":
        # Once accepted there is nothing left to boot (OCPP 1.6 erratum 3.40).
        return REJECTED if lifecycle.accepted else CommandAnswer({"status": "Accepted"}, soon(lifecycle.boot_now))
    if not lifecycle.accepted or (only is not None and only != 0 and only not in hardware.connectors):
        return REJECTED
    sends = {
        "Heartbeat": lambda: hardware.say("Heartbeat", {}),
        "StatusNotification": lambda: _say_statuses(hardware, only),
        "MeterValues": lambda: _say_meter_values(hardware, only),
        "FirmwareStatusNotification": lambda: hardware.say("FirmwareStatusNotification", {"status": "Idle"}),
        "DiagnosticsStatusNotification": lambda: hardware.say("DiagnosticsStatusNotification", {"status": "Idle"}),
    }
    if wanted not in sends:
        return CommandAnswer({"status": "NotImplemented"})
    return CommandAnswer({"status": "Accepted"}, soon(sends[wanted]))


def _say_statuses(hardware: Hardware, only: int | None) -> None:
    for number in [0, *hardware.connectors] if only is None else [only]:
        hardware.say("StatusNotification", hardware.status_payload(number))


def _say_meter_values(hardware: Hardware, only: int | None) -> None:
    for connector in hardware.connectors.values():
        if only in (None, connector.connector_id):
            hardware.sample(connector, "Trigger")


def data_transfer(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return CommandAnswer({"status": "UnknownVendorId"})


def get_diagnostics(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    follow = _report(hardware, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    return CommandAnswer({"fileName": "diagnostics.log"}, follow)


def update_firmware(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    steps = ("Downloading", "Downloaded", "Installing", "Installed")
    return CommandAnswer({}, _report(hardware, "FirmwareStatusNotification", *steps))


def get_local_list_version(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    return CommandAnswer({"listVersion": hardware.local_list_version})


def send_local_list(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    version = payload.get("listVersion", 0)
    differential = payload.get("updateType") == "Differential"
    if differential and version <= hardware.local_list_version:
        return CommandAnswer({"status": "VersionMismatch"})
    if not differential:
        hardware.local_list.clear()
    for entry in payload.get("localAuthorizationList", ()):
        if "idTagInfo" in entry:
            hardware.local_list[entry["idTag"]] = entry["idTagInfo"]
        else:
            hardware.local_list.pop(entry["idTag"], None)
    hardware.local_list_version = version
    return ACCEPTED


def reserve_now(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector = hardware.connectors.get(payload.get("connectorId", 0))
    if connector is None:
        return REJECTED
    if connector.status in BROKEN:
        return CommandAnswer({"status": connector.status})
    if connector.status not in ("Available", "Reserved"):
        return CommandAnswer({"status": "Occupied"})
    return CommandAnswer({"status": "Accepted"}, soon(lambda: hardware.reserve(connector, payload)))


def cancel_reservation(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    for connector in hardware.connectors.values():
        held = connector.reservation
        if held is not None and held.reservation_id == payload.get("reservationId"):
            connector.reservation = None
            return CommandAnswer({"status": "Accepted"}, soon(partial(hardware.settle_status, connector)))
    return REJECTED


def _report(hardware: Hardware, action: str, *statuses: str) -> Callable[[], Awaitable[None]]:
    """What follows: one status after the other, as a download does."""

    async def steps() -> None:
        for status in statuses:
            hardware.say(action, {"status": status})
            await trio.sleep(STEP_S)

    return steps


HANDLERS: Mapping[str, CommandHandler] = {
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": remote_stop,
    "ChangeConfiguration": change_configuration,
    "GetConfiguration": get_configuration,
    "ChangeAvailability": change_availability,
    "UnlockConnector": unlock_connector,
    "Reset": reset,
    "ClearCache": clear_cache,
    "TriggerMessage": trigger_message,
    "DataTransfer": data_transfer,
    "GetDiagnostics": get_diagnostics,
    "UpdateFirmware": update_firmware,
    "GetLocalListVersion": get_local_list_version,
    "SendLocalList": send_local_list,
    "ReserveNow": reserve_now,
    "CancelReservation": cancel_reservation,
    "SetChargingProfile": set_charging_profile,
    "ClearChargingProfile": clear_charging_profile,
    "GetCompositeSchedule": get_composite_schedule,
}


def answer(hardware: Hardware, lifecycle: Lifecycle, action: str, payload: Payload) -> CommandAnswer:
    """The answer to a CALL; raises CallRefused for what this station does not know."""
    handler = HANDLERS.get(action)
    if handler is None:
        raise CallRefused("NotSupported", f"{action} is not supported by this charger")
    return handler(hardware, lifecycle, payload)
