"""What operators can have an OCPP 2.0.1 station do: from our commands to the wire and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from evpower.link import commands, device_commands
from evpower.link.commands import A, Command, ListAnswer, ListEntry, ListVersion, Reply
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v201.commands import certificates, device, profiles, requests, settings, transfers
from evpower.ocpp.wire.times import wire_time

#: `UnlockFailed`, `OngoingAuthorizedTransaction` and `UnknownConnector` are refusals.
UNLOCKED = frozenset({"Unlocked"})
#: Of a list: what the station has is not what we thought, and a full list sets it right.
REPAIRABLE = frozenset({"Failed", "VersionMismatch"})
RESETS = {"hard": "Immediate", "soft": "OnIdle"}
#: Messages that 1.6 names otherwise.
TRIGGERED = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargingStationCertificate",
}


async def restart(send: Send, command: commands.Restart) -> Reply:
    evse = {} if command.connector_id is None else {"evseId": send.evses.place(command.connector_id).evse_id}
    return reply(await send(Request("Reset", {"type": RESETS[command.kind], **evse})))


async def unlock(send: Send, command: commands.Unlock) -> Reply:
    place = send.evses.place(command.connector_id)
    payload = {"evseId": place.evse_id, "connectorId": place.number}
    return reply(await send(Request("UnlockConnector", payload)), UNLOCKED)


async def set_availability(send: Send, command: commands.SetAvailability) -> Reply:
    payload: dict[str, Any] = {"operationalStatus": "Operative" if command.operative else "Inoperative"}
    if command.connector_id:
        place = send.evses.place(command.connector_id)
        one = {"connectorId": place.number} if send.evses.is_shared(place.evse_id) else {}
        payload["evse"] = {"id": place.evse_id, **one}
    return reply(await send(Request("ChangeAvailability", payload)))


async def forget_cards(send: Send, _: commands.ForgetCards) -> Reply:
    return reply(await send(Request("ClearCache", {})))


async def trigger(send: Send, command: commands.Trigger) -> Reply:
    message = TRIGGERED.get(command.message, command.message)
    place = None if command.connector_id is None else send.evses.place(command.connector_id)
    return reply(await send(requests.trigger(message, place)))


async def reserve(send: Send, command: commands.Reserve) -> Reply:
    """On an EVSE with several connectors, the type says which of them."""
    payload: dict[str, Any] = {
        "id": command.reservation_id,
        "expiryDateTime": wire_time(command.expires_at),
        "idToken": requests.token(command.id_tag),
    }
    if command.connector_id:
        place = send.evses.place(command.connector_id)
        payload["evseId"] = place.evse_id
        if place.connector_type is not None and send.evses.is_shared(place.evse_id):
            payload["connectorType"] = place.connector_type
    if command.parent_id_tag is not None:
        payload["groupIdToken"] = requests.token(command.parent_id_tag)
    return reply(await send(Request("ReserveNow", payload)))


async def end_reservation(send: Send, command: commands.EndReservation) -> Reply:
    return reply(await send(Request("CancelReservation", {"reservationId": command.reservation_id})))


async def read_list_version(send: Send, _: commands.ReadListVersion) -> ListVersion:
    answer = await send(Request("GetLocalListVersion", {}))
    return ListVersion(int(answer["versionNumber"]), answer)


async def send_list(send: Send, command: commands.SendList) -> ListAnswer:
    payload: dict[str, Any] = {
        "versionNumber": command.version,
        "updateType": "Full" if command.full else "Differential",
    }
    if command.entries:
        payload["localAuthorizationList"] = [_list_entry(tag, entry) for tag, entry in command.entries.items()]
    status = str((await send(Request("SendLocalList", payload)))["status"])
    return ListAnswer(taken=status == "Accepted", status=status, repairable=status in REPAIRABLE)


def _list_entry(tag: str, entry: ListEntry | None) -> Mapping[str, Any]:
    """Without its facts a card is taken away (D01)."""
    if entry is None:
        return {"idToken": requests.token(tag)}
    info: dict[str, Any] = {"status": entry.status}
    if entry.expires_at is not None:
        info["cacheExpiryDateTime"] = wire_time(entry.expires_at)
    if entry.parent_id_tag is not None:
        info["groupIdToken"] = requests.token(entry.parent_id_tag)
    return {"idToken": requests.token(tag), "idTokenInfo": info}


#: Each takes the command that is its key and returns that command's answer (a test compares their annotations).
OPERATIONS: Mapping[type[Command[Any]], Callable[[Send, Any], Awaitable[Any]]] = {
    commands.Restart: restart,
    commands.Unlock: unlock,
    commands.SetAvailability: set_availability,
    commands.ForgetCards: forget_cards,
    commands.Trigger: trigger,
    commands.ReadSettings: settings.read_settings,
    commands.WriteSetting: settings.write_setting,
    commands.SetPassword: settings.set_password,
    commands.UploadDiagnostics: transfers.upload_diagnostics,
    commands.UploadLog: transfers.upload_log,
    commands.FetchFirmware: transfers.fetch_firmware,
    commands.FetchSignedFirmware: transfers.fetch_signed_firmware,
    commands.Reserve: reserve,
    commands.EndReservation: end_reservation,
    commands.ReadListVersion: read_list_version,
    commands.SendList: send_list,
    commands.SetProfile: profiles.set_profile,
    commands.LimitDraw: profiles.limit_draw,
    commands.ClearProfiles: profiles.clear_profiles,
    commands.ReadSchedule: profiles.read_schedule,
    commands.Trust: certificates.trust,
    commands.ListTrusted: certificates.list_trusted,
    commands.Distrust: certificates.distrust,
    commands.RenewCertificate: certificates.renew,
    commands.DeliverCertificate: certificates.deliver,
    device_commands.ShowMessage: device.show_message,
    device_commands.ReadMessages: device.read_messages,
    device_commands.HideMessage: device.hide_message,
    device_commands.AskCustomerData: device.ask_customer_data,
    device_commands.SetMonitoringBase: device.set_monitoring_base,
    device_commands.SetMonitoringLevel: device.set_monitoring_level,
    device_commands.SetMonitors: device.set_monitors,
    device_commands.ClearMonitors: device.clear_monitors,
    device_commands.ReadMonitors: device.read_monitors,
    device_commands.ReadDevice: device.read_device,
    device_commands.ReadProfiles: profiles.read_profiles,
    device_commands.ReadLimits: profiles.read_limits,
    device_commands.SetNetworkProfile: device.set_network_profile,
    device_commands.PublishFirmware: device.publish_firmware,
    device_commands.UnpublishFirmware: device.unpublish_firmware,
}


async def perform(send: Send, command: Command[A]) -> A:
    """Have the station do it. Raises what `send` raises."""
    answer: A = await OPERATIONS[type(command)](send, command)
    return answer
