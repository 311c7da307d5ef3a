"""Uploads and firmware as OCPP 1.6 and its security extension write them (§5.9, §5.19; white paper, L01, N01)."""

from __future__ import annotations

from evpower.link.commands import FetchFirmware, FetchSignedFirmware, Reply, Upload, UploadDiagnostics, UploadLog
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v16.commands.times import wire_time, wire_times

#: The second: another request was ended for this one.
TAKEN = frozenset({"Accepted", "AcceptedCanceled"})


async def upload_diagnostics(send: Send, command: UploadDiagnostics) -> Upload:
    times = wire_times(startTime=command.since, stopTime=command.until)
    answer = await send(Request("GetDiagnostics", {"location": command.location, **times}))
    return Upload(reply(answer), answer.get("fileName"))


async def upload_log(send: Send, command: UploadLog) -> Upload:
    times = wire_times(oldestTimestamp=command.since, latestTimestamp=command.until)
    payload = {
        "logType": command.log_type,
        "log": {"remoteLocation": command.location, **times},
        "requestId": command.request_id,
    }
    answer = await send(Request("GetLog", payload))
    return Upload(reply(answer, TAKEN), answer.get("filename"))


async def fetch_firmware(send: Send, command: FetchFirmware) -> Reply:
    payload = {"location": command.location, "retrieveDate": wire_time(command.retrieve_at)}
    return reply(await send(Request("UpdateFirmware", payload)))


async def fetch_signed_firmware(send: Send, command: FetchSignedFirmware) -> Reply:
    payload = {"firmware": command.firmware, "requestId": command.request_id}
    return reply(await send(Request("SignedUpdateFirmware", payload)), TAKEN)
