"""Uploads and firmware as OCPP 2.0.1 writes them (L01, N01): one way each, where 1.6 has two.

What 1.6 does not number (diagnostics, unsigned firmware) has the request number 0 here; our own begin with 1.
"""

from __future__ import annotations

from typing import Any

from evpower.link.commands import FetchFirmware, FetchSignedFirmware, Reply, Upload, UploadDiagnostics, UploadLog
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.wire.times import wire_time

#: The second: another request was ended for this one.
TAKEN = frozenset({"Accepted", "AcceptedCanceled"})
UNNUMBERED = 0


async def upload_diagnostics(send: Send, command: UploadDiagnostics) -> Upload:
    return await upload_log(
        send, UploadLog(UNNUMBERED, command.location, "DiagnosticsLog", command.since, command.until)
    )


async def upload_log(send: Send, command: UploadLog) -> Upload:
    log: dict[str, Any] = {"remoteLocation": command.location}
    for name, at in (("oldestTimestamp", command.since), ("latestTimestamp", command.until)):
        if at is not None:
            log[name] = wire_time(at)
    payload = {"logType": command.log_type, "log": log, "requestId": command.request_id}
    answer = await send(Request("GetLog", payload))
    return Upload(reply(answer, TAKEN), answer.get("filename"))


async def fetch_firmware(send: Send, command: FetchFirmware) -> Reply:
    firmware = {"location": command.location, "retrieveDateTime": wire_time(command.retrieve_at)}
    return reply(await send(Request("UpdateFirmware", {"requestId": UNNUMBERED, "firmware": firmware})), TAKEN)


async def fetch_signed_firmware(send: Send, command: FetchSignedFirmware) -> Reply:
    payload = {"requestId": command.request_id, "firmware": command.firmware}
    return reply(await send(Request("UpdateFirmware", payload)), TAKEN)
