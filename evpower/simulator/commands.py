"""What a charger answers to the central system's CALLs, one function per action (OCPP 1.6 §5).

A handler returns the payload of its CALLRESULT and, where something follows, what to do once the answer is out:
RemoteStart's `Accepted` must reach the central system before the StartTransaction it causes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from evpower.simulator.answers import ACCEPTED, REJECTED, Answered, Handler, Lifecycle, soon, text
from evpower.simulator.connector import Connector, Permission
from evpower.simulator.ocpp import CallRefused, Payload
from evpower.simulator.profiles import profile_is_usable
from evpower.simulator.smart_charging import clear_charging_profile, get_composite_schedule, set_charging_profile
from evpower.simulator.station import BROKEN, STARTABLE, Station

STEP_S = 1.0  # between the steps of a firmware or diagnostics job


def remote_start(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    connector = _connector_to_start(station, payload)
    if connector is None or station.misbehaviour.refuse_remote_start or not lifecycle.accepted:
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
        station.profiles.set(connector.connector_id, profile)

    async def go() -> None:
        if station.configuration.flag("AuthorizeRemoteTxRequests"):
            await station.present_card(connector, id_tag)
        else:
            station.permit(connector, Permission(id_tag))

    return Answered({"status": "Accepted"}, go)


def _connector_to_start(station: Station, payload: Payload) -> Connector | None:
    wanted = payload.get("connectorId")
    for connector in station.connectors.values():
        free = connector.transaction is None and connector.permission is None and connector.status in STARTABLE
        if free and wanted in (None, connector.connector_id):
            return connector
    return None


def remote_stop(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    wanted = payload.get("transactionId")
    for connector in station.connectors.values():
        running = connector.transaction
        if running is None or running.transaction_id is None or running.transaction_id != wanted:
            continue
        if station.misbehaviour.refuse_remote_stop:
            return REJECTED
        if station.misbehaviour.ignore_remote_stop:
            return ACCEPTED
        return Answered({"status": "Accepted"}, soon(partial(station.end, connector, "Remote")))
    return REJECTED


def change_configuration(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    key = text(payload, "key")
    verdict = station.configuration.change(key, text(payload, "value"))
    # A new password is used from the next connection on, which is made at once (security white paper, A01).
    renew = key == "AuthorizationKey" and verdict == "Accepted"
    return Answered({"status": verdict}, lifecycle.reconnect if renew else None)


def get_configuration(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    return Answered(station.configuration.answer(payload.get("key", ())))


def change_availability(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    wanted, operative = payload.get("connectorId"), payload.get("type") == "Operative"
    if wanted != 0 and wanted not in station.connectors:
        return REJECTED
    targets = [c for c in station.connectors.values() if wanted in (0, c.connector_id)]

    def change() -> None:
        if wanted == 0:
            station.operative = operative
            station.say("StatusNotification", station.status_payload(0))
        for connector in targets:
            connector.operative = operative
            if connector.transaction is None:
                station.settle_status(connector)

    busy = not operative and any(connector.transaction is not None for connector in targets)
    return Answered({"status": "Scheduled" if busy else "Accepted"}, soon(change))


def unlock_connector(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    connector = station.connectors.get(payload.get("connectorId", 0))
    if connector is None:
        return Answered({"status": "NotSupported"})
    return Answered({"status": "Unlocked"}, soon(lambda: station.end(connector, "UnlockCommand")))


def reset(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    kind = payload.get("type")
    if kind not in ("Hard", "Soft"):
        return REJECTED
    return Answered({"status": "Accepted"}, lambda: lifecycle.reboot(f"{kind}Reset"))


def clear_cache(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    return ACCEPTED


def trigger_message(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    wanted, only = payload.get("requestedMessage"), payload.get("connectorId")
    if wanted == "BootNotification":
        # Once accepted there is nothing left to boot (OCPP 1.6 erratum 3.40).
        return REJECTED if lifecycle.accepted else Answered({"status": "Accepted"}, soon(lifecycle.boot_now))
    if not lifecycle.accepted or (only is not None and only != 0 and only not in station.connectors):
        return REJECTED
    sends = {
        "Heartbeat": lambda: station.say("Heartbeat", {}),
        "StatusNotification": lambda: _say_statuses(station, only),
        "MeterValues": lambda: _say_meter_values(station, only),
        "FirmwareStatusNotification": lambda: station.say("FirmwareStatusNotification", {"status": "Idle"}),
        "DiagnosticsStatusNotification": lambda: station.say("DiagnosticsStatusNotification", {"status": "Idle"}),
    }
    if wanted not in sends:
        return Answered({"status": "NotImplemented"})
    return Answered({"status": "Accepted"}, soon(sends[wanted]))


def _say_statuses(station: Station, only: int | None) -> None:
    for number in [0, *station.connectors] if only is None else [only]:
        station.say("StatusNotification", station.status_payload(number))


def _say_meter_values(station: Station, only: int | None) -> None:
    for connector in station.connectors.values():
        if only in (None, connector.connector_id):
            station.sample(connector, "Trigger")


def data_transfer(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    return Answered({"status": "UnknownVendorId"})


def get_diagnostics(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    follow = _report(station, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    return Answered({"fileName": "diagnostics.log"}, follow)


def update_firmware(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    steps = ("Downloading", "Downloaded", "Installing", "Installed")
    return Answered({}, _report(station, "FirmwareStatusNotification", *steps))


def get_local_list_version(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    return Answered({"listVersion": station.local_list_version})


def send_local_list(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    version = payload.get("listVersion", 0)
    differential = payload.get("updateType") == "Differential"
    if differential and version <= station.local_list_version:
        return Answered({"status": "VersionMismatch"})
    if not differential:
        station.local_list.clear()
    for entry in payload.get("localAuthorizationList", ()):
        if "idTagInfo" in entry:
            station.local_list[entry["idTag"]] = entry["idTagInfo"]
        else:
            station.local_list.pop(entry["idTag"], None)
    station.local_list_version = version
    return ACCEPTED


def reserve_now(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    connector = station.connectors.get(payload.get("connectorId", 0))
    if connector is None:
        return REJECTED
    if connector.status in BROKEN:
        return Answered({"status": connector.status})
    if connector.status not in ("Available", "Reserved"):
        return Answered({"status": "Occupied"})
    return Answered({"status": "Accepted"}, soon(lambda: station.reserve(connector, payload)))


def cancel_reservation(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    for connector in station.connectors.values():
        held = connector.reservation
        if held is not None and held.reservation_id == payload.get("reservationId"):
            connector.reservation = None
            return Answered({"status": "Accepted"}, soon(partial(station.settle_status, connector)))
    return REJECTED


def _report(station: Station, action: str, *statuses: str) -> Callable[[], Awaitable[None]]:
    """What follows: one status after the other, as a download does."""

    async def steps() -> None:
        for status in statuses:
            station.say(action, {"status": status})
            await trio.sleep(STEP_S)

    return steps


HANDLERS: Mapping[str, Handler] = {
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


def answer(station: Station, lifecycle: Lifecycle, action: str, payload: Payload) -> Answered:
    """The answer to a CALL; raises CallRefused for what this charger does not know."""
    handler = HANDLERS.get(action)
    if handler is None:
        raise CallRefused("NotSupported", f"{action} is not supported by this charger")
    return handler(station, lifecycle, payload)
