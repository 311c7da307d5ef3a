"""What operators can have an OCPP 1.6 station do: from our commands to the wire and back (OCPP 1.6 §5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from evpower.link import commands
from evpower.link.commands import A, Command, ListAnswer, ListEntry, ListVersion, Reply, Setting, Settings
from evpower.link.errors import NotInThisVersion
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v16.commands import certificates, profiles, requests, transfers
from evpower.ocpp.v16.commands.times import wire_time

#: `UnlockFailed` and `NotSupported` are refusals.
UNLOCKED = frozenset({"Unlocked"})
#: The version of a station that keeps no list of cards (§5.10).
NO_LIST = -1
#: Of a list: what the station has is not what we thought, and a full list sets it right.
REPAIRABLE = frozenset({"Failed", "VersionMismatch"})
PASSWORD_KEY = "AuthorizationKey"


async def restart(send: Send, command: commands.Restart) -> Reply:
    """Raises NotInThisVersion for a connector alone."""
    if command.connector_id is not None:
        raise NotInThisVersion("1.6")
    return reply(await send(Request("Reset", {"type": command.kind.capitalize()})))


async def unlock(send: Send, command: commands.Unlock) -> Reply:
    return reply(await send(Request("UnlockConnector", {"connectorId": command.connector_id})), UNLOCKED)


async def set_availability(send: Send, command: commands.SetAvailability) -> Reply:
    wanted = "Operative" if command.operative else "Inoperative"
    return reply(await send(Request("ChangeAvailability", {"connectorId": command.connector_id, "type": wanted})))


async def forget_cards(send: Send, _: commands.ForgetCards) -> Reply:
    return reply(await send(Request("ClearCache", {})))


async def trigger(send: Send, command: commands.Trigger) -> Reply:
    return reply(await send(requests.trigger(command.message, command.connector_id)))


async def read_settings(send: Send, command: commands.ReadSettings) -> Settings:
    answer = await send(Request("GetConfiguration", {"key": list(command.keys)} if command.keys else {}))
    settings = (
        Setting(each["key"], each.get("value"), each["readonly"], each) for each in answer.get("configurationKey") or ()
    )
    return Settings(tuple(settings), tuple(answer.get("unknownKey") or ()))


async def write_setting(send: Send, command: commands.WriteSetting) -> Reply:
    return reply(await send(requests.change_configuration(command.key, command.value)))


async def set_password(send: Send, command: commands.SetPassword) -> Reply:
    return reply(await send(requests.change_configuration(PASSWORD_KEY, command.password)))


async def reserve(send: Send, command: commands.Reserve) -> Reply:
    payload = {
        "connectorId": command.connector_id,
        "expiryDate": wire_time(command.expires_at),
        "idTag": command.id_tag,
        "reservationId": command.reservation_id,
        **({"parentIdTag": command.parent_id_tag} if command.parent_id_tag is not None else {}),
    }
    return reply(await send(Request("ReserveNow", payload)))


async def end_reservation(send: Send, command: commands.EndReservation) -> Reply:
    return reply(await send(Request("CancelReservation", {"reservationId": command.reservation_id})))


async def read_list_version(send: Send, _: commands.ReadListVersion) -> ListVersion:
    answer = await send(Request("GetLocalListVersion", {}))
    version = int(answer["listVersion"])
    return ListVersion(None if version <= NO_LIST else version, answer)


async def send_list(send: Send, command: commands.SendList) -> ListAnswer:
    payload = {
        "listVersion": command.version,
        "updateType": "Full" if command.full else "Differential",
        "localAuthorizationList": [_list_entry(tag, entry) for tag, entry in command.entries.items()],
    }
    status = str((await send(Request("SendLocalList", payload)))["status"])
    return ListAnswer(taken=status == "Accepted", status=status, repairable=status in REPAIRABLE)


def _list_entry(tag: str, entry: ListEntry | None) -> Mapping[str, Any]:
    """Without its facts a card is taken away (§5.15)."""
    if entry is None:
        return {"idTag": tag}
    info = {"status": entry.status}
    if entry.expires_at is not None:
        info["expiryDate"] = wire_time(entry.expires_at)
    if entry.parent_id_tag is not None:
        info["parentIdTag"] = entry.parent_id_tag
    return {"idTag": tag, "idTagInfo": info}


#: Each takes the command that is its key and returns that command's answer (a test compares their annotations).
OPERATIONS: Mapping[type[Command[Any]], Callable[[Send, Any], Awaitable[Any]]] = {
    commands.Restart: restart,
    commands.Unlock: unlock,
    commands.SetAvailability: set_availability,
    commands.ForgetCards: forget_cards,
    commands.Trigger: trigger,
    commands.ReadSettings: read_settings,
    commands.WriteSetting: write_setting,
    commands.SetPassword: set_password,
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
}


async def perform(send: Send, command: Command[A]) -> A:
    """Have the station do it. Raises what `send` raises, and NotInThisVersion."""
    if type(command) not in OPERATIONS:
        raise NotInThisVersion("1.6")
    answer: A = await OPERATIONS[type(command)](send, command)
    return answer
